//! One process owns a SQLite file: a lock file beside it, held by the operating system's lock and not by its existence,
//! so that a killed owner leaves nothing to clean up.

use std::{
    fs::{File, OpenOptions, TryLockError},
    io::{Read, Seek, Write},
    path::{Path, PathBuf},
};

use super::fault::of_file;
use crate::{domain::Instant, store::StoreError};

/// How much of a lock file is shown; it may hold anything.
const SHOWN: u64 = 160;

/// Ownership of a database file, until it is dropped or the process ends.
#[derive(Debug)]
pub(super) struct OwnerLock {
    _file: File,
}

impl OwnerLock {
    /// Becomes the owner.
    ///
    /// # Errors
    /// `Owned`, naming the owner, if another process has the file; `Unavailable` if the lock file cannot be made.
    pub(super) fn take(database: &Path, since: Instant) -> Result<Self, StoreError> {
        let path = lock_path(database);
        let shown = path.display().to_string();
        let mut file = OpenOptions::new()
            .read(true)
            .write(true)
            .create(true)
            .truncate(false)
            .open(&path)
            .map_err(|error| of_file(&shown, &error))?;
        match file.try_lock() {
            Ok(()) => {}
            Err(TryLockError::WouldBlock) => return Err(owned(database, &mut file, &shown)),
            Err(TryLockError::Error(error)) => return Err(of_file(&shown, &error)),
        }
        sign(&mut file, since).map_err(|error| of_file(&shown, &error))?;
        Ok(Self { _file: file })
    }
}

/// `data/actor_server.db` → `data/actor_server.db.lock`.
fn lock_path(database: &Path) -> PathBuf {
    let mut name = database.as_os_str().to_owned();
    name.push(".lock");
    name.into()
}

fn sign(file: &mut File, since: Instant) -> std::io::Result<()> {
    let (pid, host) = (std::process::id(), host());
    let since = since.format("%Y-%m-%dT%H:%M:%SZ");
    file.set_len(0)?;
    file.rewind()?;
    writeln!(file, "process {pid} on {host} since {since}")
}

fn owned(database: &Path, file: &mut File, lock: &str) -> StoreError {
    let mut text = Vec::new();
    // Whoever holds the lock may not have signed yet; then it stays nameless.
    let _unread = file.take(SHOWN).read_to_end(&mut text);
    let text = String::from_utf8_lossy(&text);
    let owner: String = text.trim().chars().filter(|c| !c.is_control()).collect();
    let owner = if owner.is_empty() {
        "another process"
    } else {
        &owner
    };
    StoreError::Owned(format!(
        "{} is owned by {owner} ({lock}); stop it, or use another database",
        database.display()
    ))
}

fn host() -> String {
    std::fs::read_to_string("/proc/sys/kernel/hostname")
        .ok()
        .map(|name| name.trim().to_owned())
        .filter(|name| !name.is_empty())
        .unwrap_or_else(|| "this host".to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_second_owner_is_refused_and_told_who_the_first_is() {
        let folder = tempfile::tempdir().unwrap();
        let database = folder.path().join("a.db");
        let since = chrono::DateTime::from_timestamp(1_790_000_000, 0).unwrap();
        let first = OwnerLock::take(&database, since).unwrap();
        let refused = OwnerLock::take(&database, since).unwrap_err().to_string();
        assert!(refused.contains(&format!("process {} on ", std::process::id())));
        assert!(refused.contains("a.db.lock"), "{refused}");
        drop(first);
        OwnerLock::take(&database, since).unwrap();
    }

    #[test]
    fn a_lock_file_that_a_dead_owner_left_stops_nobody() {
        let folder = tempfile::tempdir().unwrap();
        let database = folder.path().join("a.db");
        std::fs::write(lock_path(&database), "process 1 on elsewhere, long ago").unwrap();
        let since = chrono::DateTime::from_timestamp(1_790_000_000, 0).unwrap();
        OwnerLock::take(&database, since).unwrap();
        let text = std::fs::read_to_string(lock_path(&database)).unwrap();
        assert!(text.starts_with(&format!("process {} ", std::process::id())));
        assert!(!text.contains("long ago"));
    }
}
