//! A proxy in front of PostgreSQL that loses answers: a transaction is committed, and its client never hears of it.
#![allow(dead_code, reason = "every test uses a part of it")]

use std::{
    io::{Read, Write},
    net::{Shutdown, TcpListener, TcpStream},
    sync::{
        Arc,
        atomic::{AtomicU64, Ordering},
    },
    thread,
};

/// The proxy; its threads end with the connections and the process.
pub(crate) struct Wire {
    port: u16,
    knobs: Arc<Knobs>,
}

#[derive(Default)]
struct Knobs {
    /// The answer to every so many-th COMMIT is lost; 0: none is.
    lose_every: AtomicU64,
    commits: AtomicU64,
    lost: AtomicU64,
}

impl Wire {
    /// In front of a server of this machine.
    pub(crate) fn to(port: u16) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let wire = Self {
            port: listener.local_addr().unwrap().port(),
            knobs: Arc::default(),
        };
        let knobs = Arc::clone(&wire.knobs);
        thread::spawn(move || {
            for client in listener.incoming().flatten() {
                if let Ok(server) = TcpStream::connect(("127.0.0.1", port)) {
                    pass(client, server, &knobs);
                }
            }
        });
        wire
    }

    /// The URL by way of this proxy.
    pub(crate) fn url(&self, direct: &str) -> String {
        let (before, rest) = direct.split_once('@').unwrap();
        let (_, name) = rest.split_once('/').unwrap();
        format!("{before}@127.0.0.1:{}/{name}?sslmode=disable", self.port)
    }

    pub(crate) fn lose_every(&self, commits: u64) {
        self.knobs.lose_every.store(commits, Ordering::SeqCst);
    }

    /// How many answers were lost.
    pub(crate) fn lost(&self) -> u64 {
        self.knobs.lost.load(Ordering::SeqCst)
    }
}

fn pass(client: TcpStream, server: TcpStream, knobs: &Arc<Knobs>) {
    let (mut from_server, mut to_client) =
        (server.try_clone().unwrap(), client.try_clone().unwrap());
    let (mut from_client, mut to_server) = (client, server);
    let doomed = Arc::new(AtomicU64::new(0));
    let (knobs, doom) = (Arc::clone(knobs), Arc::clone(&doomed));
    thread::spawn(move || {
        let mut buffer = vec![0; 1 << 16];
        while let Ok(n) = from_client.read(&mut buffer) {
            let is_commit = buffer[..n].windows(7).any(|window| window == b"COMMIT\0");
            if is_commit && is_to_be_lost(&knobs) {
                doom.store(1, Ordering::SeqCst);
            }
            if n == 0 || to_server.write_all(&buffer[..n]).is_err() {
                break;
            }
        }
        drop(to_server.shutdown(Shutdown::Both));
    });
    thread::spawn(move || {
        let mut buffer = vec![0; 1 << 16];
        while let Ok(n) = from_server.read(&mut buffer) {
            // The answer to the commit has come, so it is done.
            if n == 0
                || doomed.load(Ordering::SeqCst) == 1
                || to_client.write_all(&buffer[..n]).is_err()
            {
                break;
            }
        }
        drop((
            to_client.shutdown(Shutdown::Both),
            from_server.shutdown(Shutdown::Both),
        ));
    });
}

fn is_to_be_lost(knobs: &Knobs) -> bool {
    let every = knobs.lose_every.load(Ordering::SeqCst);
    let lost =
        every > 0 && (knobs.commits.fetch_add(1, Ordering::SeqCst) + 1).is_multiple_of(every);
    knobs.lost.fetch_add(u64::from(lost), Ordering::SeqCst);
    lost
}
