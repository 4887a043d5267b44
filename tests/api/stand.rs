//! The real server with some bots, and clients with tokens of each role.

use std::net::SocketAddr;

use serde_json::Value;

use super::{
    client::{self, Reply},
    server::{Home, Server},
};

const SECRET: &str = "dGhpcyBpcyBvbmx5IGZvciB0ZXN0cywgbmV2ZXIgZm9yIHVzZQ";

/// A folder whose server has a key.
pub(crate) fn home(bots: &str) -> Home {
    let home = Home::new(&format!("[server]\nshutdown_grace_seconds = 5\n{bots}"));
    home.set("API_JWT_SECRET", SECRET);
    home.write("slow.toml", SLOW);
    home
}

/// A bot that rests until it is triggered.
pub(crate) fn resting(name: &str, file: &str) -> String {
    format!(
        "[[actors]]\nname = \"{name}\"\nconfig_file = \"{file}\"\n\
         [actors.schedule]\ntype = \"Cron\"\nexpression = \"0 0 0 1 1 *\"\n"
    )
}

/// A bot that runs every second.
pub(crate) fn ticking(name: &str) -> String {
    format!(
        "[[actors]]\nname = \"{name}\"\nconfig_file = \"quiet.toml\"\n\
         [actors.schedule]\ntype = \"Interval\"\nseconds = 1\n"
    )
}

/// Waits between the retries of its only skill until it is told to stop.
const SLOW: &str = r#"
[actor]
name = "Slow"
skills = ["content_formatter", "content_posting"]
[skills.content_formatter]
template = "x"
"#;

/// Somebody with a token, or without.
pub(crate) struct Api {
    address: SocketAddr,
    token: Option<String>,
}

impl Api {
    pub(crate) fn anonymous(server: &Server<'_>) -> Self {
        Self {
            address: server.address("api"),
            token: None,
        }
    }

    pub(crate) fn with_role(home: &Home, server: &Server<'_>, role: &str) -> Self {
        let made = home.run(&["token", "--role", role, "--subject", "ann", "--ttl", "1h"]);
        assert!(
            made.status.success(),
            "{}",
            String::from_utf8_lossy(&made.stderr)
        );
        let token = String::from_utf8(made.stdout).unwrap().trim().to_owned();
        Self {
            token: Some(token),
            ..Self::anonymous(server)
        }
    }

    pub(crate) fn get(&self, path: &str) -> Reply {
        self.ask("GET", path, "application/json", "")
    }

    /// GETs what must be there.
    pub(crate) fn read(&self, path: &str) -> Value {
        let reply = self.get(path);
        assert_eq!(reply.status, 200, "{path}: {reply:?}");
        reply.json()
    }

    pub(crate) fn post(&self, path: &str, body: &Value) -> Reply {
        self.ask("POST", path, "application/json", &body.to_string())
    }

    pub(crate) fn ask(&self, method: &str, path: &str, content_type: &str, body: &str) -> Reply {
        let token = self
            .token
            .as_ref()
            .map(|token| format!("Authorization: Bearer {token}\r\n"));
        let (token, length) = (token.unwrap_or_default(), body.len());
        let request = format!(
            "{method} {path} HTTP/1.1\r\nHost: a\r\n{token}Content-Type: {content_type}\r\n\
             Content-Length: {length}\r\n\r\n{body}"
        );
        client::send(self.address, &request)
    }

    /// All rows of a list, page by page.
    pub(crate) fn pages(&self, path: &str, mut between: impl FnMut()) -> Vec<Value> {
        let (mut rows, mut next) = (Vec::new(), path.to_owned());
        loop {
            let reply = self.get(&next);
            assert_eq!(reply.status, 200, "{next}: {reply:?}");
            rows.extend(reply.json().as_array().unwrap().clone());
            let Some(link) = reply.header("link") else {
                assert!(reply.header("x-next-cursor").is_none());
                return rows;
            };
            let (link, relation) = link.split_once("; ").unwrap();
            assert_eq!(relation, "rel=\"next\"");
            assert!(link.contains(reply.header("x-next-cursor").unwrap()));
            next = link.trim_matches(['<', '>']).to_owned();
            between();
        }
    }
}
