//! `command`: what programs are given, what they may say, and that nothing of them is left.

use std::{path::PathBuf, time::Duration};

use actor_server::{
    domain::content::ItemUse,
    skills::{Skill, SkillError, Verdict, command::Command},
};
use serde_json::{Value, json};
use tokio::time::{Instant, sleep, timeout};

use crate::{
    PATIENCE,
    run::{Desk, bot, run as run_of, settings},
};

struct Ran {
    verdict: Result<Verdict, SkillError>,
    result: Value,
    content: Value,
    has_item: bool,
    nothing_to_post: Option<String>,
}

fn shell(script: &str) -> Value {
    json!({ "program": "/bin/sh", "args": ["-c", script], "timeout_seconds": 10 })
}

async fn start(given: Value) -> Ran {
    let (bot, desk) = (bot(), Desk::default());
    let mut run = run_of(&bot, &desk, json!({ "body": "before" }));
    run.event = json!({ "long": "x".repeat(100_000) });
    run.item = Some(ItemUse {
        id: 1,
        text: String::new(),
    });
    let skill = Command::new([PathBuf::from("/bin/sh")].into());
    let verdict = skill.run(&mut run, &settings(given)).await;
    Ran {
        verdict,
        result: run.results.get("command").cloned().unwrap_or_default(),
        has_item: run.item.is_some(),
        content: run.content,
        nothing_to_post: run.nothing_to_post,
    }
}

async fn failure(given: Value) -> SkillError {
    let ran = start(given).await;
    assert_eq!(
        (&ran.content["body"], ran.has_item),
        (&json!("before"), true)
    );
    ran.verdict.unwrap_err()
}

/// Blocks until no process has this word among its arguments.
async fn wait_until_gone(word: &str) {
    let until = Instant::now() + PATIENCE;
    while running(word) {
        assert!(
            Instant::now() < until,
            "a process with `{word}` is still there"
        );
        sleep(Duration::from_millis(10)).await;
    }
}

fn running(word: &str) -> bool {
    let processes = std::fs::read_dir("/proc").unwrap().flatten();
    let mut lines = processes.filter_map(|entry| std::fs::read(entry.path().join("cmdline")).ok());
    lines.any(|line| String::from_utf8_lossy(&line).contains(word))
}

#[tokio::test]
async fn a_program_is_told_of_the_run_and_says_what_to_post() {
    let ran = start(shell("cat")).await;
    assert_eq!(ran.verdict.unwrap(), Verdict::Done);
    let told = ran.result;
    assert_eq!(
        (&told["bot"]["name"], &told["attempt"]),
        (&json!("herald"), &json!(2))
    );
    assert_eq!(
        (&told["slot"], &told["execution"]),
        (&json!("2026-03-04T09:00:00.000Z"), &json!(7))
    );
    assert_eq!(
        (
            &told["content"]["body"],
            told["event"]["long"].as_str().unwrap().len()
        ),
        (&json!("before"), 100_000)
    );
    assert!(ran.has_item, "the content is the one that it was");
    let ran = start(shell(
        r#"echo '{"content": {"body": "new", "tags": []}, "more": 1}'"#,
    ))
    .await;
    assert_eq!(
        (&ran.content, ran.has_item),
        (&json!({ "body": "new", "tags": [] }), false)
    );
    assert_eq!(ran.result["more"], 1);
    let ran = start(shell(r#"echo '{"content": "words"}'"#)).await;
    assert_eq!(ran.content, json!({ "body": "words" }));
}

#[tokio::test]
async fn a_program_can_say_that_there_is_nothing_to_post() {
    let ran = start(shell(r#"echo '{"skip": "too quiet"}'"#)).await;
    assert_eq!(
        ran.verdict.unwrap(),
        Verdict::NothingToDo("too quiet".into())
    );
    assert_eq!(ran.nothing_to_post.as_deref(), Some("too quiet"));
    let ran = start(shell("true")).await;
    assert_eq!(
        (ran.verdict.unwrap(), ran.result),
        (Verdict::Done, Value::Null)
    );
}

#[tokio::test]
async fn nothing_of_the_servers_environment_is_handed_on() {
    let mut given = shell("printf '%s' \"$(env | sort | tr '\\n' ';')\" | sed 's/.*/\"&\"/'");
    given["env"] = json!({ "KEY": "value" });
    let ran = start(given).await;
    ran.verdict.unwrap();
    let names: Vec<&str> = ran
        .result
        .as_str()
        .unwrap()
        .split(';')
        .filter_map(|line| line.split('=').next())
        .collect();
    let names: Vec<&str> = names
        .into_iter()
        .filter(|name| !["", "_", "SHLVL", "OLDPWD"].contains(name))
        .collect();
    assert_eq!(names, ["HOME", "KEY", "LANG", "PATH", "PWD", "TZ"]);
    assert!(
        ran.result.as_str().unwrap().contains("PWD=/;"),
        "{}",
        ran.result
    );
}

#[tokio::test]
async fn arguments_are_no_shell_words() {
    let given = json!({ "program": "/bin/sh", "args": ["-c", "printf '\"%s\"' \"$1\"", "x", "$(id); {{ bot }} *"] });
    assert_eq!(start(given).await.result, json!("$(id); {{ bot }} *"));
}

#[tokio::test]
async fn a_failed_program_is_quoted_with_its_last_words() {
    for (script, words, recoverable) in [
        (
            "echo first >&2; printf 'last \\033[31m\\n\\n' >&2; exit 3",
            "ended with 3: last  [31m",
            false,
        ),
        ("exit 75", "ended with 75, to be tried again", true),
        ("kill -9 $$", "ended by signal 9", false),
        (
            "yes error | head -c 99996 >&2; exit 1",
            "ended with 1: error",
            false,
        ),
        ("echo nonsense", "is no JSON", false),
        (
            "echo '{\"content\": 5}'",
            "neither a text nor an object",
            false,
        ),
        (
            "echo '{\"content\": {\"text\": \"\"}}'",
            "neither a text nor an object",
            false,
        ),
        ("printf '\"\\\\u0000\"'", "NUL", false),
        (
            "head -c 100000 /dev/zero | tr '\\0' '['",
            "is no JSON",
            false,
        ),
        ("yes", "more than 1048576 bytes", false),
    ] {
        let error = failure(shell(script)).await;
        assert!(error.message.contains(words), "{script}: {error}");
        assert_eq!(error.recoverable, recoverable, "{script}: {error}");
    }
}

#[tokio::test]
async fn a_program_that_hangs_is_killed_with_all_that_it_has_started() {
    let mut given = shell("sleep 4000.125 & sleep 4000.125 & sleep 4000.125");
    given["timeout_seconds"] = json!(1);
    let error = failure(given).await;
    assert!(
        error.message.contains("within 1 s and was killed") && !error.recoverable,
        "{error}"
    );
    wait_until_gone("4000.125").await;
    let started = Instant::now();
    let ran = start(shell("sleep 4000.25 & echo 5")).await;
    assert_eq!(ran.result, json!(5));
    assert!(
        started.elapsed() < Duration::from_secs(9),
        "{:?}",
        started.elapsed()
    );
    wait_until_gone("4000.25").await;
    let error = failure(shell("setsid sleep 5.0625 & sleep 0.1; echo 5")).await;
    assert!(error.message.contains("holds its output open"), "{error}");
}

#[tokio::test]
async fn a_cancelled_run_takes_its_program_along() {
    let cancelled = timeout(
        Duration::from_millis(300),
        start(shell("sleep 4000.5 & sleep 4000.5")),
    )
    .await;
    assert!(cancelled.is_err());
    wait_until_gone("4000.5").await;
}

#[tokio::test]
async fn only_allowed_programs_are_started() {
    for (program, words) in [
        ("/bin/echo", "is not in `allow_commands`"),
        ("/etc/passwd", "is not in `allow_commands`"),
        ("/nonexistent/program", "cannot be found"),
    ] {
        let error = failure(json!({ "program": program })).await;
        assert!(
            error.message.contains(words) && !error.recoverable,
            "{error}"
        );
    }
    let nobody = Command::default();
    let (bot, desk) = (bot(), Desk::default());
    let mut run = run_of(&bot, &desk, Value::Null);
    assert!(
        nobody
            .run(&mut run, &settings(shell("true")))
            .await
            .is_err()
    );
}

#[test]
fn settings_are_checked() {
    for (given, words) in [
        (json!({}), "program: is missing"),
        (
            json!({ "program": "sh" }),
            "program: must be an absolute path",
        ),
        (
            json!({ "program": "/bin/sh", "args": "x" }),
            "args: must be a list",
        ),
        (
            json!({ "program": "/bin/sh", "args": ["a\u{0}secret"] }),
            "args: has a NUL",
        ),
        (
            json!({ "program": "/bin/sh", "env": { "A=B": "secret" } }),
            "env: `A=B` must be a name",
        ),
        (
            json!({ "program": "/bin/sh", "env": { "A": 1 } }),
            "env: `A` must be a name with a text",
        ),
        (
            json!({ "program": "/bin/sh", "timeout_seconds": 0 }),
            "timeout_seconds: must be",
        ),
        (
            json!({ "program": "/bin/sh", "arg": [] }),
            "did you mean `args`?",
        ),
    ] {
        let problems = Command::default().check(&settings(given.clone()));
        let texts: Vec<_> = problems
            .iter()
            .map(|p| format!("{}: {}", p.key, p.message))
            .collect();
        assert!(texts.join("\n").contains(words), "{given}: {texts:?}");
        assert!(!texts.join("\n").contains("secret"), "{texts:?}");
    }
}
