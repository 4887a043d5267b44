//! The token, from the environment: an argument would be seen by everybody who lists processes.

use std::env;

use secrecy::SecretString;

use super::Failure;

const TOKEN: &str = "ACTOR_SERVER_TOKEN";
const FILE: &str = "ACTOR_SERVER_TOKEN_FILE";

/// `ACTOR_SERVER_TOKEN`, or what is in the file that `ACTOR_SERVER_TOKEN_FILE` names; set to nothing counts as unset.
pub(super) fn from_environment() -> Result<Option<SecretString>, Failure> {
    match (variable(TOKEN)?, variable(FILE)?) {
        (Some(_), Some(_)) => Err(Failure::Usage(format!(
            "both {TOKEN} and {FILE} are set; set one of the two"
        ))),
        (Some(token), None) => Ok(Some(token.into())),
        (None, Some(file)) => read(&file).map(Some),
        (None, None) => Ok(None),
    }
}

fn variable(name: &str) -> Result<Option<String>, Failure> {
    let Some(value) = env::var_os(name).filter(|value| !value.is_empty()) else {
        return Ok(None);
    };
    let no_text = |_| Failure::Usage(format!("{name} is no UTF-8 text"));
    value.into_string().map(Some).map_err(no_text)
}

fn read(file: &str) -> Result<SecretString, Failure> {
    match std::fs::read_to_string(file) {
        Ok(text) => Ok(text.trim().into()),
        Err(error) => Err(Failure::Usage(format!(
            "{FILE}: cannot read {file}: {error}"
        ))),
    }
}
