//! A public key in PEM (RFC 7468): `PUBLIC KEY`, which names its kind, or `RSA PUBLIC KEY`.

use base64::{Engine, engine::general_purpose::STANDARD};

use super::numbers::KeyNumbers;

/// The key in a text; anything else in it is refused with what would be right.
pub(super) fn read(text: &str) -> Result<KeyNumbers, String> {
    let mut blocks = text.split("-----BEGIN ").skip(1);
    let block = blocks
        .next()
        .ok_or("is no PEM file; it should begin with `-----BEGIN PUBLIC KEY-----`")?;
    if text.contains("PRIVATE KEY-----") {
        return Err(
            "holds a private key; only the public one belongs here: `openssl pkey -in PRIVATE -pubout`, and keep the private one away from this machine"
                .into(),
        );
    }
    if blocks.next().is_some() {
        return Err("holds several keys; give each a file of its own".into());
    }
    let broken = || "is a broken PEM file; write it anew".to_owned();
    let (label, rest) = block.split_once("-----").ok_or_else(broken)?;
    let (body, _) = rest
        .split_once(&format!("-----END {label}-----"))
        .ok_or_else(broken)?;
    let body: String = body.split_whitespace().collect();
    let der = STANDARD.decode(body).map_err(|_| broken())?;
    match label {
        "PUBLIC KEY" => subject_public_key_info(&der).unwrap_or_else(|| Err(broken())),
        "RSA PUBLIC KEY" => rsa(&der).ok_or_else(broken),
        "CERTIFICATE" => Err(
            "is a certificate; take the key out of it: `openssl x509 -in CERTIFICATE -pubkey -noout`"
                .into(),
        ),
        other => Err(format!(
            "holds `{other}`; it should begin with `-----BEGIN PUBLIC KEY-----`"
        )),
    }
}

const RSA: [&[u8]; 2] = [
    &[0x2a, 0x86, 0x48, 0x86, 0xf7, 0x0d, 0x01, 0x01, 0x01],
    // An RSA key that is for PSS only.
    &[0x2a, 0x86, 0x48, 0x86, 0xf7, 0x0d, 0x01, 0x01, 0x0a],
];
const EC: &[u8] = &[0x2a, 0x86, 0x48, 0xce, 0x3d, 0x02, 0x01];
const P256: &[u8] = &[0x2a, 0x86, 0x48, 0xce, 0x3d, 0x03, 0x01, 0x07];
const P384: &[u8] = &[0x2b, 0x81, 0x04, 0x00, 0x22];
const ED25519: &[u8] = &[0x2b, 0x65, 0x70];

/// RFC 5280 section 4.1; `None` where it is not even that.
fn subject_public_key_info(der: &[u8]) -> Option<Result<KeyNumbers, String>> {
    let mut outer = Der(der);
    let mut info = Der(outer.take(SEQUENCE)?);
    let mut algorithm = Der(info.take(SEQUENCE)?);
    let kind = algorithm.take(OBJECT)?;
    let (unused, key) = info.take(BITS)?.split_first()?;
    if *unused != 0 || !info.0.is_empty() || !outer.0.is_empty() {
        return None;
    }
    Some(match kind {
        kind if RSA.contains(&kind) => Ok(rsa(key)?),
        EC => point(algorithm.take(OBJECT)?, key),
        ED25519 => Ok(KeyNumbers::Ed25519(key.try_into().ok()?)),
        _ => {
            Err("holds a key of another kind; RSA, P-256, P-384 and Ed25519 are understood".into())
        }
    })
}

fn point(curve: &[u8], key: &[u8]) -> Result<KeyNumbers, String> {
    match (curve, key.first(), key.len()) {
        (P256, Some(4), 65) | (P384, Some(4), 97) => Ok(KeyNumbers::Point(key.to_vec())),
        (P256 | P384, ..) => Err(
            "holds a compressed point; write it with `openssl ec -pubin -conv_form uncompressed`"
                .into(),
        ),
        _ => Err("holds a key of another curve; P-256 and P-384 are understood".into()),
    }
}

/// RFC 8017 appendix A.1.1.
fn rsa(der: &[u8]) -> Option<KeyNumbers> {
    let mut outer = Der(der);
    let mut numbers = Der(outer.take(SEQUENCE)?);
    let (modulus, exponent) = (numbers.take(INTEGER)?, numbers.take(INTEGER)?);
    (numbers.0.is_empty() && outer.0.is_empty()).then(|| KeyNumbers::rsa(modulus, exponent))
}

const INTEGER: u8 = 0x02;
const BITS: u8 = 0x03;
const OBJECT: u8 = 0x06;
const SEQUENCE: u8 = 0x30;

/// What is left of a DER text (X.690).
struct Der<'a>(&'a [u8]);

impl<'a> Der<'a> {
    /// The content of the next value, if it has this tag.
    fn take(&mut self, tag: u8) -> Option<&'a [u8]> {
        let (found, rest) = self.0.split_first()?;
        let (short, rest) = rest.split_first()?;
        let (length, rest) = match short {
            0..=0x7f => (usize::from(*short), rest),
            0x81..=0x83 => {
                let (digits, rest) = rest.split_at_checked(usize::from(short & 0x0f))?;
                let digits = digits.iter();
                (
                    digits.fold(0, |n, digit| n << 8 | usize::from(*digit)),
                    rest,
                )
            }
            _ => return None,
        };
        let (content, rest) = rest.split_at_checked(length)?;
        self.0 = rest;
        (*found == tag).then_some(content)
    }
}
