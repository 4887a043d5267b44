//! Clients that have stopped taking what they asked for.
//!
//! What waits in the socket of such a client keeps its stream from ending: the stream is not asked for more as long as
//! nothing leaves, so only the operating system can tell. TCP ends the connection when data has waited for too long, be it
//! for an acknowledgement or for room at the client (RFC 5482); the stream goes with it, and its place is free.

use std::{any::Any, time::Duration};

use actix_web::rt::net::TcpStream;

/// How long data may wait for a client.
pub const PATIENCE: Duration = Duration::from_secs(30);

/// For `HttpServer::on_connect`: from now on what is sent on this connection may wait for so long. Where the system does
/// not know of such a bound, a client that stalls is let go of when it goes.
pub fn bound(connection: &dyn Any, patience: Duration) {
    #[cfg(target_os = "linux")]
    if let Some(stream) = connection.downcast_ref::<TcpStream>() {
        let patience_ms = u32::try_from(patience.as_millis()).unwrap_or(u32::MAX);
        if let Err(error) = rustix::net::sockopt::set_tcp_user_timeout(stream, patience_ms) {
            tracing::debug!(%error, "a connection has no bound on how long it may stall");
        }
    }
    #[cfg(not(target_os = "linux"))]
    let _ = (connection.is::<TcpStream>(), patience);
}
