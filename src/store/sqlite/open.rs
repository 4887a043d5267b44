//! Opening a file, in the order that keeps it safe: folder, lock, schema check, migrations; nothing in the file is
//! touched before this process owns it and knows that it understands it.

use std::{fs, path::Path};

use diesel::{ExpressionMethods, QueryDsl, RunQueryDsl, SqliteConnection};

use super::{
    connections::{Role, connect},
    fault::{Fault, at, of_file},
    lock::OwnerLock,
    migrations,
    schema::{meta, replicas},
};
use crate::{
    domain::{Instant, run::ReplicaId},
    store::StoreError,
};

/// What opening finds out.
pub(super) struct Opened {
    /// Ownership, for as long as the store is open.
    pub(super) lock: OwnerLock,
    /// The database's random id.
    pub(super) database_id: String,
}

/// Makes the file's folder; refuses a path that can never be a file.
pub(super) fn prepare(path: &Path) -> Result<(), StoreError> {
    let shown = path.display().to_string();
    if path.is_dir() {
        return Err(StoreError::Failed(format!(
            "{shown} is a folder; name a file in it"
        )));
    }
    match path
        .parent()
        .filter(|parent| !parent.as_os_str().is_empty())
    {
        Some(parent) => fs::create_dir_all(parent)
            .map_err(|error| of_file(&parent.display().to_string(), &error)),
        None => Ok(()),
    }
}

/// Opens the file and brings its schema up to date; blocks.
pub(super) fn open(path: &Path, me: &ReplicaId, since: Instant) -> Result<Opened, StoreError> {
    prepare(path)?;
    let lock = OwnerLock::take(path, since)?;
    migrations::refuse_newer(path)?;
    let mut conn = connect(path, Role::Writer)?;
    let database_id = migrations::up(&mut conn)
        .and_then(|_steps| identify(&mut conn, me).map_err(StoreError::from))
        .map_err(|error| at(&path.display().to_string(), error))?;
    Ok(Opened { lock, database_id })
}

/// Reads the id, and forgets the processes that owned the file before: with the lock in hand, all are dead.
fn identify(conn: &mut SqliteConnection, me: &ReplicaId) -> Result<String, Fault> {
    diesel::delete(replicas::table.filter(replicas::id.ne(me.as_str()))).execute(conn)?;
    let id = meta::table
        .find("database_id")
        .select(meta::value)
        .get_result(conn)?;
    Ok(id)
}
