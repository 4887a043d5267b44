//! A file that is read twice: first to find every problem, then to store what is good. What can be read once only, such as
//! standard input, is copied first.

use std::{
    fs::{File, OpenOptions},
    io::{self, BufReader, Read, Seek},
    os::unix::fs::OpenOptionsExt,
    path::Path,
};

use uuid::Uuid;

use super::ContentError;

/// The longest file, in bytes.
const LONGEST: u64 = 1 << 30;

/// What is to be imported.
pub(super) struct Source {
    /// For messages.
    pub(super) name: String,
    file: File,
}

impl Source {
    /// Opens a file; standard input without one.
    pub(super) fn open(path: Option<&Path>) -> Result<Self, ContentError> {
        let name = match path {
            Some(path) => path.display().to_string(),
            None => "standard input".to_owned(),
        };
        let opened = match path {
            Some(path) => File::open(path).and_then(regular),
            None => copied(io::stdin().lock()),
        };
        let failed = |error| ContentError::File(format!("{name}: {error}"));
        let file = opened.map_err(failed)?;
        let length = file.metadata().map_err(failed)?.len();
        match length > LONGEST {
            true => Err(ContentError::File(format!(
                "{name}: it is longer than 1 GiB; split it"
            ))),
            false => Ok(Self { name, file }),
        }
    }

    /// Reads it from its start.
    pub(super) fn read(&self) -> Result<BufReader<File>, ContentError> {
        let again = || {
            let mut file = self.file.try_clone()?;
            file.rewind()?;
            Ok(BufReader::with_capacity(1 << 16, file))
        };
        let failed = |error: io::Error| ContentError::File(format!("{}: {error}", self.name));
        again().map_err(failed)
    }
}

fn regular(file: File) -> io::Result<File> {
    let kind = file.metadata()?.file_type();
    if kind.is_dir() {
        return Err(io::ErrorKind::IsADirectory.into());
    }
    match kind.is_file() {
        true => Ok(file),
        false => copied(file),
    }
}

/// A copy that goes with the process, of one byte more than a file may have.
fn copied(reader: impl Read) -> io::Result<File> {
    let path = std::env::temp_dir().join(format!("actor-server-{}", Uuid::new_v4()));
    let mut options = OpenOptions::new();
    options.read(true).write(true).create_new(true).mode(0o600);
    let mut file = options.open(&path)?;
    std::fs::remove_file(&path)?;
    io::copy(&mut reader.take(LONGEST + 1), &mut file)?;
    Ok(file)
}
