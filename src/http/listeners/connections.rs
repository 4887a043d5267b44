//! The open connections of one listener: how many, and whether any holds on to its place without using it.
//!
//! The framework cuts a connection whose first request does not come, and one that is quiet between requests. It does not
//! cut one that begins a later request, or a body that nobody reads, and sends the rest byte by byte; nor one whose client
//! does not take its answer. That is done here.

use std::{
    any::Any,
    collections::HashMap,
    net::{Shutdown, TcpStream},
    os::fd::AsFd,
    sync::{
        Arc, Mutex, MutexGuard, PoisonError,
        atomic::{AtomicBool, AtomicU8, AtomicU64, Ordering},
    },
    task::Context,
    time::Duration,
};

use actix_web::{dev::Extensions, rt};
use futures::task::AtomicWaker;
use tokio::{sync::Notify, time::Instant as Monotonic};

/// How long a connection may be open, or quiet after an answer, until the next request has come in full.
const REQUEST_PATIENCE: Duration = Duration::from_millis(9_500);
/// How long a client may take over an answer that is no stream.
const ANSWER_PATIENCE: Duration = Duration::from_secs(60);
/// How long a client that was too slow may take to go.
const FAREWELL: Duration = Duration::from_secs(1);
/// How often connections are looked at.
const LOOK: Duration = Duration::from_millis(250);

/// What a connection is doing.
#[derive(Clone, Copy, PartialEq, Eq)]
#[repr(u8)]
enum Work {
    /// The next request is to come.
    Waiting,
    /// A request is being answered.
    Answering,
    /// A stream without an end is being sent.
    Streaming,
    /// The last answer was given, though the client still owes a part of its request.
    Leaving,
}

/// The connections of a listener; clones share them.
#[derive(Clone)]
pub(super) struct Connections(Arc<Register>);

struct Register {
    born: Monotonic,
    number: AtomicU64,
    open: Mutex<HashMap<u64, Arc<Connection>>>,
    closed: Notify,
}

struct Connection {
    /// A second handle of the same socket, to end it from here.
    socket: TcpStream,
    work: AtomicU8,
    /// Milliseconds after the register was born.
    since: AtomicU64,
    /// A stream is to end, and who is to be told.
    ending: AtomicBool,
    stream: AtomicWaker,
}

impl Connections {
    pub(super) fn new() -> Self {
        Self(Arc::new(Register {
            born: Monotonic::now(),
            number: AtomicU64::new(0),
            open: Mutex::default(),
            closed: Notify::new(),
        }))
    }

    /// Enters a connection that was just accepted; what stays in `data` says when it is closed.
    pub(super) fn enter(&self, stream: &dyn Any, data: &mut Extensions) {
        let Some(stream) = stream.downcast_ref::<rt::net::TcpStream>() else {
            return;
        };
        let Ok(socket) = stream.as_fd().try_clone_to_owned() else {
            // No file descriptor is free: this one is let go of at its first request.
            return;
        };
        let connection = Arc::new(Connection {
            socket: socket.into(),
            work: AtomicU8::new(Work::Waiting as u8),
            since: AtomicU64::new(self.now()),
            ending: AtomicBool::new(false),
            stream: AtomicWaker::new(),
        });
        let number = self.0.number.fetch_add(1, Ordering::Relaxed);
        self.open().insert(number, Arc::clone(&connection));
        data.insert(Open {
            connections: self.clone(),
            number,
            connection,
        });
    }

    /// Streams have no end of their own: they get one here.
    pub(super) fn end_streams(&self) {
        for connection in self.open().values() {
            connection.ending.store(true, Ordering::Release);
            connection.stream.wake();
        }
    }

    /// Waits until none is open.
    pub(super) async fn all_closed(&self) {
        loop {
            let closed = self.0.closed.notified();
            if self.open().is_empty() {
                return;
            }
            closed.await;
        }
    }

    /// Ends connections that only hold on to their place, for as long as it is polled.
    pub(super) async fn look_after(&self) {
        loop {
            tokio::time::sleep(LOOK).await;
            let now = self.now();
            let open = self.open();
            let idle = open.values().filter(|connection| connection.is_stuck(now));
            idle.for_each(|connection| connection.end());
        }
    }

    fn now(&self) -> u64 {
        u64::try_from(self.0.born.elapsed().as_millis()).unwrap_or(u64::MAX)
    }

    fn open(&self) -> MutexGuard<'_, HashMap<u64, Arc<Connection>>> {
        self.0.open.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Connection {
    fn is_stuck(&self, now: u64) -> bool {
        let work = self.work.load(Ordering::Relaxed);
        let since = Duration::from_millis(now.saturating_sub(self.since.load(Ordering::Relaxed)));
        (work == Work::Waiting as u8 && since >= REQUEST_PATIENCE)
            || (work == Work::Answering as u8 && since >= ANSWER_PATIENCE)
            || (work == Work::Leaving as u8 && since >= FAREWELL)
    }

    /// The connection's own task sees the end of the stream, and lets go of it.
    fn end(&self) {
        let _ = self.socket.shutdown(Shutdown::Both);
    }
}

/// An open connection, as its requests know it; closed when it is dropped.
pub(in crate::http) struct Open {
    connections: Connections,
    number: u64,
    connection: Arc<Connection>,
}

impl Open {
    /// A request has come.
    pub(in crate::http) fn begin(&self) -> Flight {
        let flight = Flight {
            connections: self.connections.clone(),
            connection: Arc::clone(&self.connection),
            last: false,
        };
        flight.turn_to(Work::Answering);
        flight
    }
}

impl Drop for Open {
    fn drop(&mut self) {
        self.connections.open().remove(&self.number);
        self.connections.0.closed.notify_waiters();
    }
}

/// A request that is being answered; over when it is dropped.
pub(in crate::http) struct Flight {
    connections: Connections,
    connection: Arc<Connection>,
    /// No other request is wanted behind it.
    last: bool,
}

impl Flight {
    /// The client took too long: it has its answer, and is to go.
    pub(in crate::http) fn last(mut self) -> Self {
        self.last = true;
        self
    }

    /// The answer is a stream: only its handler knows how long a client may take over it.
    pub(in crate::http) fn streaming(self) -> Self {
        self.turn_to(Work::Streaming);
        self
    }

    /// Whether the stream is to end; the task is woken when it is.
    pub(in crate::http) fn is_ending(&self, cx: &Context<'_>) -> bool {
        self.connection.stream.register(cx.waker());
        self.connection.ending.load(Ordering::Acquire)
    }

    fn turn_to(&self, work: Work) {
        let connection = &self.connection;
        connection.work.store(work as u8, Ordering::Relaxed);
        connection
            .since
            .store(self.connections.now(), Ordering::Relaxed);
    }
}

impl Drop for Flight {
    fn drop(&mut self) {
        self.turn_to(match self.last {
            true => Work::Leaving,
            false => Work::Waiting,
        });
    }
}
