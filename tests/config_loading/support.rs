//! A catalogue of three skills, a fixed present, an environment made of a list, and files in a fresh folder.

use std::{collections::HashMap, ffi::OsString, path::Path};

use actor_server::{
    config::{LoadInput, Loaded, Problems, SkillCatalogue, load, nearest},
    domain::Instant,
};
use serde_json::{Map, Value};
use tempfile::TempDir;

/// The present of all tests.
pub(crate) fn now() -> Instant {
    "2026-06-15T10:30:00.5Z".parse().unwrap()
}

/// `content_formatter` wants a template and knows `embed.color`; the others want nothing.
pub(crate) struct Skills;

impl SkillCatalogue for Skills {
    fn names(&self) -> Vec<String> {
        ["content_formatter", "content_posting", "duplicate_check"]
            .map(String::from)
            .into()
    }

    fn check(&self, skill: &str, settings: &Map<String, Value>) -> Vec<(String, String)> {
        if skill != "content_formatter" {
            return Vec::new();
        }
        let template = settings
            .get("template")
            .map(|template| template.as_str().unwrap_or_default());
        let template = match template {
            None => Some("is missing; give a template"),
            Some(text) if text.contains("{{") && !text.contains("}}") => Some("unclosed `{{`"),
            Some(_) => None,
        };
        let mut found: Vec<(String, String)> = template
            .map(|message| ("template".into(), message.into()))
            .into_iter()
            .collect();
        let embed = settings.get("embed").and_then(Value::as_object);
        for key in embed.into_iter().flatten().map(|(key, _)| key) {
            if let Some(near) = nearest(key, ["color"]).filter(|near| near != key) {
                found.push((format!("embed.{key}"), format!("did you mean `{near}`?")));
            }
        }
        found
    }

    fn platforms(&self) -> Vec<String> {
        vec!["matrix".into()]
    }
}

/// Loads a file with nothing in the environment.
pub(crate) fn load_file(file: &Path) -> Result<Loaded, Problems> {
    load_with(file, &[])
}

/// Loads a file with these environment variables.
pub(crate) fn load_with(file: &Path, environment: &[(&str, &str)]) -> Result<Loaded, Problems> {
    load_with_flags(file, environment, None, None)
}

/// Loads a file with these environment variables and flags.
pub(crate) fn load_with_flags(
    file: &Path,
    environment: &[(&str, &str)],
    database_url: Option<&str>,
    discord_token: Option<&str>,
) -> Result<Loaded, Problems> {
    let variables: HashMap<&str, &str> = environment.iter().copied().collect();
    load(LoadInput {
        file: file.into(),
        database_url: database_url.map(Into::into),
        discord_token: discord_token.map(Into::into),
        environment: &|name| variables.get(name).map(OsString::from),
        skills: &Skills,
        now: now(),
    })
}

/// A folder with a good bot file `bot.toml` and a server file `server.toml` of this text.
pub(crate) fn folder(server: &str) -> TempDir {
    let folder = tempfile::tempdir().unwrap();
    write(&folder, "bot.toml", GOOD_BOT);
    write(&folder, "server.toml", server);
    folder
}

/// Writes a file into a folder.
pub(crate) fn write(folder: &TempDir, name: &str, text: impl AsRef<[u8]>) {
    std::fs::write(folder.path().join(name), text).unwrap();
}

/// Loads `server.toml` of a folder.
pub(crate) fn load_in(folder: &TempDir, environment: &[(&str, &str)]) -> Result<Loaded, Problems> {
    load_with(&folder.path().join("server.toml"), environment)
}

/// Loads a text as the server file.
pub(crate) fn load_text(server: &str) -> Result<Loaded, Problems> {
    load_in(&folder(server), &[])
}

/// A bot that is good as it is.
pub(crate) const GOOD_BOT: &str = r#"
[actor]
name = "Good"
skills = ["content_formatter", "content_posting"]
[skills.content_formatter]
template = "good"
"#;

/// An entry for [`GOOD_BOT`], to which keys of the entry can be added at the front.
pub(crate) fn entry(name: &str, keys: &str) -> String {
    format!(
        "[[actors]]\nname = \"{name}\"\nconfig_file = \"bot.toml\"\n{keys}\n\
         [actors.schedule]\ntype = \"Interval\"\nseconds = 60\n"
    )
}
