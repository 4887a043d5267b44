//! A JSON web key set (RFC 7517): of its keys, those that check signatures of one algorithm.

use base64::{Engine, engine::general_purpose::URL_SAFE_NO_PAD};
use serde::Deserialize;

use super::{
    Algorithm, PublicKey,
    numbers::{KeyNumbers, wanted},
};

#[derive(Deserialize)]
struct Set {
    keys: Vec<Jwk>,
}

#[derive(Deserialize)]
struct Jwk {
    kty: String,
    kid: Option<String>,
    alg: Option<String>,
    #[serde(rename = "use")]
    purpose: Option<String>,
    crv: Option<String>,
    n: Option<String>,
    e: Option<String>,
    x: Option<String>,
    y: Option<String>,
    /// The private part of any kind of key.
    d: Option<serde::de::IgnoredAny>,
}

/// The keys of a set that are for `algorithm`; keys for something else are passed over.
pub(super) fn read(text: &str, algorithm: Algorithm) -> Result<Vec<PublicKey>, String> {
    let set: Set = serde_json::from_str(text).map_err(|error| {
        format!(
            "is no JSON web key set (line {}, column {}); it should be {{\"keys\": [...]}}",
            error.line(),
            error.column()
        )
    })?;
    if set
        .keys
        .iter()
        .any(|key| key.d.is_some() || key.kty == "oct")
    {
        return Err(
            "holds private or secret keys; only public ones belong here, keep the others away from this machine"
                .into(),
        );
    }
    let ours = set.keys.iter().filter(|key| key.is_for(algorithm));
    let keys: Vec<PublicKey> = ours
        .map(|key| key.read(algorithm))
        .collect::<Result<_, _>>()?;
    match keys.is_empty() {
        true => Err(format!(
            "holds no key for {algorithm:?}; it needs {}",
            wanted(algorithm)
        )),
        false => Ok(keys),
    }
}

impl Jwk {
    fn is_for(&self, algorithm: Algorithm) -> bool {
        use Algorithm::{ES256, ES384, EdDSA};
        let kind = match algorithm {
            EdDSA => self.kty == "OKP" && self.crv.as_deref() == Some("Ed25519"),
            ES256 => self.kty == "EC" && self.crv.as_deref() == Some("P-256"),
            ES384 => self.kty == "EC" && self.crv.as_deref() == Some("P-384"),
            _ => self.kty == "RSA",
        };
        let same = |alg: &String| *alg == format!("{algorithm:?}");
        let signs = |purpose: &str| purpose == "sig";
        kind && self.alg.as_ref().is_none_or(same) && self.purpose.as_deref().is_none_or(signs)
    }

    fn read(&self, algorithm: Algorithm) -> Result<PublicKey, String> {
        let kid = self.kid.clone().filter(|kid| !kid.is_empty());
        let kid = kid.ok_or("holds a key without a `kid`; give each its own")?;
        let numbers = self
            .numbers()
            .ok_or_else(|| format!("holds a broken key (`{kid}`)"))?;
        match numbers.fits(algorithm) {
            Ok(()) => Ok(PublicKey {
                kid: Some(kid),
                numbers,
            }),
            Err(message) => Err(format!("{message} (`{kid}`)")),
        }
    }

    fn numbers(&self) -> Option<KeyNumbers> {
        let bytes = |text: &Option<String>| URL_SAFE_NO_PAD.decode(text.as_ref()?).ok();
        Some(match self.kty.as_str() {
            "RSA" => KeyNumbers::rsa(&bytes(&self.n)?, &bytes(&self.e)?),
            "EC" => {
                let half = if self.crv.as_deref()? == "P-256" {
                    32
                } else {
                    48
                };
                let (x, y) = (bytes(&self.x)?, bytes(&self.y)?);
                let whole = x.len() == half && y.len() == half;
                KeyNumbers::Point(whole.then(|| [vec![4], x, y].concat())?)
            }
            _ => KeyNumbers::Ed25519(bytes(&self.x)?.try_into().ok()?),
        })
    }
}
