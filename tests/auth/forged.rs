//! Hundreds of forgeries. Each one is refused with 401, and its refusal says nothing of the keys.

use actor_server::http::{
    auth::{Algorithm, Key, Keys, Material, Refusal},
    error::Problem,
};
use jsonwebtoken::EncodingKey;
use serde_json::json;

use super::{
    forgeries::all,
    stand::{SECRET, claims, judged, only_secret, secret, signed, token, with_keys},
};

pub(crate) const PUBLIC_PEM: &str = include_str!("keys/rsa.pem");

#[test]
fn hundreds_of_forged_tokens_are_all_refused_with_401() {
    let keys = only_secret();
    let all = all();
    assert!(all.len() >= 200, "{} forgeries", all.len());
    for (name, token, _) in &all {
        let refusal = judged(&keys, token).expect_err(name);
        assert_eq!(Problem::from(refusal).status, 401, "{name}");
    }
}

#[test]
fn what_is_not_signed_by_a_key_of_ours_learns_nothing() {
    let keys = only_secret();
    for (name, token, _) in all().iter().filter(|(_, _, signed)| !signed) {
        let refusal = judged(&keys, token).expect_err(name);
        let silent = matches!(
            refusal,
            Refusal::Untrusted | Refusal::TooLong | Refusal::NoBearer
        );
        assert!(silent, "{name}: {refusal}");
    }
}

#[test]
fn the_token_that_all_of_them_are_made_from_is_good() {
    assert!(judged(&only_secret(), &token(&claims())).is_ok());
}

fn public_key() -> Keys {
    let rsa = super::keys::from_files("RS256", "pem_file", "rsa.pem");
    assert!(matches!(rsa.keys[0].material, Material::Rsa { .. }));
    rsa
}

#[test]
fn a_public_key_is_no_secret() {
    let keys = public_key();
    let payload = claims().to_string();
    let Material::Rsa { modulus, exponent } = &keys.keys[0].material else {
        panic!("an RSA key");
    };
    let whole = PUBLIC_PEM.as_bytes();
    for secret in [
        whole,
        PUBLIC_PEM.trim().as_bytes(),
        modulus,
        &[modulus.clone(), exponent.clone()].concat(),
    ] {
        for algorithm in [Algorithm::HS256, Algorithm::HS384, Algorithm::HS512] {
            let key = EncodingKey::from_secret(secret);
            for said in ["HS256", "HS384", "HS512", "RS256"] {
                let header = format!(r#"{{"alg":"{said}"}}"#);
                let token = signed(&header, &payload, (algorithm, &key));
                assert_eq!(judged(&keys, &token), Err(Refusal::Untrusted), "{said}");
            }
        }
    }
}

#[test]
fn a_key_of_another_algorithm_does_not_help() {
    let both: Vec<Key> = [
        vec![secret(Some("hmac"), Algorithm::HS512, &SECRET.repeat(2))],
        public_key().keys,
    ]
    .concat();
    let keys = with_keys(both);
    let key = EncodingKey::from_secret(SECRET.repeat(2).as_bytes());
    for (alg, kid) in [
        ("HS256", "hmac"),
        ("RS256", "hmac"),
        ("HS512", "rsa"),
        ("HS512", "HMAC"),
    ] {
        let header = json!({"alg": alg, "kid": kid}).to_string();
        let token = signed(&header, &claims().to_string(), (Algorithm::HS512, &key));
        assert_eq!(
            judged(&keys, &token),
            Err(Refusal::Untrusted),
            "{alg} {kid}"
        );
    }
    let header = json!({"alg": "HS512", "kid": "hmac"}).to_string();
    let good = signed(&header, &claims().to_string(), (Algorithm::HS512, &key));
    assert!(judged(&keys, &good).is_ok());
}
