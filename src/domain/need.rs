//! What skills need of the world outside, and whether the operator lets them have it.

use std::path::PathBuf;

use url::Url;

use super::{reach::Reach, text::bounded};

/// What the settings of a skill need.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Need {
    /// To reach the host of this URL.
    Host(Url),
    /// To start this program.
    Program(PathBuf),
}

/// What skills may have, `[outbound]`.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Outside {
    /// Whom they may reach.
    pub reach: Reach,
    /// What they may start, by absolute path.
    pub programs: Vec<PathBuf>,
}

impl Outside {
    /// Whether a need is met, as far as that can be said without looking up names and files.
    ///
    /// # Errors
    /// What the operator would have to allow.
    pub fn check(&self, need: &Need) -> Result<(), String> {
        match need {
            Need::Host(url) => self.reach.check(url),
            Need::Program(program) if self.programs.contains(program) => Ok(()),
            Need::Program(program) => Err(format!(
                "`{}` may not be started; list it in `allow_commands` of `[outbound]`",
                bounded(&program.to_string_lossy(), 200)
            )),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_program_is_started_only_if_it_is_listed_as_it_is_written() {
        let outside = Outside {
            programs: vec!["/usr/bin/date".into()],
            ..Outside::default()
        };
        for (program, met) in [
            ("/usr/bin/date", true),
            ("/usr/bin/../bin/date", false),
            ("/usr/bin/dat", false),
            ("date", false),
        ] {
            let result = outside.check(&Need::Program(program.into()));
            assert_eq!(result.is_ok(), met, "{program}: {result:?}");
        }
    }

    #[test]
    fn an_internal_address_in_a_url_is_told_before_any_run() {
        let need = |url: &str| Need::Host(url.parse().unwrap());
        let outside = Outside::default();
        assert!(outside.check(&need("https://example.org/")).is_ok());
        let error = outside.check(&need("http://10.0.0.1/hook")).unwrap_err();
        assert!(error.contains("allow_hosts"), "{error}");
    }
}
