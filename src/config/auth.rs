//! `[auth]`: keys of tokens and of events. No default secret exists, and weak ones are refused.

use secrecy::ExposeSecret;

use super::{
    keys::{
        self,
        secret::{secret, strong},
    },
    problem::Report,
    sections::TEN_YEARS,
    settings::{Algorithm, AuthSettings, KeyMaterial, KeySettings},
    table::Table,
    variables::{Variables, in_environment},
};

/// `[auth]`, without what the environment adds.
pub(super) fn auth(table: &Table<'_>) -> AuthSettings {
    let default = AuthSettings::default();
    let text = |key| table.string(key).filter(|text| !text.is_empty());
    AuthSettings {
        public_reads: table
            .boolean("public_reads")
            .unwrap_or(default.public_reads),
        keys: keys::read(table),
        issuer: text("issuer"),
        audience: text("audience"),
        max_lifetime: table
            .seconds("max_lifetime_seconds", 1..=TEN_YEARS)
            .unwrap_or(default.max_lifetime),
        leeway: table
            .seconds("leeway_seconds", 0..=3_600)
            .unwrap_or(default.leeway),
        events_secret: table
            .get("events_secret")
            .and_then(|item| secret(&item, Algorithm::HS256)),
    }
}

/// Adds `API_JWT_SECRET`.
pub(super) fn add_environment(auth: &mut AuthSettings, variables: &Variables<'_>, report: &Report) {
    let name = "API_JWT_SECRET";
    let Some(secret) = variables.secret(name, report) else {
        return;
    };
    match strong(secret.expose_secret(), Algorithm::HS256) {
        Err(message) => report.problem(in_environment(name, message)),
        Ok(()) => auth.keys.push(KeySettings {
            kid: None,
            algorithm: Algorithm::HS256,
            material: KeyMaterial::Secret(secret),
            public: Vec::new(),
        }),
    }
}
