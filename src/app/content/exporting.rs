//! A table into a file that can be imported again, and is the same then: in the order in which its items were stored.

use std::{
    fs::{self, File},
    io::{self, BufWriter, Write},
    path::{Path, PathBuf},
    sync::Arc,
};

use secrecy::SecretString;

use super::{ContentError, Format, of, table_name, with_store};
use crate::{
    domain::import::Written,
    store::{Missing, StatePersistence},
};

/// Items that are read at once.
const PAGE: u32 = 500;

/// What is to be exported, and where to.
#[derive(Clone, Debug)]
pub struct Export {
    /// The knowledge table.
    pub table: String,
    /// How.
    pub format: Format,
    /// The file; standard output without one.
    pub output: Option<PathBuf>,
}

/// Exports a table. Answers how many items it has. A file is in its place as a whole, or not at all.
///
/// # Errors
/// See [`ContentError`]; also if the table has no items.
pub fn export_content(url: &SecretString, export: &Export) -> Result<u64, ContentError> {
    let table = table_name(&export.table)?;
    let written = Written::in_format(export.format);
    let Some(path) = &export.output else {
        let mut out = BufWriter::new(io::stdout().lock());
        return match write(url, &table, written, &mut out) {
            // A reader that has seen enough is no error.
            Err(Stopped::Writing(error)) if error.kind() == io::ErrorKind::BrokenPipe => Ok(0),
            done => done.map_err(|stopped| stopped.at("standard output")),
        };
    };
    let part = part_of(path);
    let done = into_file(url, &table, written, (&part, path));
    done.map_err(|stopped| {
        if part != *path {
            drop(fs::remove_file(&part));
        }
        stopped.at(&path.display().to_string())
    })
}

fn into_file(
    url: &SecretString,
    table: &str,
    written: Written,
    (part, path): (&Path, &Path),
) -> Result<u64, Stopped> {
    let mut out = BufWriter::new(File::create(part)?);
    let many = write(url, table, written, &mut out)?;
    if part != path {
        out.get_ref().sync_all()?;
        fs::rename(part, path)?;
    }
    Ok(many)
}

/// Where a file is written until it is whole. What is no file, such as a pipe, is written to as it is.
fn part_of(path: &Path) -> PathBuf {
    if fs::metadata(path).is_ok_and(|found| !found.is_file()) {
        return path.to_owned();
    }
    let mut name = path.as_os_str().to_owned();
    name.push(".part");
    name.into()
}

/// Why an export stopped.
enum Stopped {
    Writing(io::Error),
    Reading(ContentError),
}

impl From<io::Error> for Stopped {
    fn from(error: io::Error) -> Self {
        Self::Writing(error)
    }
}

impl Stopped {
    fn at(self, name: &str) -> ContentError {
        match self {
            Self::Writing(error) => ContentError::File(format!("{name}: {error}")),
            Self::Reading(error) => error,
        }
    }
}

fn write(
    url: &SecretString,
    table: &str,
    written: Written,
    out: &mut dyn Write,
) -> Result<u64, Stopped> {
    let exported = with_store(url, Missing::Leave, async |store| {
        Ok(pages(store, table, written, out).await)
    });
    match exported.map_err(Stopped::Reading)?.transpose()? {
        None | Some(0) => Err(Stopped::Reading(ContentError::Nothing(format!(
            "the table `{table}` has no items"
        )))),
        Some(many) => Ok(many),
    }
}

async fn pages(
    store: &Arc<dyn StatePersistence>,
    table: &str,
    written: Written,
    out: &mut dyn Write,
) -> Result<u64, Stopped> {
    let (mut many, mut after) = (0, None);
    loop {
        let page = of(store).map(|store| store.content_onwards(table, after, PAGE));
        let reading = |error| Stopped::Reading(ContentError::Store(error));
        let page = page.map_err(reading)?.await.map_err(reading)?;
        if page.is_empty() {
            out.flush()?;
            return Ok(many);
        }
        if many == 0 {
            out.write_all(written.head().as_bytes())?;
        }
        for stored in &page {
            out.write_all(written.line(&stored.item).as_bytes())?;
        }
        many += page.len() as u64;
        after = page.last().map(|stored| stored.id);
    }
}
