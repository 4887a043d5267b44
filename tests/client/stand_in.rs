//! A server that gives prepared answers and remembers what it was asked.

use std::{
    collections::{HashMap, VecDeque},
    process::{Command, Output, Stdio},
    sync::{Arc, Mutex, mpsc},
};

use actix_web::{App, HttpRequest, HttpResponse, HttpServer, http::StatusCode, rt::System, web};
use actor_server::client::Client;
use serde_json::Value;

/// One request as it came.
#[derive(Clone, Debug)]
pub(crate) struct Asked {
    /// Such as `POST /api/v1/actors/daily/pause`, with the query.
    pub(crate) line: String,
    pub(crate) headers: HashMap<String, String>,
    pub(crate) body: String,
}

impl Asked {
    pub(crate) fn json(&self) -> Value {
        serde_json::from_str(&self.body).unwrap()
    }
}

/// An answer to give.
#[derive(Clone, Debug)]
pub(crate) struct Answer {
    status: u16,
    headers: Vec<(String, String)>,
    body: String,
}

impl Answer {
    pub(crate) fn json(body: &Value) -> Self {
        Self::text(200, "application/json", &body.to_string())
    }

    pub(crate) fn text(status: u16, kind: &str, body: &str) -> Self {
        Self {
            status,
            headers: vec![("content-type".into(), kind.into())],
            body: body.into(),
        }
    }

    pub(crate) fn problem(status: u16, title: &str, detail: &str) -> Self {
        let body = serde_json::json!({
            "type": "about:blank", "title": title, "status": status, "detail": detail, "request_id": "req-1",
        });
        Self::text(status, "application/problem+json", &body.to_string())
    }

    pub(crate) fn with(mut self, name: &str, value: &str) -> Self {
        self.headers.push((name.into(), value.into()));
        self
    }

    fn response(&self) -> HttpResponse {
        let mut response = HttpResponse::build(StatusCode::from_u16(self.status).unwrap());
        for (name, value) in &self.headers {
            response.insert_header((name.as_str(), value.as_str()));
        }
        response.body(self.body.clone())
    }
}

#[derive(Default)]
struct Script {
    answers: HashMap<String, VecDeque<Answer>>,
    asked: Vec<Asked>,
}

/// The server; it ends with the test's process.
pub(crate) struct StandIn {
    script: Arc<Mutex<Script>>,
    pub(crate) url: String,
}

impl StandIn {
    pub(crate) fn start() -> Self {
        let script = Arc::new(Mutex::new(Script::default()));
        let (bound, address) = mpsc::channel();
        let shared = web::Data::from(Arc::clone(&script));
        std::thread::spawn(move || {
            System::new().block_on(async move {
                let app = move || {
                    let app = App::new().app_data(shared.clone());
                    app.default_service(web::to(answer))
                };
                let server = HttpServer::new(app).workers(1).disable_signals();
                let server = server.bind("127.0.0.1:0").unwrap();
                bound.send(server.addrs()[0]).unwrap();
                server.run().await.unwrap();
            });
        });
        let url = format!("http://{}", address.recv().unwrap());
        Self { script, url }
    }

    /// A server with one answer.
    pub(crate) fn with(line: &str, answer: Answer) -> Self {
        let server = Self::start();
        server.answer(line, answer);
        server
    }

    /// Prepares the next answer to such a request; the last one is given again and again.
    pub(crate) fn answer(&self, line: &str, answer: Answer) {
        let mut script = self.script.lock().unwrap();
        script
            .answers
            .entry(line.into())
            .or_default()
            .push_back(answer);
    }

    /// Every request so far.
    pub(crate) fn asked(&self) -> Vec<Asked> {
        self.script.lock().unwrap().asked.clone()
    }

    /// The only request.
    pub(crate) fn only(&self) -> Asked {
        let asked = self.asked();
        assert_eq!(asked.len(), 1, "{asked:?}");
        asked[0].clone()
    }

    pub(crate) fn client(&self) -> Client {
        Client::new(&self.url, Some("a-token".into())).unwrap()
    }

    /// `actor-server ctl …` against this server, with nothing of the test's environment.
    pub(crate) fn ctl(&self, arguments: &[&str]) -> Said {
        Said::of(
            ctl(arguments)
                .env("ACTOR_SERVER_URL", &self.url)
                .env("ACTOR_SERVER_TOKEN", "a-token"),
        )
    }
}

/// The command, ready to run; nothing of the test's own environment reaches it.
pub(crate) fn ctl(arguments: &[&str]) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_actor-server"));
    command
        .arg("ctl")
        .args(arguments)
        .env_clear()
        .stdin(Stdio::null());
    command
}

/// What a command said.
#[derive(Debug)]
pub(crate) struct Said {
    pub(crate) code: Option<i32>,
    pub(crate) out: String,
    pub(crate) err: String,
}

impl Said {
    pub(crate) fn of(command: &mut Command) -> Self {
        let Output {
            status,
            stdout,
            stderr,
        } = command.output().unwrap();
        Self {
            code: status.code(),
            out: String::from_utf8(stdout).unwrap(),
            err: String::from_utf8(stderr).unwrap(),
        }
    }
}

/// What a command said that is fine and has no complaints.
pub(crate) fn fine(said: &Said) -> &str {
    assert_eq!((said.code, said.err.as_str()), (Some(0), ""), "{said:?}");
    &said.out
}

async fn answer(
    request: HttpRequest,
    body: String,
    script: web::Data<Mutex<Script>>,
) -> HttpResponse {
    let line = format!("{} {}", request.method(), request.uri());
    let header = |(name, value): (
        &actix_web::http::header::HeaderName,
        &actix_web::http::header::HeaderValue,
    )| {
        (
            name.to_string(),
            String::from_utf8_lossy(value.as_bytes()).into_owned(),
        )
    };
    let mut script = script.lock().unwrap();
    script.asked.push(Asked {
        line: line.clone(),
        headers: request.headers().iter().map(header).collect(),
        body,
    });
    let Some(answers) = script.answers.get_mut(&line) else {
        return Answer::problem(
            404,
            "Not Found",
            &format!("nothing was prepared for {line}"),
        )
        .response();
    };
    let answer = if answers.len() > 1 {
        answers.pop_front()
    } else {
        answers.front().cloned()
    };
    answer.unwrap().response()
}
