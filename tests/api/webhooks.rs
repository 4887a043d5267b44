//! Bots that post to webhooks: of Discord, and signed ones of anybody.

use std::time::Duration;

use nix::sys::signal::Signal;
use serde_json::json;

use crate::{
    discord::{FakeDiscord, WEBHOOK_TOKEN},
    receiver::{Meet, Receiver},
    server::{DEADLINE, Home},
    stand::{Api, home},
};

const SECRET: &str = "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw";
const PATH: &str = "/hooks/path-that-nobody-may-see";

fn hook(name: &str, kind: &str, url: &str) -> String {
    let secret = match kind {
        "signed" => format!("secret = \"{SECRET}\"\n"),
        _ => String::new(),
    };
    format!("[outbound.webhooks.{name}]\ntype = \"{kind}\"\nurl = \"{url}\"\n{secret}")
}

/// A bot with a slot every second.
fn bot(name: &str) -> String {
    format!(
        "[[actors]]\nname = \"{name}\"\nconfig_file = \"post.toml\"\nwebhook = \"{name}\"\n\
         [actors.retry]\nmax_attempts = 50\ninitial_backoff_seconds = 0.1\nmultiplier = 1\n\
         [actors.schedule]\ntype = \"Interval\"\nseconds = 1\n"
    )
}

fn config(hooks: &[String], bots: &[&str]) -> String {
    let bots: String = bots.iter().map(|name| bot(name)).collect();
    format!(
        "[breaker]\nfailure_threshold = 2\ntimeout_seconds = 3600\n\
         [outbound]\nallow_hosts = [\"127.0.0.1\"]\n{}{bots}",
        hooks.concat()
    )
}

fn assert_nothing_is_told(home: &Home, api: &Api) {
    let seen = [
        home.stderr(),
        home.stdout(),
        api.read("/api/v1/executions?include=all&limit=500")
            .to_string(),
        api.read("/api/v1/actors").to_string(),
        api.read("/api/v1/supervision").to_string(),
        format!("{}", home.ledger()),
    ];
    for text in seen {
        for secret in [WEBHOOK_TOKEN, SECRET, PATH] {
            assert!(!text.contains(secret), "{secret} is in {text}");
        }
    }
}

#[test]
fn posts_arrive_by_name_and_one_bad_receiver_holds_up_no_other() {
    let (fake, good, bad) = (FakeDiscord::start(), Receiver::start(), Receiver::start());
    bad.otherwise(Meet::status(500));
    let gone = fake.webhook(2).replace(WEBHOOK_TOKEN, "deleted");
    let hooks = [
        hook("news", "discord", &fake.webhook(1)),
        hook("gone", "discord", &gone),
        hook("crm", "signed", &good.url(PATH)),
        hook("bad", "signed", &bad.url(PATH)),
    ];
    let home = home(&config(&hooks, &["news", "gone", "crm", "bad"]));
    home.set("RUST_LOG", "debug");
    let server = home.start();
    let api = Api::with_role(&home, &server, "readonly");
    server.wait_for("what becomes of them", |ledger| {
        ledger.is_held("gone", "refused")
            && !ledger.because("bad", "breaker_open").is_empty()
            && ledger.with("news", "succeeded").len() >= 2
            && ledger.with("crm", "succeeded").len() >= 2
    });
    let actor = api.read("/api/v1/actors/crm");
    let target = (
        &actor["platform"],
        &actor["destination"],
        &actor["channel_id"],
    );
    assert_eq!(target, (&json!("webhook"), &json!("crm"), &json!(null)));
    let shown = api.read("/api/v1/config");
    let masked = json!({ "type": "signed", "url": "***", "secret": "***" });
    assert_eq!(shown["outbound"]["webhooks"]["crm"], masked);
    let tree = api.read("/api/v1/supervision");
    let names = tree["breakers"].as_array().unwrap().iter();
    let names: Vec<&str> = names
        .map(|one| one["dependency"].as_str().unwrap())
        .collect();
    let expected = [
        "discord_webhook",
        "discord_webhook:gone",
        "discord_webhook:news",
        "webhook:bad",
        "webhook:crm",
    ];
    assert_eq!(names, expected);
    assert_nothing_is_told(&home, &api);
    server.stop();
    let ledger = home.ledger();
    for (bot, platform) in [("news", "discord_webhook"), ("crm", "webhook")] {
        for post in ledger.posts_of(bot) {
            assert_eq!(
                (&*post.platform, &*post.destination, &*post.status),
                (platform, bot, "sent")
            );
        }
    }
    let keys: Vec<String> = good
        .taken()
        .iter()
        .map(|one| one.header("webhook-id").to_owned())
        .collect();
    let posts: Vec<String> = ledger
        .posts_of("crm")
        .iter()
        .map(|post| post.nonce.clone())
        .collect();
    assert_eq!(keys, posts);
    assert_eq!(bad.taken().len(), 2, "the threshold");
}

#[test]
fn a_reload_takes_a_webhooks_new_address_up() {
    let (before, after) = (Receiver::start(), Receiver::start());
    let hooks = |receiver: &Receiver| [hook("crm", "signed", &receiver.url(PATH))];
    let home = home(&config(&hooks(&before), &["crm"]));
    let server = home.start();
    before.wait_for(1, DEADLINE);
    home.configure(&config(&hooks(&after), &["crm"]));
    server.signal(Signal::SIGHUP);
    server.wait_for_log("configuration reloaded");
    after.wait_for(2, DEADLINE);
    let taken = before.taken().len();
    after.wait_for(4, DEADLINE);
    assert_eq!(before.taken().len(), taken);
    assert!(server.stop() < Duration::from_secs(30));
}
