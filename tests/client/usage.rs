//! Refusals, wrong usage and the token of `actor-server ctl …`: what is said, and the exit code.

use serde_json::json;

use crate::stand_in::{Answer, Said, StandIn, ctl, fine};

#[test]
fn refusals_are_explained_with_the_requests_id() {
    for (status, title, code, part) in [
        (400, "Bad Request", 2, "(400 Bad Request, request req-1)"),
        (401, "Unauthorized", 1, "set ACTOR_SERVER_TOKEN"),
        (403, "Forbidden", 1, "the token's role is too low"),
        (404, "Not Found", 1, "(404 Not Found, request req-1)"),
        (409, "Conflict", 1, "(409 Conflict, request req-1)"),
        (
            500,
            "Internal Server Error",
            1,
            "(500 Internal Server Error, request req-1)",
        ),
        (503, "Service Unavailable", 1, "request req-1"),
    ] {
        let server = StandIn::with(
            "POST /api/v1/actors/daily/resume",
            Answer::problem(status, title, "this is why"),
        );
        let said = server.ctl(&["resume", "daily"]);
        assert_eq!((said.code, said.out.as_str()), (Some(code), ""), "{said:?}");
        assert!(
            said.err.starts_with("actor-server: this is why ("),
            "{said:?}"
        );
        assert!(said.err.contains(part), "{part}: {said:?}");
    }
}

#[test]
fn a_server_that_is_not_there_is_exit_code_one() {
    let said =
        Said::of(ctl(&["list", "--url", "http://127.0.0.1:9"]).env("ACTOR_SERVER_TOKEN", "t"));
    assert_eq!(said.code, Some(1));
    assert!(
        said.err
            .starts_with("actor-server: cannot reach http://127.0.0.1:9: ")
            && said.err.contains("--url"),
        "{said:?}"
    );
}

#[test]
fn wrong_usage_is_exit_code_two_and_asks_nobody() {
    let server = StandIn::start();
    for arguments in [
        &[][..],
        &["no-such-command"],
        &["list", "--url", "127.0.0.1:3000"],
        &["list", "--url", "ftp://h"],
        &["pause"],
        &["pause", "daily", "--until", "tomorrow"],
        &["pause", "daily", "--until", "2h"],
        &["pause", "daily", "--for", "soon"],
        &[
            "pause",
            "daily",
            "--for",
            "1h",
            "--until",
            "2099-01-01T00:00:00Z",
        ],
        &["resume"],
        &["resume", "--all"],
        &["resume", "daily", "--all", "--kind", "manual"],
        &["resume", "--all", "--kind", "invalid"],
        &["resume", ".."],
        &["cancel", "x"],
        &["cancel", "0"],
        &["history", "--status", "bad"],
        &["history", "--since", "yesterday"],
        &["history", "--limit", "0"],
    ] {
        let said = server.ctl(arguments);
        assert_eq!(said.code, Some(2), "{arguments:?}: {said:?}");
        assert!(
            !said.err.is_empty() && !said.err.contains("panicked at"),
            "{said:?}"
        );
    }
    assert!(server.asked().is_empty());
}

#[test]
fn the_token_comes_from_the_environment_or_a_file() {
    let server = StandIn::with("GET /api/v1/actors", Answer::json(&json!([])));
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("token");
    std::fs::write(&file, "from-a-file\n").unwrap();
    let list = || {
        let mut command = ctl(&["list"]);
        command.env("ACTOR_SERVER_URL", &server.url);
        command
    };
    fine(&Said::of(&mut list()));
    fine(&Said::of(
        list()
            .env("ACTOR_SERVER_TOKEN", "")
            .env("ACTOR_SERVER_TOKEN_FILE", &file),
    ));
    let asked = server.asked();
    assert!(!asked[0].headers.contains_key("authorization"));
    assert_eq!(asked[1].headers["authorization"], "Bearer from-a-file");
    let both = Said::of(
        list()
            .env("ACTOR_SERVER_TOKEN", "s3cret")
            .env("ACTOR_SERVER_TOKEN_FILE", &file),
    );
    assert_eq!(both.code, Some(2));
    let gone = Said::of(list().env("ACTOR_SERVER_TOKEN_FILE", "/nowhere/token"));
    assert!(
        gone.code == Some(2) && gone.err.contains("/nowhere/token"),
        "{gone:?}"
    );
    let broken = Said::of(list().env("ACTOR_SERVER_TOKEN", "s3cret with spaces"));
    assert!(
        broken.code == Some(2) && !broken.err.contains("s3cret"),
        "{broken:?}"
    );
    assert_eq!(server.asked().len(), 2);
}
