//! `[[auth.algorithm_keys]]`: each key with its one algorithm. Files are read here, so that a broken one is found when
//! the configuration is, and what was found is what is used.

mod jwks;
mod numbers;
mod pem;
pub(super) mod secret;

use std::{collections::HashSet, fs::File, io::Read, path::Path};

pub use self::numbers::KeyNumbers;
use self::secret::secret;
use super::{
    item::Item,
    settings::{Algorithm, KeyMaterial, KeySettings, PublicKey},
    source::cannot_read,
    table::Table,
};

const ALGORITHMS: [(&str, Algorithm); 12] = [
    ("HS256", Algorithm::HS256),
    ("HS384", Algorithm::HS384),
    ("HS512", Algorithm::HS512),
    ("RS256", Algorithm::RS256),
    ("RS384", Algorithm::RS384),
    ("RS512", Algorithm::RS512),
    ("PS256", Algorithm::PS256),
    ("PS384", Algorithm::PS384),
    ("PS512", Algorithm::PS512),
    ("ES256", Algorithm::ES256),
    ("ES384", Algorithm::ES384),
    ("EdDSA", Algorithm::EdDSA),
];

/// The largest file of keys.
const LARGEST: u64 = 1 << 20;

/// Every key, or none where something is wrong with it.
pub(super) fn read(table: &Table<'_>) -> Vec<KeySettings> {
    let mut kids = HashSet::new();
    let items = table.get("algorithm_keys").and_then(|item| item.array());
    let tables = items.iter().flatten().filter_map(Item::table);
    tables.filter_map(|table| key(&table, &mut kids)).collect()
}

/// The kids that were seen; `None` is a key without one.
type Kids = HashSet<Option<String>>;

fn key(table: &Table<'_>, kids: &mut Kids) -> Option<KeySettings> {
    let kid = table.string("kid").filter(|kid| !kid.is_empty());
    let algorithm = table.need(
        "algorithm",
        "one of HS256, RS256, PS256, ES256, EdDSA and so on",
    );
    let algorithm = algorithm.and_then(|item| item.choice(&ALGORITHMS));
    let material = material(table, algorithm.unwrap_or(Algorithm::HS256));
    table.finish();
    if table.get("jwks_file").is_none() {
        unique(table, kids, kid.clone());
    }
    let (algorithm, material) = (algorithm?, material?);
    if algorithm.is_hmac() != matches!(material, KeyMaterial::Secret(_)) {
        table.problem_at("algorithm", fitting(algorithm).into());
        return None;
    }
    let public = public(table, (kid.as_deref(), algorithm), &material, kids)?;
    Some(KeySettings {
        kid,
        algorithm,
        material,
        public,
    })
}

fn unique(table: &Table<'_>, kids: &mut Kids, kid: Option<String>) {
    let what = kid.clone().unwrap_or_else(|| "none".into());
    if !kids.insert(kid) {
        let message = format!("another key has this `kid` ({what}); give each its own");
        table.problem_at("kid", message);
    }
}

fn fitting(algorithm: Algorithm) -> &'static str {
    match algorithm.is_hmac() {
        true => "an HS algorithm takes a `secret`, not a file of public keys",
        false => "this algorithm takes `pem_file` or `jwks_file`, not a `secret`",
    }
}

fn material(table: &Table<'_>, algorithm: Algorithm) -> Option<KeyMaterial> {
    let secret_item = table.get("secret");
    let (pem, jwks) = (table.get("pem_file"), table.get("jwks_file"));
    match (secret_item, pem, jwks) {
        (Some(item), None, None) => secret(&item, algorithm).map(KeyMaterial::Secret),
        (None, Some(item), None) => item.string().map(|text| KeyMaterial::PemFile(text.into())),
        (None, None, Some(item)) => item.string().map(|text| KeyMaterial::JwksFile(text.into())),
        _ => {
            let message = "give exactly one of `secret`, `pem_file` and `jwks_file`";
            table.problem_at("", message.into());
            None
        }
    }
}

/// What the file holds, unless something is wrong with it.
fn public(
    table: &Table<'_>,
    (kid, algorithm): (Option<&str>, Algorithm),
    material: &KeyMaterial,
    kids: &mut Kids,
) -> Option<Vec<PublicKey>> {
    match material {
        KeyMaterial::Secret(_) => Some(Vec::new()),
        KeyMaterial::PemFile(path) => {
            let read = |text: &str| {
                let numbers = pem::read(text)?;
                numbers.fits(algorithm).map(|()| numbers)
            };
            let numbers = from_file(table, "pem_file", path, read)?;
            let kid = kid.map(str::to_owned);
            Some(vec![PublicKey { kid, numbers }])
        }
        KeyMaterial::JwksFile(path) => {
            if kid.is_some() {
                let message = "each key of a set has its own `kid`; leave this one out";
                table.problem_at("kid", message.into());
            }
            let read = |text: &str| jwks::read(text, algorithm);
            let keys = from_file(table, "jwks_file", path, read)?;
            let each = keys.iter().map(|key| key.kid.clone());
            each.for_each(|kid| unique(table, kids, kid));
            Some(keys)
        }
    }
}

/// Reads a file of keys; what is wrong with it is a problem of `key`.
fn from_file<T>(
    table: &Table<'_>,
    key: &'static str,
    path: &Path,
    read: impl FnOnce(&str) -> Result<T, String>,
) -> Option<T> {
    let found = text_of(path)
        .and_then(|text| read(&text).map_err(|message| format!("`{}` {message}", path.display())));
    let problem = |message| table.problem_at(key, message);
    found.map_err(problem).ok()
}

fn text_of(path: &Path) -> Result<String, String> {
    let shown = path.display();
    if path.is_dir() {
        return Err(format!("`{shown}` is a directory; name a file"));
    }
    let mut bytes = Vec::new();
    let read = File::open(path).and_then(|file| file.take(LARGEST + 1).read_to_end(&mut bytes));
    match read {
        Err(error) => Err(cannot_read(path, &error)),
        Ok(n) if n as u64 > LARGEST => Err(format!("`{shown}` is larger than 1 MiB; divide it")),
        Ok(_) => String::from_utf8(bytes).map_err(|_| format!("`{shown}` is no text file")),
    }
}
