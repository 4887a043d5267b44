//! `token`: signs a bearer token with a configured HMAC key and prints it, and nothing else.

use std::process::ExitCode;

use clap::Args;

use super::{Options, WRONG, answer, complain, configuration};
use crate::app::{self, NewToken, Role};

/// What the token says.
#[derive(Debug, Args)]
pub(super) struct Wish {
    /// What it allows: readonly, operator or admin
    #[arg(long, value_name = "ROLE")]
    role: Role,
    /// Who it is for; stands in the audit table
    #[arg(long, value_name = "WHO")]
    subject: String,
    /// How long it is good: a number with s, m, h or d, such as 8h
    #[arg(long, value_name = "TIME", value_parser = seconds)]
    ttl: i64,
    /// The key to sign with, if several are configured
    #[arg(long, value_name = "KID")]
    kid: Option<String>,
}

pub(super) fn token(options: &Options, wish: Wish) -> ExitCode {
    let auth = match configuration::read(options) {
        Ok(loaded) => loaded.settings.auth,
        Err(code) => return code,
    };
    let new = NewToken {
        subject: wish.subject,
        role: wish.role,
        ttl: wish.ttl,
        kid: wish.kid,
    };
    match app::token(&auth, &new) {
        Ok(token) => {
            answer((token + "\n").as_bytes());
            ExitCode::SUCCESS
        }
        Err(error) => {
            complain(&error);
            ExitCode::from(WRONG)
        }
    }
}

/// `90s`, `15m`, `8h`, `7d`. A number alone is refused: whether it is seconds or hours, everybody guesses differently.
fn seconds(text: &str) -> Result<i64, String> {
    let wrong = || "use a number with a unit: 90s, 15m, 8h or 7d".to_owned();
    let unit = text.chars().last().ok_or_else(wrong)?;
    let seconds = match unit {
        's' => 1,
        'm' => 60,
        'h' => 3_600,
        'd' => 86_400,
        _ => return Err(wrong()),
    };
    let digits = text.strip_suffix(unit).unwrap_or_default();
    let plain = digits.chars().all(|c| c.is_ascii_digit());
    let number: i64 = digits.parse().ok().filter(|_| plain).ok_or_else(wrong)?;
    let total = number.checked_mul(seconds).ok_or_else(wrong)?;
    match total {
        0 => Err("must be longer than nothing".into()),
        total => Ok(total),
    }
}

#[cfg(test)]
mod tests {
    use super::seconds;

    #[test]
    fn a_time_needs_its_unit() {
        for (text, expected) in [("90s", 90), ("15m", 900), ("8h", 28_800), ("7d", 604_800)] {
            assert_eq!(seconds(text), Ok(expected));
        }
        for wrong in [
            "",
            "h",
            "8",
            "8 h",
            "-8h",
            "+8h",
            "0h",
            "1.5h",
            "8w",
            "9223372036854775807d",
            "8é",
        ] {
            assert!(seconds(wrong).is_err(), "{wrong}");
        }
    }
}
