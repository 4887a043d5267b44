//! `${NAME}` and `${NAME:-default}` inside strings of a file, and what the environment says by itself.
//!
//! Strings are replaced after parsing, so a value cannot become syntax. A variable that is set to nothing counts as unset.

use std::{cell::RefCell, collections::BTreeMap, ffi::OsString, fs, path::Path};

use secrecy::SecretString;

use super::{
    problem::{Place, Problem, Report},
    source::cannot_read,
};

/// Shorter values are not hidden in messages: they are no secrets, and words would be full of holes.
const HIDDEN_FROM: usize = 4;

/// Looks up environment variables; [`std::env::var_os`] outside tests.
pub type Lookup<'a> = &'a dyn Fn(&str) -> Option<OsString>;

/// The environment, and which of its values went into strings.
pub(super) struct Variables<'a> {
    lookup: Lookup<'a>,
    used: RefCell<BTreeMap<String, String>>,
}

impl<'a> Variables<'a> {
    pub(super) fn new(lookup: Lookup<'a>) -> Self {
        Self {
            lookup,
            used: RefCell::default(),
        }
    }

    /// The value of a variable; `None` when it is unset or empty.
    pub(super) fn get(&self, name: &str) -> Result<Option<String>, String> {
        match (self.lookup)(name).filter(|value| !value.is_empty()) {
            None => Ok(None),
            Some(value) => match value.into_string() {
                Ok(value) => Ok(Some(value)),
                Err(_) => Err(format!(
                    "the environment variable `{name}` is no UTF-8 text"
                )),
            },
        }
    }

    /// Replaces the variables in a string of a file.
    pub(super) fn replace(&self, text: &str) -> Result<String, String> {
        let (mut out, mut rest) = (String::with_capacity(text.len()), text);
        while let Some((before, behind)) = rest.split_once("${") {
            if let Some(before) = before.strip_suffix('$') {
                out.push_str(before);
                out.push_str("${");
                rest = behind;
                continue;
            }
            let (inside, behind) = behind.split_once('}').ok_or_else(malformed)?;
            out.push_str(before);
            out.push_str(&self.value_of(inside)?);
            rest = behind;
        }
        out.push_str(rest);
        Ok(out)
    }

    fn value_of(&self, inside: &str) -> Result<String, String> {
        let (name, default) = match inside.split_once(":-") {
            Some((name, default)) => (name, Some(default)),
            None => (inside, None),
        };
        if !is_name(name) {
            return Err(malformed());
        }
        match (self.get(name)?, default) {
            (Some(value), _) => {
                self.used.borrow_mut().insert(name.into(), value.clone());
                Ok(value)
            }
            (None, Some(default)) => Ok(default.into()),
            (None, None) => Err(format!(
                "the environment variable `{name}` is not set; set it, or write `${{{name}:-default}}`"
            )),
        }
    }

    /// Shows values that came from variables as the variables.
    pub(super) fn hide(&self, message: String) -> String {
        let used = self.used.borrow();
        let long = used.iter().filter(|(_, value)| value.len() >= HIDDEN_FROM);
        long.fold(message, |text, (name, value)| {
            text.replace(value, &format!("${{{name}}}"))
        })
    }

    /// The secret `NAME`, itself or from the file that `NAME_FILE` names.
    pub(super) fn secret(&self, name: &str, report: &Report) -> Option<SecretString> {
        let read = self.get(name).and_then(|value| {
            let file = self.get(&format!("{name}_FILE"))?;
            match (value, file) {
                (Some(_), Some(_)) => Err(format!("`{name}_FILE` is set too; set one of the two")),
                (Some(value), None) => Ok(Some(value)),
                (None, Some(file)) => read_secret(Path::new(&file)).map(Some),
                (None, None) => Ok(None),
            }
        });
        read.unwrap_or_else(|message| {
            report.problem(in_environment(name, message));
            None
        })
        .filter(|value| !value.is_empty())
        .map(SecretString::from)
    }

    /// A switch such as `ENABLE_API`: on unless it says otherwise.
    pub(super) fn switch(&self, name: &str, report: &Report) -> bool {
        let value = self.get(name).unwrap_or_else(|message| {
            report.problem(in_environment(name, message));
            None
        });
        match value.map(|value| value.to_ascii_lowercase()).as_deref() {
            None | Some("1" | "true" | "yes" | "on") => true,
            Some("0" | "false" | "no" | "off") => false,
            Some(other) => {
                let message = format!("`{other}` is no switch; use `1`, `true`, `0` or `false`");
                report.problem(in_environment(name, message));
                true
            }
        }
    }
}

/// A problem of an environment variable.
pub(super) fn in_environment(name: &str, message: impl Into<String>) -> Problem {
    Problem {
        place: Place::Environment,
        key: name.into(),
        message: message.into(),
    }
}

fn is_name(name: &str) -> bool {
    let letter = |c: char| c.is_ascii_alphabetic() || c == '_';
    name.starts_with(letter) && name.chars().all(|c| letter(c) || c.is_ascii_digit())
}

/// Says nothing of the text itself, which may be a secret.
fn malformed() -> String {
    "`${` begins a variable, but none follows; use `${NAME}` or `${NAME:-default}`, and `$${` for `${` itself".into()
}

fn read_secret(file: &Path) -> Result<String, String> {
    let mut text = fs::read_to_string(file).map_err(|error| cannot_read(file, &error))?;
    if text.ends_with('\n') {
        text.truncate(text.len() - 1);
    }
    if text.ends_with('\r') {
        text.truncate(text.len() - 1);
    }
    if text.is_empty() {
        return Err(format!(
            "`{}` is empty; put the secret in it",
            file.display()
        ));
    }
    Ok(text)
}
