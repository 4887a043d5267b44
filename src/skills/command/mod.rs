//! Starts a program of the operator's, and takes its word for what to post.
//!
//! Only programs that `[outbound] allow_commands` lists are started, without a shell, with nothing of the server's environment,
//! and with no way to outlive the run: their whole process group is ended with it.

mod answer;
mod process;

use std::{
    path::{Path, PathBuf},
    sync::Arc,
    time::Duration,
};

use async_trait::async_trait;
use serde_json::{Map, Value};

use self::process::{Ended, Order};
use super::{
    RunContext, SettingProblem, Skill, SkillError, Verdict,
    content_formatter::template::Variables,
    outside::whole,
    settings::{Reader, table, text, texts, wanted},
};
use crate::domain::need::Need;

/// `command`.
///
/// | setting | default | |
/// |---|---|---|
/// | `program` | – | an absolute path that `[outbound] allow_commands` lists |
/// | `args` | `[]` | texts, handed over as they are |
/// | `env` | `{}` | a table of texts, beside `PATH`, `LANG`, `TZ` and `HOME` |
/// | `timeout_seconds` | 60 | 1 to 3600; then the program and all that it started are killed |
///
/// It reads one JSON object from its standard input (`bot`, `slot`, `now`, `attempt`, `execution`, `event`, `content`,
/// `results`) and may write JSON, at most 1 MiB, to its standard output, which is the result. An object with `content` sets the
/// run's content, one with `skip` says why there is nothing to post. It ends with 0; with 75 if trying again may help.
#[derive(Debug, Default)]
pub struct Command {
    allowed: Arc<[PathBuf]>,
}

const KEYS: [&str; 4] = ["program", "args", "env", "timeout_seconds"];

struct Settings<'a> {
    program: Option<&'a Path>,
    args: Vec<&'a str>,
    env: Vec<(&'a str, &'a str)>,
    time: Duration,
}

impl<'a> Settings<'a> {
    fn read(reader: &mut Reader<'a>) -> Self {
        let seconds = reader.value("timeout_seconds", |value| whole(value, 1..=3600));
        Self {
            program: reader.value("program", program),
            args: reader.value("args", args).unwrap_or_default(),
            env: reader.value("env", env).unwrap_or_default(),
            time: Duration::from_secs(seconds.unwrap_or(60)),
        }
    }
}

impl Command {
    /// The name in bot files.
    pub const NAME: &str = "command";

    /// One that may start these programs.
    #[must_use]
    pub fn new(allowed: Arc<[PathBuf]>) -> Self {
        Self { allowed }
    }

    /// The file behind the path, if it is the file behind one of the allowed paths.
    fn allowed(&self, program: &Path) -> Result<PathBuf, SkillError> {
        let shown = program.display();
        let file = program.canonicalize().map_err(|error| {
            SkillError::unrecoverable(format!("`{shown}` cannot be found: {error}"))
        })?;
        let mut allowed = self
            .allowed
            .iter()
            .filter_map(|path| path.canonicalize().ok());
        match allowed.any(|allowed| allowed == file) {
            true => Ok(file),
            false => Err(SkillError::unrecoverable(format!(
                "`{shown}` may not be started: it is not in `allow_commands` of `[outbound]`"
            ))),
        }
    }
}

#[async_trait]
impl Skill for Command {
    fn name(&self) -> &str {
        Self::NAME
    }

    fn check(&self, settings: &Map<String, Value>) -> Vec<SettingProblem> {
        let mut reader = Reader::new(settings, "").only(&KEYS);
        Settings::read(&mut reader);
        if !settings.contains_key("program") {
            reader.add(vec![SettingProblem {
                key: "program".into(),
                message: "is missing; give the absolute path of a program".into(),
            }]);
        }
        reader.problems()
    }

    fn needs(&self, settings: &Map<String, Value>) -> Vec<(String, Need)> {
        let read = Settings::read(&mut Reader::new(settings, ""));
        let program = read.program.into_iter();
        let needs = program.map(|path| ("program".to_owned(), Need::Program(path.to_owned())));
        needs.collect()
    }

    async fn run(
        &self,
        run: &mut RunContext<'_>,
        settings: &Map<String, Value>,
    ) -> Result<Verdict, SkillError> {
        let read = Settings::read(&mut Reader::new(settings, ""));
        let Some(program) = read.program else {
            return Err(SkillError::unrecoverable("no `program` is named"));
        };
        let variables = Variables::of(run).map_err(SkillError::unrecoverable)?;
        let order = Order {
            file: self.allowed(program)?,
            name: program,
            args: &read.args,
            env: &read.env,
            input: variables.into_json().to_string().into_bytes(),
            time: read.time,
        };
        let Ended {
            code,
            output,
            words,
        } = process::run(order).await?;
        answer::judge(code, &words)?;
        let answer = answer::read(&output).map_err(SkillError::unrecoverable)?;
        answer::hand_over(answer, run)
    }
}

fn program(value: &Value) -> Result<&Path, String> {
    let path = Path::new(text(value)?);
    match path.is_absolute() && without_nul(text(value)?) {
        true => Ok(path),
        false => Err(wanted("an absolute path", value)),
    }
}

/// The values may be secrets, and are not repeated in problems.
fn args(value: &Value) -> Result<Vec<&str>, String> {
    let args = texts(value).map_err(|_| "must be a list of texts")?;
    match args.iter().all(|arg| without_nul(arg)) {
        true => Ok(args),
        false => Err("has a NUL character in it".into()),
    }
}

fn env(value: &Value) -> Result<Vec<(&str, &str)>, String> {
    let fields = table(value).map_err(|_| "must be a table of texts")?;
    let mut variables = Vec::new();
    for (name, value) in fields {
        let good = !name.is_empty() && !name.contains('=') && without_nul(name);
        let value = value.as_str().filter(|value| good && without_nul(value));
        let shown = crate::domain::text::bounded(name, 64);
        let value = value.ok_or_else(|| format!("`{shown}` must be a name with a text"))?;
        variables.push((name.as_str(), value));
    }
    Ok(variables)
}

fn without_nul(text: &str) -> bool {
    !text.contains('\0')
}
