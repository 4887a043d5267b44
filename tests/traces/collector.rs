//! A collector that takes OTLP over HTTP on a port of its own, or refuses it, or never answers.

use std::{
    collections::BTreeMap,
    future::pending,
    net::{SocketAddr, TcpListener},
    sync::{Arc, Mutex, MutexGuard},
    thread::JoinHandle,
};

use actix_web::{
    App, HttpRequest, HttpResponse, HttpServer,
    dev::ServerHandle,
    rt::System,
    web::{Bytes, Data, PayloadConfig, post},
};
use opentelemetry_proto::tonic::{
    collector::trace::v1::ExportTraceServiceRequest,
    common::v1::{KeyValue, any_value::Value},
    trace::v1::{ResourceSpans, span::SpanKind},
};
use prost::Message;

use crate::server::{DEADLINE, retry};

/// How requests are met.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) enum Meeting {
    #[default]
    Take,
    Refuse(u16),
    Hang,
}

/// A span as it arrived.
#[derive(Clone, Debug)]
pub(crate) struct Seen {
    pub(crate) trace: String,
    pub(crate) id: String,
    /// Empty for none.
    pub(crate) parent: String,
    pub(crate) state: String,
    pub(crate) name: String,
    pub(crate) kind: SpanKind,
    /// Unix nanoseconds.
    pub(crate) start: u64,
    pub(crate) end: u64,
    pub(crate) attributes: BTreeMap<String, String>,
    /// The text of an error; `None` without one.
    pub(crate) error: Option<String>,
    pub(crate) resource: BTreeMap<String, String>,
}

impl Seen {
    pub(crate) fn says(&self, key: &str) -> &str {
        let said = self.attributes.get(key);
        said.unwrap_or_else(|| panic!("nothing is said of {key}: {self:?}"))
    }
}

/// What is kept of a request beside its spans.
#[derive(Clone, Debug)]
pub(crate) struct Request {
    /// Header `x-key`.
    pub(crate) key: String,
    /// Header `content-encoding`; the body is unpacked by the framework.
    pub(crate) encoding: String,
}

#[derive(Default)]
struct Memory {
    meeting: Meeting,
    spans: Vec<Seen>,
    requests: Vec<Request>,
}

/// The collector; stops when dropped.
pub(crate) struct Collector {
    address: SocketAddr,
    memory: Arc<Mutex<Memory>>,
    handle: ServerHandle,
    thread: Option<JoinHandle<()>>,
}

impl Collector {
    pub(crate) fn start() -> Self {
        Self::on(TcpListener::bind("127.0.0.1:0").unwrap())
    }

    pub(crate) fn on(listener: TcpListener) -> Self {
        let address = listener.local_addr().unwrap();
        let memory = Arc::new(Mutex::new(Memory::default()));
        let (tell, told) = std::sync::mpsc::channel();
        let data = Data::from(Arc::clone(&memory));
        let thread = std::thread::spawn(move || {
            System::new().block_on(async move {
                let app = move || {
                    App::new()
                        .app_data(data.clone())
                        .app_data(PayloadConfig::new(1 << 24))
                        .route("/v1/traces", post().to(take))
                };
                let server = HttpServer::new(app)
                    .workers(1)
                    .disable_signals()
                    .listen(listener)
                    .unwrap()
                    .run();
                tell.send(server.handle()).unwrap();
                server.await.unwrap();
            });
        });
        Self {
            address,
            memory,
            handle: told.recv().unwrap(),
            thread: Some(thread),
        }
    }

    pub(crate) fn url(&self) -> String {
        format!("http://{}", self.address)
    }

    pub(crate) fn meet(&self, meeting: Meeting) {
        self.memory().meeting = meeting;
    }

    /// How many requests came, however they were met.
    pub(crate) fn requests(&self) -> usize {
        self.memory().requests.len()
    }

    /// The headers of each.
    pub(crate) fn headers(&self) -> Vec<Request> {
        self.memory().requests.clone()
    }

    pub(crate) fn spans(&self) -> Vec<Seen> {
        self.memory().spans.clone()
    }

    /// Waits for something among the spans.
    pub(crate) fn wait_for<T>(&self, what: &str, found: impl Fn(&[Seen]) -> Option<T>) -> T {
        let waited = retry(DEADLINE, || found(&self.spans()));
        waited.unwrap_or_else(|| panic!("not in time: {what}\n{:#?}", self.spans()))
    }

    /// Waits for a whole trace: its spans, from the moment on that one of this name and with this attribute is there.
    pub(crate) fn trace_with(&self, name: &str, (key, value): (&str, &str)) -> Trace {
        let is_it = |span: &&Seen| {
            let said = span.attributes.get(key).map(String::as_str);
            span.name == name && said == Some(value)
        };
        self.wait_for(&format!("{name} with {key}={value}"), |spans| {
            let found = spans.iter().find(is_it)?;
            let same = spans.iter().filter(|span| span.trace == found.trace);
            Some(Trace(same.cloned().collect()))
        })
    }

    fn memory(&self) -> MutexGuard<'_, Memory> {
        self.memory.lock().unwrap()
    }
}

impl Drop for Collector {
    fn drop(&mut self) {
        // Requests that hang are not waited for.
        let stopping = self.handle.stop(false);
        futures::executor::block_on(stopping);
        if let Some(thread) = self.thread.take() {
            let _ = thread.join();
        }
    }
}

/// The spans of one trace.
#[derive(Clone, Debug)]
pub(crate) struct Trace(pub(crate) Vec<Seen>);

impl Trace {
    pub(crate) fn named(&self, name: &str) -> Vec<&Seen> {
        self.0.iter().filter(|span| span.name == name).collect()
    }

    /// The only one of this name.
    pub(crate) fn only(&self, name: &str) -> &Seen {
        let [only] = self.named(name)[..] else {
            panic!("not one {name}: {self:#?}")
        };
        only
    }

    /// Names of the parts of a span, in the order of their beginnings.
    pub(crate) fn parts_of(&self, span: &Seen) -> Vec<&str> {
        let mut parts: Vec<&Seen> = self.0.iter().filter(|it| it.parent == span.id).collect();
        parts.sort_by_key(|part| part.start);
        parts.iter().map(|part| part.name.as_str()).collect()
    }
}

async fn take(request: HttpRequest, body: Bytes, memory: Data<Mutex<Memory>>) -> HttpResponse {
    let header = |name| {
        let value = request.headers().get(name);
        value.and_then(|it| it.to_str().ok()).unwrap_or_default()
    };
    let meeting = {
        let mut memory = memory.lock().unwrap();
        memory.requests.push(Request {
            key: header("x-key").to_owned(),
            encoding: header("content-encoding").to_owned(),
        });
        memory.meeting
    };
    match meeting {
        Meeting::Refuse(status) => {
            return HttpResponse::build(status.try_into().unwrap()).finish();
        }
        Meeting::Hang => pending().await,
        Meeting::Take => {}
    }
    assert_eq!(header("content-type"), "application/x-protobuf");
    let batch = ExportTraceServiceRequest::decode(body).unwrap();
    let spans = batch.resource_spans.into_iter().flat_map(seen);
    memory.lock().unwrap().spans.extend(spans);
    HttpResponse::Ok()
        .content_type("application/x-protobuf")
        .finish()
}

fn seen(of: ResourceSpans) -> Vec<Seen> {
    let resource = texts(of.resource.map(|it| it.attributes).unwrap_or_default());
    let spans = of.scope_spans.into_iter().flat_map(|scope| scope.spans);
    let seen = spans.map(|span| Seen {
        kind: span.kind(),
        trace: hex(&span.trace_id),
        id: hex(&span.span_id),
        parent: hex(&span.parent_span_id),
        state: span.trace_state,
        name: span.name,
        start: span.start_time_unix_nano,
        end: span.end_time_unix_nano,
        attributes: texts(span.attributes),
        error: span.status.filter(|it| it.code == 2).map(|it| it.message),
        resource: resource.clone(),
    });
    seen.collect()
}

fn texts(attributes: Vec<KeyValue>) -> BTreeMap<String, String> {
    let text = |value| match value {
        Some(Value::StringValue(text)) => text,
        Some(Value::IntValue(number)) => number.to_string(),
        Some(Value::DoubleValue(number)) => number.to_string(),
        other => format!("{other:?}"),
    };
    let count = attributes.len();
    let pairs = attributes.into_iter();
    let pairs = pairs.map(|pair| (pair.key, text(pair.value.and_then(|it| it.value))));
    let texts: BTreeMap<String, String> = pairs.collect();
    assert_eq!(texts.len(), count, "a key stands there twice: {texts:?}");
    texts
}

fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}
