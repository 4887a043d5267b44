//! The control API on a port of its own, and a client that speaks to it over a bare socket.

use std::{net::SocketAddr, sync::Arc, time::Duration};

use actix_web::{App, HttpServer, dev::ServerHandle, web};
use actor_server::{
    actors::{
        door::Door,
        env::Env,
        news::{Bounds, News},
    },
    http::{
        Shared,
        auth::{Guard, signature::Signatures},
        routes, stalled,
    },
};
use tempfile::TempDir;
use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::TcpStream,
    time::timeout,
};
use utoipa_actix_web::{AppExt, scope};

use super::{
    bots::bot,
    stand::{Setting, Stand},
};

/// How long an answer may take.
const PATIENCE: Duration = Duration::from_secs(20);

/// The API, without the actors behind it.
pub(crate) struct Api {
    pub(crate) stand: Stand,
    address: SocketAddr,
    handle: ServerHandle,
    _folder: TempDir,
}

impl Api {
    pub(crate) async fn start(bounds: Bounds) -> Self {
        Self::patient(bounds, stalled::PATIENCE).await
    }

    /// One whose clients may stall for so long.
    pub(crate) async fn patient(bounds: Bounds, patience: Duration) -> Self {
        let folder = tempfile::tempdir().unwrap();
        let mut stand = Stand::on(folder.path(), Setting::of([bot("bot", "succeed")])).await;
        Arc::get_mut(&mut stand.env).unwrap().news = News::bounded(bounds);
        let (address, handle) = serve(&stand.env, Signatures::default(), patience);
        Self {
            stand,
            address,
            handle,
            _folder: folder,
        }
    }

    pub(crate) fn news(&self) -> &News {
        &self.stand.env.news
    }

    /// Sends a request and reads what comes first of its answer: its head.
    pub(crate) async fn ask(&self, request: &str) -> Answer {
        ask(self.address, request, "").await
    }

    pub(crate) async fn stream(&self, query: &str, headers: &str) -> Answer {
        let head = format!("GET /api/v1/stream{query} HTTP/1.1\r\nHost: x\r\n{headers}\r\n");
        self.ask(&head).await
    }

    /// Stops serving, and waits for what is on.
    pub(crate) async fn stop(&self) {
        self.handle.stop(true).await;
    }
}

impl Drop for Api {
    fn drop(&mut self) {
        drop(self.handle.stop(false));
    }
}

/// The API of these actors on a free port.
pub(crate) fn serve(
    env: &Arc<Env>,
    signatures: Signatures,
    patience: Duration,
) -> (SocketAddr, ServerHandle) {
    let door = Door::default();
    door.open(Arc::clone(env));
    let shared = web::Data::new(Shared {
        door,
        guard: Guard::default(),
        signatures,
        metrics: Default::default(),
        press: Default::default(),
        clock: actor_server::clock::Clock::process(),
    });
    let app = move || {
        let api = scope::scope("/api/v1").configure(routes::api);
        let app = App::new().app_data(shared.clone()).into_utoipa_app();
        app.service(api).into_app()
    };
    let server = HttpServer::new(app).workers(1).disable_signals();
    let server = server.on_connect(move |stream, _| stalled::bound(stream, patience));
    let server = server.shutdown_timeout(60).bind("127.0.0.1:0").unwrap();
    let address = server.addrs()[0];
    let server = server.run();
    let handle = server.handle();
    actix_rt::spawn(server);
    (address, handle)
}

/// Sends a request and reads the head of its answer.
pub(crate) async fn ask(address: SocketAddr, head: &str, body: &str) -> Answer {
    let mut socket = TcpStream::connect(address).await.unwrap();
    let request = [head.as_bytes(), body.as_bytes()].concat();
    socket.write_all(&request).await.unwrap();
    let mut answer = Answer {
        socket,
        text: String::new(),
        head: String::new(),
    };
    let head = answer.until("\r\n\r\n").await;
    answer.head = head;
    answer
}

/// An answer that may still go on.
pub(crate) struct Answer {
    socket: TcpStream,
    text: String,
    pub(crate) head: String,
}

impl Answer {
    pub(crate) fn status(&self) -> u16 {
        self.head.split(' ').nth(1).unwrap().parse().unwrap()
    }

    /// Everything up to the first `end`, which is waited for.
    pub(crate) async fn until(&mut self, end: &str) -> String {
        loop {
            if let Some(at) = self.text.find(end) {
                return self.text.drain(..at + end.len()).collect();
            }
            assert!(self.more().await, "the answer ends with {:?}", self.text);
        }
    }

    /// The rest of the answer, when the server says that it is over.
    pub(crate) async fn rest(&mut self) -> String {
        self.until("\r\n0\r\n\r\n").await
    }

    /// The body of an answer that says how long it is.
    pub(crate) async fn body(&mut self) -> serde_json::Value {
        let length = self.head.to_lowercase();
        let length = length.split("content-length: ").nth(1).unwrap();
        let length: usize = length.split("\r\n").next().unwrap().parse().unwrap();
        while self.text.len() < length {
            assert!(self.more().await, "the body is cut off: {:?}", self.text);
        }
        serde_json::from_str(&self.text[..length]).unwrap()
    }

    async fn more(&mut self) -> bool {
        let mut buffer = vec![0; 65_536];
        let n = timeout(PATIENCE, self.socket.read(&mut buffer)).await;
        let n = n.expect("nothing comes").unwrap();
        self.text
            .push_str(std::str::from_utf8(&buffer[..n]).unwrap());
        n > 0
    }
}
