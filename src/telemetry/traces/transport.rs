//! How spans get to their collector: over the HTTP client that the rest of the program uses, on a thread of its own.

use std::{
    fmt,
    sync::{Arc, Mutex, PoisonError},
    time::Duration,
};

use async_trait::async_trait;
use opentelemetry_http::{Bytes, HttpClient, HttpError, Request, Response};
use reqwest::{Certificate, Client, Url, redirect};
use tokio::runtime::{Builder, Runtime};

/// The longest answer that is read; a collector's says how many spans it did not take, and why.
const MAX_ANSWER_BYTES: usize = 64 * 1024;

/// What went wrong last, for whoever writes it down.
#[derive(Clone, Debug, Default)]
pub(super) struct Trouble(Arc<Mutex<String>>);

impl Trouble {
    fn is(&self, text: String) {
        *self.0.lock().unwrap_or_else(PoisonError::into_inner) = text;
    }

    /// Takes it.
    pub(super) fn take(&self) -> String {
        std::mem::take(&mut self.0.lock().unwrap_or_else(PoisonError::into_inner))
    }
}

/// The client. Its connections live on its own runtime, because what sends spans is a plain thread.
pub(super) struct Transport {
    client: Client,
    runtime: Option<Runtime>,
    trouble: Trouble,
}

impl Transport {
    /// Makes the client; connects to nothing yet.
    pub(super) fn new(
        endpoint: &Url,
        timeout: Duration,
        certificates: &[Certificate],
        trouble: Trouble,
    ) -> Result<Self, String> {
        let mut client = Client::builder()
            .user_agent(concat!("actor-server/", env!("CARGO_PKG_VERSION")))
            .redirect(redirect::Policy::none())
            .timeout(timeout);
        for certificate in certificates {
            client = client.add_root_certificate(certificate.clone());
        }
        // A proxy of the environment cannot reach this machine's own addresses.
        if matches!(
            endpoint.host_str(),
            Some("localhost" | "127.0.0.1" | "[::1]")
        ) {
            client = client.no_proxy();
        }
        let client = client.build();
        let client = client.map_err(|error| format!("cannot make an HTTP client: {error}"))?;
        let runtime = Builder::new_multi_thread()
            .worker_threads(1)
            .thread_name("traces")
            .enable_all()
            .build()
            .map_err(|error| format!("cannot start a thread for traces: {error}"))?;
        let runtime = Some(runtime);
        Ok(Self {
            client,
            runtime,
            trouble,
        })
    }
}

#[async_trait]
impl HttpClient for Transport {
    async fn send_bytes(&self, request: Request<Bytes>) -> Result<Response<Bytes>, HttpError> {
        let runtime = self.runtime.as_ref().ok_or("the thread is gone")?;
        let request = reqwest::Request::try_from(request)?;
        let sent = runtime.spawn(send(self.client.clone(), request)).await?;
        match &sent {
            Ok(answer) if answer.status().is_success() => {}
            Ok(answer) => self.trouble.is(format!("it answered {}", answer.status())),
            Err(error) => self.trouble.is(error.clone()),
        }
        Ok(sent?)
    }
}

async fn send(client: Client, request: reqwest::Request) -> Result<Response<Bytes>, String> {
    let answer = client.execute(request).await;
    let mut answer = answer.map_err(|error| innermost(&error))?;
    let mut response = Response::builder().status(answer.status());
    if let Some(headers) = response.headers_mut() {
        headers.clone_from(answer.headers());
    }
    let mut body = Vec::new();
    while let Some(chunk) = answer.chunk().await.map_err(|error| innermost(&error))? {
        if body.len() + chunk.len() > MAX_ANSWER_BYTES {
            return Err(format!(
                "its answer is longer than {MAX_ANSWER_BYTES} bytes"
            ));
        }
        body.extend_from_slice(&chunk);
    }
    let response = response.body(body.into());
    response.map_err(|error| error.to_string())
}

/// The cause at the bottom, which says more than the layers above it, and no address.
fn innermost(error: &reqwest::Error) -> String {
    if error.is_timeout() {
        return "it did not answer in time".into();
    }
    let mut cause: &dyn std::error::Error = error;
    while let Some(deeper) = cause.source() {
        cause = deeper;
    }
    cause.to_string()
}

impl fmt::Debug for Transport {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Transport").finish_non_exhaustive()
    }
}

impl Drop for Transport {
    fn drop(&mut self) {
        // A name that is being looked up must not hold up the end of the process.
        if let Some(runtime) = self.runtime.take() {
            runtime.shutdown_background();
        }
    }
}
