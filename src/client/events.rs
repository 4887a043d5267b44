//! Events: what starts the bots that listen for them, sent with a token or with a signature.

use base64::{Engine, engine::general_purpose::STANDARD};
use chrono::{DateTime, Utc};
use reqwest::Method;
use secrecy::{ExposeSecret, SecretString};
use sha2::{Digest, Sha256};

use super::{Client, Error, Event, EventAccepted, Reply};

const EVENTS: [&str; 3] = ["api", "v1", "events"];
/// The block of SHA-256, in bytes (RFC 2104).
const BLOCK: usize = 64;

impl Client {
    /// Sends an event with the client's token. A repetition with the same `key` starts nothing anew.
    ///
    /// # Errors
    /// See [`Error`].
    pub async fn send_event(
        &self,
        event: &Event,
        key: Option<&str>,
    ) -> Result<Reply<EventAccepted>, Error> {
        let mut request = self.request(Method::POST, &EVENTS)?.json(event);
        if let Some(key) = key {
            request = request.header("Idempotency-Key", key);
        }
        self.ask(request).await
    }

    /// Sends an event that is signed instead: the client needs no token, and does not send one. The signature's id is also the key by which the
    /// server recognises a repetition.
    ///
    /// # Errors
    /// See [`Error`]; 401 if the key is another, or if `at` is not within the server's five minutes.
    pub async fn send_signed_event(
        &self,
        event: &Event,
        key: &SigningKey,
        id: &str,
        at: DateTime<Utc>,
    ) -> Result<Reply<EventAccepted>, Error> {
        let unwritable = |error| Error::Argument(format!("the event is no JSON: {error}"));
        let body = serde_json::to_vec(event).map_err(unwritable)?;
        let signature = key.sign(id, at, &body);
        let request = self
            .anonymous(Method::POST, &EVENTS)?
            .header("content-type", "application/json")
            .header("webhook-id", &signature.id)
            .header("webhook-timestamp", signature.timestamp.to_string())
            .header("webhook-signature", &signature.signature)
            .body(body);
        self.ask(request).await
    }
}

/// The secret that sender and server share (`events_secret`); not shown by `Debug`.
#[derive(Clone, Debug)]
pub struct SigningKey(SecretString);

/// The headers of a signed request (Standard Webhooks).
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Signature {
    /// `webhook-id`.
    pub id: String,
    /// `webhook-timestamp`, in Unix seconds.
    pub timestamp: i64,
    /// `webhook-signature`.
    pub signature: String,
}

impl SigningKey {
    /// The secret as the server has it: text, or `whsec_` and base64.
    ///
    /// # Errors
    /// [`Error::Argument`] if it is empty, or says to be base64 and is not.
    pub fn new(secret: &SecretString) -> Result<Self, Error> {
        let text = secret.expose_secret();
        let wrong = |what: &str| Error::Argument(format!("the signing secret {what}"));
        let encoded = text.strip_prefix("whsec_");
        if text.is_empty() || encoded == Some("") {
            return Err(wrong("is empty"));
        }
        if encoded.is_some_and(|encoded| STANDARD.decode(encoded).is_err()) {
            return Err(wrong("is not base64 behind `whsec_`"));
        }
        Ok(Self(secret.clone()))
    }

    /// Signs a body that is sent under this id at this time.
    #[must_use]
    pub fn sign(&self, id: &str, at: DateTime<Utc>, body: &[u8]) -> Signature {
        let timestamp = at.timestamp();
        let signed = [format!("{id}.{timestamp}.").as_bytes(), body].concat();
        let signature = format!("v1,{}", STANDARD.encode(hmac(&self.bytes(), &signed)));
        Signature {
            id: id.to_owned(),
            timestamp,
            signature,
        }
    }

    fn bytes(&self) -> Vec<u8> {
        let text = self.0.expose_secret();
        let decoded = text
            .strip_prefix("whsec_")
            .map(|text| STANDARD.decode(text));
        match decoded {
            Some(Ok(bytes)) => bytes,
            _ => text.as_bytes().to_vec(),
        }
    }
}

/// HMAC-SHA-256 (RFC 2104).
fn hmac(key: &[u8], message: &[u8]) -> [u8; 32] {
    let hashed: [u8; 32];
    let key = if key.len() > BLOCK {
        hashed = Sha256::digest(key).into();
        &hashed[..]
    } else {
        key
    };
    let padded = |with: u8| {
        let mut block = [with; BLOCK];
        block.iter_mut().zip(key).for_each(|(b, k)| *b ^= k);
        block
    };
    let inner = Sha256::new()
        .chain_update(padded(0x36))
        .chain_update(message);
    let outer = Sha256::new().chain_update(padded(0x5c));
    outer.chain_update(inner.finalize()).finalize().into()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn key(secret: &str) -> Result<SigningKey, Error> {
        SigningKey::new(&SecretString::from(secret))
    }

    #[test]
    fn the_specifications_example_has_the_specifications_signature() {
        let key = key("whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw").unwrap();
        let at = DateTime::from_timestamp(1_614_265_330, 0).unwrap();
        let signature = key.sign(
            "msg_p5jXN8AQM9LWM0D4loKWxJek",
            at,
            br#"{"test": 2432232314}"#,
        );
        assert_eq!(
            signature.signature,
            "v1,g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OE="
        );
        assert_eq!(signature.timestamp, 1_614_265_330);
    }

    #[test]
    fn hmac_gives_the_values_of_rfc_4231() {
        let hex = |bytes: [u8; 32]| bytes.map(|byte| format!("{byte:02x}")).concat();
        assert_eq!(
            hex(hmac(b"Jefe", b"what do ya want for nothing?")),
            "5bdcc146bf60754e6a042426089575c75a003f089d2739839dec58b964ec3843"
        );
        let long = "Test Using Larger Than Block-Size Key - Hash Key First";
        assert_eq!(
            hex(hmac(&[0xaa; 131], long.as_bytes())),
            "60e431591ee0b67f0d8a26aacbf5b77f8e0bc6213728c5140546040f0ee37f54"
        );
    }

    #[test]
    fn a_secret_that_cannot_be_one_is_refused_and_none_is_shown() {
        for (secret, part) in [("", "empty"), ("whsec_", "empty"), ("whsec_***", "base64")] {
            let error = key(secret).unwrap_err().to_string();
            assert!(error.contains(part), "{error}");
        }
        let shown = format!("{:?}", key("hunter2hunter2hunter2hunter2hunter2").unwrap());
        assert!(!shown.contains("hunter2"), "{shown}");
    }
}
