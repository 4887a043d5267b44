//! A public key by its numbers, and whether it is worth the name and fits its algorithm.

use super::Algorithm;

/// The shortest RSA modulus, in bits (RFC 7518 section 3.3), and the longest that signatures are checked with.
const RSA_BITS: (usize, usize) = (2048, 8192);

/// A public key by its numbers, big-endian.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum KeyNumbers {
    /// For the RS and PS algorithms.
    Rsa {
        /// Without leading zeros.
        modulus: Vec<u8>,
        /// Without leading zeros.
        exponent: Vec<u8>,
    },
    /// A point of P-256 (65 bytes, for ES256) or P-384 (97 bytes, for ES384): `04`, x, y.
    Point(Vec<u8>),
    /// An Ed25519 key, 32 bytes, for `EdDSA`.
    Ed25519([u8; 32]),
}

impl KeyNumbers {
    pub(super) fn rsa(modulus: &[u8], exponent: &[u8]) -> Self {
        Self::Rsa {
            modulus: without_zeros(modulus),
            exponent: without_zeros(exponent),
        }
    }

    /// Whether signatures of `algorithm` can be checked with it; says what would be right.
    pub(super) fn fits(&self, algorithm: Algorithm) -> Result<(), String> {
        if self.kind() != wanted(algorithm) {
            return Err(format!(
                "holds {}, but {algorithm:?} needs {}",
                self.kind(),
                wanted(algorithm)
            ));
        }
        match self {
            Self::Rsa { modulus, exponent } => rsa_is_strong(modulus, exponent),
            Self::Point(_) | Self::Ed25519(_) => Ok(()),
        }
    }

    fn kind(&self) -> &'static str {
        match self {
            Self::Rsa { .. } => RSA,
            Self::Point(point) if point.len() == 65 => P256,
            Self::Point(_) => P384,
            Self::Ed25519(_) => ED25519,
        }
    }
}

const RSA: &str = "an RSA key";
const P256: &str = "a key of the curve P-256";
const P384: &str = "a key of the curve P-384";
const ED25519: &str = "an Ed25519 key";
const SECRET: &str = "a secret";

/// The kind of key that an algorithm needs.
pub(super) const fn wanted(algorithm: Algorithm) -> &'static str {
    use Algorithm::{
        ES256, ES384, EdDSA, HS256, HS384, HS512, PS256, PS384, PS512, RS256, RS384, RS512,
    };
    match algorithm {
        RS256 | RS384 | RS512 | PS256 | PS384 | PS512 => RSA,
        ES256 => P256,
        ES384 => P384,
        EdDSA => ED25519,
        HS256 | HS384 | HS512 => SECRET,
    }
}

fn rsa_is_strong(modulus: &[u8], exponent: &[u8]) -> Result<(), String> {
    let (least, most) = RSA_BITS;
    let first = modulus.first().map_or(8, |byte| byte.leading_zeros());
    let bits = (modulus.len() * 8).saturating_sub(first as usize);
    if bits < least {
        return Err(format!(
            "holds an RSA key of {bits} bits, at least {least} are needed; make a new one"
        ));
    }
    if bits > most {
        return Err(format!(
            "holds an RSA key of {bits} bits, at most {most} can be used"
        ));
    }
    let odd = |number: &[u8]| number.last().is_some_and(|byte| byte % 2 == 1);
    match odd(modulus) && odd(exponent) && exponent != [1] && exponent.len() <= 4 {
        true => Ok(()),
        false => Err("holds an RSA key that cannot be one; make a new one".into()),
    }
}

fn without_zeros(number: &[u8]) -> Vec<u8> {
    let zeros = number.iter().take_while(|byte| **byte == 0).count();
    number.get(zeros..).unwrap_or_default().to_vec()
}
