//! A file into a table: every line is judged before the first is stored, and all are stored in one transaction.

use std::{
    path::PathBuf,
    sync::{Arc, Mutex, PoisonError},
};

use secrecy::SecretString;
use serde_json::json;

use super::{
    ContentError, Format, Imported, noting::note, of, source::Source, table_name, with_store,
};
use crate::{
    clock::Clock,
    domain::{
        content::ContentItem,
        import::{self, NOTHING, Read, judge},
    },
    store::Missing,
};

/// Items that are handed on at once, by number and by bytes of text.
const AT_ONCE: (usize, usize) = (1000, 4 << 20);

/// What is to be imported, and where to.
#[derive(Clone, Debug)]
pub struct Import {
    /// The file; standard input without one.
    pub file: Option<PathBuf>,
    /// The knowledge table.
    pub table: String,
    /// By the name of the file without one.
    pub format: Option<Format>,
}

/// Imports a file. The database is made if there is none, and its schema brought up to date.
///
/// # Errors
/// See [`ContentError`]; nothing is stored then.
pub fn import_content(url: &SecretString, import: &Import) -> Result<Imported, ContentError> {
    let table = table_name(&import.table)?;
    let format = import.format()?;
    let source = Source::open(import.file.as_deref())?;
    let expected = check(format, &source)?;
    let broken = Broken::default();
    let batches = Batches {
        items: import::items(format, source.read()?),
        left: expected,
        broken: broken.clone(),
    };
    let imported = with_store(url, Missing::Make, async |store| {
        let now = Clock::process().now();
        let imported = of(store)?.import_content(&table, Box::new(batches), now);
        let imported = imported.await?;
        let after = json!({ "count": imported.items, "file": source.name });
        note(store, "add_content", &table, after).await?;
        Ok(imported)
    });
    let name = &source.name;
    match (imported, broken.problem()) {
        (Err(_), Some(problem)) => Err(ContentError::File(format!(
            "{name} has changed while it was read ({problem}); nothing was imported"
        ))),
        (imported, _) => imported.map(Option::unwrap_or_default),
    }
}

impl Import {
    fn format(&self) -> Result<Format, ContentError> {
        let name = self.file.as_deref().map(|file| file.to_string_lossy());
        let by_name = name.and_then(|name| Format::of_file(&name));
        self.format.or(by_name).ok_or_else(|| {
            let what =
                "what the file holds is not clear by its name; say --format jsonl, csv or json";
            ContentError::Usage(what.into())
        })
    }
}

/// How many items there are, if all are good.
fn check(format: Format, source: &Source) -> Result<u64, ContentError> {
    let mut count = 0;
    let items = import::items(format, source.read()?);
    let mut problems = judge(items.inspect(|item| count += u64::from(item.is_ok())));
    if count == 0 && problems.is_empty() {
        problems.push(NOTHING.into());
    }
    match problems.is_empty() {
        true => Ok(count),
        false => Err(ContentError::Problems {
            source: source.name.clone(),
            problems,
        }),
    }
}

/// Why a file that was good is so no more.
#[derive(Clone, Default)]
struct Broken(Arc<Mutex<Option<String>>>);

impl Broken {
    fn by(&self, problem: String) {
        *self.0.lock().unwrap_or_else(PoisonError::into_inner) = Some(problem);
    }

    fn problem(&self) -> Option<String> {
        let problem = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        problem.clone()
    }
}

/// Items on their way to the store.
struct Batches {
    items: Box<dyn Iterator<Item = Read> + Send>,
    left: u64,
    broken: Broken,
}

impl Batches {
    fn break_off(&mut self, problem: String) -> Option<Option<Vec<ContentItem>>> {
        self.broken.by(problem);
        self.left = 0;
        Some(None)
    }
}

impl Iterator for Batches {
    type Item = Option<Vec<ContentItem>>;

    fn next(&mut self) -> Option<Self::Item> {
        let (mut batch, mut bytes) = (Vec::new(), 0);
        while self.left > 0 && batch.len() < AT_ONCE.0 && bytes < AT_ONCE.1 {
            match self.items.next() {
                Some(Ok(item)) => {
                    bytes += item.body.len();
                    batch.push(item);
                    self.left -= 1;
                }
                Some(Err(problem)) => return self.break_off(problem),
                None => return self.break_off("there are fewer items".into()),
            }
        }
        (!batch.is_empty()).then_some(Some(batch))
    }
}
