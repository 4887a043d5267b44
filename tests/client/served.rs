//! `actor-server ctl …` and the client in the crate, against the real server.
//!
//! What one of them says of the other's work is compared: the client triggers, the command shows; the command pauses, the
//! client sees the hold.

use actor_server::client::{Client, Error, ExecutionFilter, NewItem, TriggerRequest};
use nix::sys::signal::Signal;
use secrecy::SecretString;
use serde_json::Value;

use crate::{
    server::{DEADLINE, Home, Server, retry},
    stand_in::{Said, fine},
};

const SECRET: &str = "bm90aGluZyBidXQgdGVzdHMgZXZlciB1c2VzIHRoaXMgc2VjcmV0";

/// Bots that rest until they are told to run: a good one, and one that fails.
const BOTS: &str = r#"
[auth]
public_reads = true
[server]
shutdown_grace_seconds = 1
[discord]
api_url = "http://127.0.0.1:9"
[[actors]]
name = "good"
config_file = "post.toml"
[actors.schedule]
type = "Cron"
expression = "0 0 0 1 1 *"
[[actors]]
name = "bad"
config_file = "broken.toml"
channel_id = "7"
[actors.retry]
max_attempts = 1
[actors.schedule]
type = "Cron"
expression = "0 0 0 1 1 *"
"#;

/// A server with these bots, and what a person at a terminal of this machine can do there.
struct Desk<'a> {
    server: Server<'a>,
    home: &'a Home,
    url: String,
    /// An administrator's.
    token: String,
}

fn home() -> Home {
    let home = Home::new(BOTS);
    home.set("API_JWT_SECRET", SECRET);
    home.set("DISCORD_TOKEN", "never.used.token");
    home
}

fn token(home: &Home, role: &str) -> String {
    let made = home.run(&["token", "--role", role, "--subject", "ann", "--ttl", "1h"]);
    String::from_utf8(made.stdout).unwrap().trim().to_owned()
}

impl<'a> Desk<'a> {
    fn at(home: &'a Home) -> Self {
        Self::of(home, home.start())
    }

    fn of(home: &'a Home, server: Server<'a>) -> Self {
        let url = format!("http://{}", server.address("api"));
        let token = token(home, "admin");
        Self {
            server,
            home,
            url,
            token,
        }
    }

    fn client(&self) -> Client {
        Client::new(&self.url, Some(SecretString::from(self.token.as_str()))).unwrap()
    }

    /// The command as an administrator gives it.
    fn ctl(&self, arguments: &[&str]) -> Said {
        self.ctl_with(Some(&self.token), arguments)
    }

    fn ctl_with(&self, token: Option<&str>, arguments: &[&str]) -> Said {
        let mut command = crate::stand_in::ctl(arguments);
        command.env("ACTOR_SERVER_URL", &self.url);
        command.envs(token.map(|token| ("ACTOR_SERVER_TOKEN", token)));
        let said = Said::of(&mut command);
        let escapes = format!("{}{}", said.out, said.err).contains('\u{1b}');
        assert!(!escapes, "this is no terminal: {said:?}");
        said
    }

    /// A command that is fine, as the table for people and as JSON.
    fn both(&self, arguments: &[&str]) -> (String, Value) {
        let table = fine(&self.ctl(arguments)).to_owned();
        let said = self.ctl(&[arguments, &["--json"]].concat());
        (table, serde_json::from_str(fine(&said)).unwrap())
    }

    fn refused(&self, arguments: &[&str], code: i32) -> Said {
        let said = self.ctl(arguments);
        assert_eq!((said.code, said.out.as_str()), (Some(code), ""), "{said:?}");
        assert!(said.err.starts_with("actor-server: "), "{said:?}");
        said
    }
}

#[test]
fn every_command_that_looks_shows_what_the_server_says() {
    let home = home();
    let desk = Desk::at(&home);
    fine(&desk.ctl(&["trigger", "good", "--wait"]));
    let (table, list) = desk.both(&["list"]);
    assert!(
        table.lines().count() == 3 && table.contains("good"),
        "{table}"
    );
    assert_eq!(list.as_array().unwrap().len(), 2);
    let (table, list) = desk.both(&["list", "--paused", "-q", "goo"]);
    assert_eq!((table.as_str(), list), ("no bots\n", serde_json::json!([])));
    let (table, status) = desk.both(&["status", "good"]);
    assert!(table.contains("1 (100.0% good)"), "{table}");
    assert_eq!(status["recent_executions"], 1);
    let (table, runs) = desk.both(&["history", "good", "--status", "succeeded", "--since", "1h"]);
    assert!(table.contains("manual"), "{table}");
    assert_eq!(runs[0]["input"], serde_json::json!({}));
    assert_eq!(
        fine(&desk.ctl(&["history", "--trigger", "event", "--all"])),
        "no runs\n"
    );
    let (table, tree) = desk.both(&["tree"]);
    assert!(
        table.contains("task/good") && table.contains("discord:7"),
        "{table}"
    );
    assert!(tree["breakers"].is_array());
    let (table, document) = desk.both(&["replicas"]);
    assert!(table.contains("alive"), "{table}");
    assert_eq!(document["replicas"].as_array().unwrap().len(), 1);
}

#[test]
fn bots_are_paused_and_resumed_over_the_wire() {
    let home = home();
    let desk = Desk::at(&home);
    let (table, bot) = desk.both(&["pause", "good", "--reason", "holidays", "--for", "2h"]);
    assert!(
        table.starts_with("good is paused until ") && table.contains("(in 2 h)"),
        "{table}"
    );
    assert_eq!(bot["hold"]["reason"], "holidays");
    assert_eq!(bot["hold"]["by"], "ann");
    assert!(fine(&desk.ctl(&["list", "--paused"])).contains("good"));
    let (table, bot) = desk.both(&["resume", "good"]);
    assert!(table.starts_with("good is not held"), "{table}");
    assert_eq!(bot["hold"], Value::Null);
    fine(&desk.ctl(&["pause", "good", "--until", "2999-01-01T00:00:00Z"]));
    fine(&desk.ctl(&["pause", "bad"]));
    let all = ["resume", "--all", "--kind", "manual"];
    assert_eq!(fine(&desk.ctl(&all)), "2 resumed: bad, good\n");
    assert_eq!(desk.both(&all).1["resumed"], serde_json::json!([]));
    desk.refused(&["pause", "good", "--until", "2001-01-01T00:00:00Z"], 2);
}

#[test]
fn the_end_of_a_run_by_hand_is_the_exit_code() {
    let home = home();
    let desk = Desk::at(&home);
    let said = desk.ctl(&["trigger", "good", "--note", "by hand", "--wait", "--json"]);
    let run: Value = serde_json::from_str(fine(&said)).unwrap();
    assert_eq!(run["input"]["note"], "by hand");
    let id = run["id"].to_string();
    let bare = desk.ctl(&["trigger", "bad", "--content", "{\"body\":\"x\"}"]);
    assert!(
        fine(&bare).starts_with("Triggered execution for actor 'bad': run "),
        "{bare:?}"
    );
    let run = fine(&desk.ctl(&["trigger", "good", "--dry-run", "--wait", "--json"])).to_owned();
    let run: Value = serde_json::from_str(&run).unwrap();
    assert_eq!(
        (&run["status"], &run["posts"]),
        (&"succeeded".into(), &serde_json::json!([]))
    );
    let failed = retry(DEADLINE, || {
        let said = desk.ctl(&["trigger", "bad", "--wait"]);
        (!said.err.contains("(409 Conflict")).then_some(said)
    });
    let failed = failed.expect("the run before it ends");
    assert_eq!(failed.code, Some(1), "{failed:?}");
    assert!(
        failed.out.contains("failed") && failed.err.contains("run "),
        "{failed:?}"
    );
    let ended = desk.refused(&["cancel", &id], 1);
    assert!(ended.err.contains("has ended"), "{ended:?}");
}

#[cfg(feature = "failpoints")]
#[test]
fn a_run_at_work_is_cancelled() {
    let home = home();
    let desk = Desk::of(&home, home.start_failing("post.stored=1*sleep(3000)"));
    let said = desk.ctl(&["trigger", "good", "--json"]);
    let id = serde_json::from_str::<Value>(fine(&said)).unwrap()["execution_id"].to_string();
    let again = desk.refused(&["trigger", "good"], 1);
    assert!(again.err.contains("(409 Conflict, request "), "{again:?}");
    fine(&desk.ctl(&["cancel", &id]));
    let ended = retry(DEADLINE, || {
        let runs = desk.ctl(&["history", "good", "--status", "cancelled"]);
        runs.out.contains(&format!("\n{id} ")).then_some(())
    });
    ended.unwrap_or_else(|| panic!("it was not cancelled\n{}", desk.server.story()));
}

#[test]
fn a_reload_is_shown_applied_or_refused_with_every_problem() {
    let home = home();
    let desk = Desk::at(&home);
    home.configure(&BOTS.replace("name = \"bad\"", "name = \"worse\""));
    let (table, document) = desk.both(&["reload", "--dry-run"]);
    assert!(
        table.contains("+ worse") && table.contains("- bad"),
        "{table}"
    );
    assert_eq!(document["plan"]["added"][0]["actor"], "worse");
    assert!(!fine(&desk.ctl(&["list"])).contains("worse"));
    assert!(fine(&desk.ctl(&["reload"])).contains("+ worse"));
    assert!(fine(&desk.ctl(&["list"])).contains("worse"));
    home.configure(&BOTS.replace("max_attempts = 1", "max_attempts = \"one\""));
    let refused = desk.refused(&["reload"], 1);
    assert!(refused.err.contains("max_attempts"), "{refused:?}");
    assert!(fine(&desk.ctl(&["list"])).contains("worse"));
}

#[test]
fn whoever_may_not_is_told_so_and_nothing_happens() {
    let home = home();
    let desk = Desk::at(&home);
    let reader = token(desk.home, "readonly");
    fine(&desk.ctl_with(None, &["list"]));
    for arguments in [
        &["pause", "good"][..],
        &["resume", "good"],
        &["resume", "--all", "--kind", "manual"],
        &["trigger", "good"],
        &["cancel", "1"],
        &["reload"],
    ] {
        let said = desk.ctl_with(None, arguments);
        assert_eq!(said.code, Some(1), "{said:?}");
        assert!(said.err.contains("set ACTOR_SERVER_TOKEN"), "{said:?}");
        let said = desk.ctl_with(Some("a.forged.token"), arguments);
        assert_eq!(said.code, Some(1), "{said:?}");
        let said = desk.ctl_with(Some(&reader), arguments);
        assert_eq!(said.code, Some(1), "{said:?}");
        assert!(said.err.contains("role"), "{said:?}");
    }
    for url in ["ftp://127.0.0.1", "127.0.0.1:3000", "http://"] {
        desk.refused(&["list", "--url", url], 2);
    }
    for arguments in [&["status", "nobody"][..], &["cancel", "123456789"]] {
        assert!(
            desk.refused(arguments, 1)
                .err
                .contains("(404 Not Found, request ")
        );
    }
    assert!(home.ledger().rows.is_empty());
}

#[test]
fn happenings_are_watched_until_the_interruption() {
    let home = home();
    let desk = Desk::at(&home);
    let mut watch = crate::stand_in::ctl(&["watch", "good", "--json", "--url", &desk.url]);
    let out = home.path("watched");
    let mut watching = watch
        .stdout(std::fs::File::create(&out).unwrap())
        .spawn()
        .unwrap();
    let told = retry(DEADLINE, || {
        fine(&desk.ctl(&["trigger", "good", "--wait"]));
        let text = std::fs::read_to_string(&out).unwrap();
        text.contains("\"run_ended\"").then_some(text)
    });
    let told = told.expect("a run that is seen");
    for line in told.lines() {
        let happening: Value = serde_json::from_str(line).unwrap();
        assert_eq!(happening["data"]["actor"], "good");
    }
    let id = nix::unistd::Pid::from_raw(watching.id().cast_signed());
    nix::sys::signal::kill(id, Signal::SIGINT).unwrap();
    let ended = retry(DEADLINE, || watching.try_wait().unwrap());
    assert!(ended.is_some(), "Ctrl-C ends it");
}

#[tokio::test]
async fn the_client_understands_every_answer_of_the_server() -> Result<(), Error> {
    let home = home();
    let desk = Desk::at(&home);
    let admin = desk.client();
    let items = ["one", "two"].map(|body| NewItem {
        body: body.into(),
        ..NewItem::default()
    });
    let added = admin.add_content("quotes", &items).await?;
    assert_eq!((added.count, added.ids.len()), (Some(2), 2));
    assert_eq!(
        admin.delete_content("quotes", added.ids[0]).await?.removed,
        1
    );
    let left = admin.content("quotes", &Default::default()).await?;
    assert_eq!(
        left.iter()
            .map(|item| item.body.as_str())
            .collect::<Vec<_>>(),
        ["two"]
    );
    assert_eq!(admin.clear_content("quotes").await?.removed, 1);
    let request = TriggerRequest {
        note: Some("by the client".into()),
        ..TriggerRequest::default()
    };
    let started = admin.trigger("good", &request).await?;
    assert_eq!(admin.execution(started.execution_id).await?.task_id, "good");
    let mine = ExecutionFilter {
        actor: Some("good".into()),
        limit: Some(1),
        ..ExecutionFilter::default()
    };
    let run = admin.execution_pages(mine).next().await?.unwrap();
    assert_eq!(run.id, started.execution_id);
    assert!(admin.probe("ready").await?.status == "ready" && admin.config().await?.is_object());
    assert_eq!(
        admin
            .reset_breaker("discord:7")
            .await?
            .dependency
            .as_deref(),
        Some("discord:7")
    );
    assert!(!admin.audit(&Default::default()).await?.is_empty());
    Ok(())
}
