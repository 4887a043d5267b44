//! Where the server listens: one server each for the API, the probes and the metrics, or one for several whose addresses
//! are equal.
//!
//! They are there before the store is opened and until it is closed, on threads of their own: a probe gets its answer
//! whatever the actors and the database do.

mod connections;
mod scopes;

use std::{fmt, io, net::SocketAddr, time::Duration};

use actix_web::{
    App, HttpServer,
    dev::ServerHandle,
    middleware::{Condition, from_fn},
    rt, web,
};
use tokio::net::TcpSocket;

pub(super) use self::connections::{Flight, Open};
pub use self::scopes::document;
use self::{connections::Connections, scopes::Scopes};
use super::{Shared, answering::answer, audit, rate, stalled, unrouted::unrouted};

/// How long the first request of a connection may take to come.
const HEAD_PATIENCE: Duration = Duration::from_secs(8);
/// How long a connection is kept open between requests.
const KEEP_ALIVE: Duration = Duration::from_secs(5);
/// How long a client that still sends may do so after its answer.
const LINGER: Duration = Duration::from_secs(2);
/// Connections that wait to be accepted.
const BACKLOG: u32 = 1_024;
/// How long requests in flight may take when a listener is closed.
const CLOSING: Duration = Duration::from_secs(5);

/// Where to listen, and what for.
#[derive(Clone, Debug)]
pub struct Addresses {
    /// The control API; `None` when switched off.
    pub api: Option<SocketAddr>,
    /// Probes.
    pub health: SocketAddr,
    /// Prometheus; `None` when switched off.
    pub metrics: Option<SocketAddr>,
    /// Requests per second of one client on the API listener; 0 is no limit.
    pub rate_limit_per_second: u32,
    /// Origins that browsers may call the API from; `*` is any.
    pub cors_origins: Vec<String>,
}

/// An address that cannot be listened on.
#[derive(Debug, thiserror::Error)]
#[error(
    "cannot listen on {address} ([http] {setting}): {error}; end what listens there, or set another address"
)]
pub struct BindError {
    address: SocketAddr,
    setting: &'static str,
    error: io::Error,
}

/// Bound, and not yet served.
pub struct Bound {
    options: Addresses,
    sockets: Vec<(Scopes, std::net::TcpListener, SocketAddr)>,
}

impl Bound {
    /// Binds every address once. Port 0 is a free port of its own for each.
    ///
    /// # Errors
    /// The first address that cannot be had.
    pub fn bind(options: Addresses) -> Result<Self, BindError> {
        let mut sockets = Vec::new();
        for (scopes, wish) in scopes::merged(&options) {
            let (listener, address) = listen(wish).map_err(|error| BindError {
                address: wish,
                setting: scopes.name(),
                error,
            })?;
            for name in scopes.names() {
                tracing::info!(listener = name, %address, "listening");
            }
            sockets.push((scopes, listener, address));
        }
        Ok(Self { options, sockets })
    }

    /// Where the API is, with the port that it really got.
    #[must_use]
    pub fn api(&self) -> Option<SocketAddr> {
        let api = self.sockets.iter().find(|(scopes, ..)| scopes.api);
        api.map(|(_, _, address)| *address)
    }

    /// Starts to serve. Must be called inside an actix system.
    ///
    /// # Errors
    /// A listener cannot be taken over by its server.
    pub fn serve(self, shared: &Shared) -> io::Result<Listeners> {
        let mut listeners = Listeners::default();
        for (scopes, listener, _) in self.sockets {
            let serving = serve(scopes, listener, shared.clone(), &self.options)?;
            listeners.0.push(serving);
        }
        Ok(listeners)
    }
}

fn listen(address: SocketAddr) -> io::Result<(std::net::TcpListener, SocketAddr)> {
    let socket = match address {
        SocketAddr::V4(_) => TcpSocket::new_v4()?,
        SocketAddr::V6(_) => TcpSocket::new_v6()?,
    };
    // The port of a server that has just ended may be taken over at once.
    socket.set_reuseaddr(true)?;
    socket.bind(address)?;
    let listener = socket.listen(BACKLOG)?.into_std()?;
    let address = listener.local_addr()?;
    Ok((listener, address))
}

fn serve(
    scopes: Scopes,
    listener: std::net::TcpListener,
    shared: Shared,
    options: &Addresses,
) -> io::Result<Serving> {
    let connections = Connections::new();
    let (entered, origins) = (connections.clone(), options.cors_origins.clone());
    let limit = rate::Limit::new(options.rate_limit_per_second).filter(|_| scopes.api);
    let app = move || {
        let (limit, metrics) = (limit.clone(), shared.metrics.clone());
        let cors = Condition::new(scopes.api && !origins.is_empty(), scopes::cors(&origins));
        scopes
            .mount(App::new().app_data(web::Data::new(shared.clone())))
            .default_service(web::to(unrouted))
            .wrap(from_fn(audit::record))
            .wrap(cors)
            .wrap(from_fn(move |request, next| {
                rate::keep(limit.clone(), request, next)
            }))
            .wrap(from_fn(move |request, next| {
                answer(metrics.clone(), request, next)
            }))
    };
    let server = HttpServer::new(app)
        .workers(scopes.workers())
        .max_connections(scopes.connections())
        .tcp_nodelay(true)
        .keep_alive(KEEP_ALIVE)
        .client_request_timeout(HEAD_PATIENCE)
        .client_disconnect_timeout(LINGER)
        .on_connect(move |stream, data| {
            stalled::bound(stream, stalled::PATIENCE);
            entered.enter(stream, data);
        })
        .disable_signals()
        .listen(listener)?
        .run();
    let (handle, served) = (server.handle(), connections.clone());
    rt::spawn(async move {
        tokio::select! {
            ended = server => if let Err(error) = ended {
                tracing::error!(%error, "a listener has ended");
            },
            () = served.look_after() => {}
        }
    });
    Ok(Serving {
        scopes,
        handle,
        connections,
    })
}

/// The listeners at work; those that are dropped without having been closed end with their connections.
#[derive(Default)]
pub struct Listeners(Vec<Serving>);

struct Serving {
    scopes: Scopes,
    handle: ServerHandle,
    connections: Connections,
}

impl Listeners {
    /// Closes the listener of the API: what is in flight is answered, idle connections end at once. One that also has the
    /// probes or the metrics stays.
    pub async fn close_api(&mut self) {
        let (api, others) = std::mem::take(&mut self.0)
            .into_iter()
            .partition(|serving| serving.scopes.is_api_only());
        self.0 = others;
        close(api).await;
    }

    /// Closes all that are still open.
    pub async fn close(mut self) {
        close(std::mem::take(&mut self.0)).await;
    }
}

async fn close(servings: Vec<Serving>) {
    futures::future::join_all(servings.iter().map(Serving::close)).await;
}

impl Serving {
    /// A server that stops looks for open connections once a second. Nobody waits for that: when the last connection has
    /// ended there is nothing left to answer.
    async fn close(&self) {
        drop(self.handle.stop(true));
        self.connections.end_streams();
        if tokio::time::timeout(CLOSING, self.connections.all_closed())
            .await
            .is_err()
        {
            tracing::warn!(listener = %self.scopes, "requests were cut off: they did not end in time");
        }
    }
}

impl Drop for Listeners {
    fn drop(&mut self) {
        for serving in &self.0 {
            drop(serving.handle.stop(false));
        }
    }
}

impl fmt::Display for Scopes {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.names().collect::<Vec<_>>().join("+"))
    }
}
