//! A folder whose server sends its traces to a collector, and its posts to a fake of Discord.

use std::net::SocketAddr;

use serde_json::{Value, json};

use crate::{
    bots::{Bot, SERVER, config_with},
    client::{Reply, send},
    collector::Collector,
    discord::{FakeDiscord, TOKEN},
    server::{DEADLINE, Home, Server, retry},
};

/// Signs the tokens.
const SECRET: &str = "a-key-of-more-than-thirty-two-bytes-for-tests";

/// A server file with these bots, which post to this fake.
pub(crate) fn home(discord: &FakeDiscord, bots: &[Bot]) -> Home {
    let head = format!("{SERVER}\n[discord]\napi_url = \"{}\"\n", discord.url());
    let home = Home::new(&config_with(&head, bots));
    home.set("DISCORD_TOKEN", TOKEN);
    home.set("API_JWT_SECRET", SECRET);
    home
}

/// The same, with traces to this collector.
pub(crate) fn traced(collector: &Collector, discord: &FakeDiscord, bots: &[Bot]) -> Home {
    let home = home(discord, bots);
    home.set("OTEL_EXPORTER_OTLP_ENDPOINT", &collector.url());
    home.set("OTEL_BSP_SCHEDULE_DELAY", "50");
    home
}

/// Runs once, and posts to channel 42.
pub(crate) fn poster(name: &str) -> Bot {
    Bot::new(name, "type = \"Immediate\"").with("channel_id = \"42\"")
}

/// Runs when it is told to, and posts to channel 42.
pub(crate) fn waiting(name: &str) -> Bot {
    waiting_at(name, 42)
}

/// The same at another channel, where nobody's posts go before its own.
pub(crate) fn waiting_at(name: &str, channel: u64) -> Bot {
    Bot::new(name, "type = \"Once\"\nat = \"2999-01-01T00:00:00Z\"")
        .with(&format!("channel_id = \"{channel}\""))
}

/// Asks the control API as an operator.
pub(crate) fn ask(
    home: &Home,
    server: &Server<'_>,
    path: &str,
    headers: &str,
    body: &Value,
) -> Reply {
    let made = home.run(&[
        "token",
        "--role",
        "operator",
        "--subject",
        "ann",
        "--ttl",
        "1h",
    ]);
    let token = String::from_utf8(made.stdout).unwrap();
    let (token, body) = (token.trim(), body.to_string());
    let request = format!(
        "POST /api/v1{path} HTTP/1.1\r\nHost: a\r\nAuthorization: Bearer {token}\r\n{headers}Content-Type: application/json\r\nContent-Length: {}\r\n\r\n{body}",
        body.len()
    );
    send(api(server), &request)
}

/// Where the control API listens, as either format of the log says.
fn api(server: &Server<'_>) -> SocketAddr {
    let found = retry(DEADLINE, || {
        let log = server.stderr();
        let line = log
            .lines()
            .find(|line| line.contains("listening") && line.contains("\"api\""))?;
        let (_, port) = line.split_once("127.0.0.1:")?;
        let port: String = port.chars().take_while(char::is_ascii_digit).collect();
        Some(SocketAddr::from(([127, 0, 0, 1], port.parse().ok()?)))
    });
    found.unwrap_or_else(|| panic!("it does not listen\n{}", server.story()))
}

/// Runs a bot now.
pub(crate) fn trigger(home: &Home, server: &Server<'_>, bot: &str, headers: &str) -> Value {
    let path = format!("/actors/{bot}/trigger");
    let reply = ask(home, server, &path, headers, &json!({ "note": "by hand" }));
    assert_eq!(reply.status, 200, "{reply:?}");
    reply.json()
}
