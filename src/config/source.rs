//! A file as text, with the line and column of every byte.

use std::{fs::File, io, io::Read, path::Path, sync::Arc};

use toml::de::DeTable;

use super::problem::{FilePlace, Place};

/// The largest file that is read; 10,000 bots fit four times over.
const LARGEST: u64 = 16 << 20;
/// In larger files only the first mistake in the syntax is reported, because each further one costs memory.
const LARGEST_WITH_ALL_MISTAKES: usize = 1 << 20;
/// So many mistakes in the syntax are listed; more are the echo of the first ones.
const LISTED: usize = 50;

/// A file that has been read.
pub(super) struct Source {
    order: usize,
    name: Arc<str>,
    text: String,
    /// Where each line begins.
    lines: Vec<usize>,
}

/// Why a file is no text: the line and column, and what would be right.
pub(super) struct Unreadable {
    pub(super) at: Option<(usize, usize)>,
    pub(super) message: String,
}

impl From<String> for Unreadable {
    fn from(message: String) -> Self {
        Self { at: None, message }
    }
}

/// What the parser made of a text, as far as it understood it.
pub(super) struct Parsed<'a> {
    pub(super) table: DeTable<'a>,
    pub(super) mistakes: Vec<Mistake>,
}

/// A mistake in the syntax.
pub(super) struct Mistake {
    pub(super) offset: usize,
    pub(super) message: String,
}

impl Source {
    /// Reads a file.
    pub(super) fn read(path: &Path, order: usize) -> Result<Self, Unreadable> {
        let bytes = read_bytes(path)?;
        let text = String::from_utf8(bytes).map_err(|error| not_utf8(&error))?;
        Ok(Self::new(path.display().to_string().into(), order, text))
    }

    fn new(name: Arc<str>, order: usize, text: String) -> Self {
        let behind = text.match_indices('\n').map(|(at, _)| at + 1);
        let lines = std::iter::once(0).chain(behind).collect();
        Self {
            order,
            name,
            text,
            lines,
        }
    }

    /// The place of a byte.
    pub(super) fn place(&self, offset: usize) -> Place {
        let line = self.line(offset);
        let start = self.lines.get(line - 1).copied().unwrap_or_default();
        let before = self.text.get(start..offset).unwrap_or_default();
        Place::File(FilePlace {
            order: self.order,
            file: self.name.clone(),
            line,
            column: before.chars().count() + 1,
        })
    }

    /// The line of a byte, from 1.
    pub(super) fn line(&self, offset: usize) -> usize {
        self.lines.partition_point(|start| *start <= offset)
    }

    /// Whether the line of a byte is the header of a table.
    pub(super) fn in_header(&self, offset: usize) -> bool {
        let start = self.lines.get(self.line(offset) - 1).copied();
        let line = self.text.get(start.unwrap_or_default()..);
        line.is_some_and(|line| line.trim_start().starts_with('['))
    }

    /// Parses the text as TOML, going on behind mistakes.
    pub(super) fn parse(&self) -> Parsed<'_> {
        if self.text.len() > LARGEST_WITH_ALL_MISTAKES {
            return match DeTable::parse(&self.text) {
                Ok(table) => Parsed::new(table.into_inner(), Vec::new()),
                Err(first) => Parsed::new(DeTable::new(), vec![first]),
            };
        }
        let (table, errors) = DeTable::parse_recoverable(&self.text);
        Parsed::new(table.into_inner(), errors)
    }
}

impl<'a> Parsed<'a> {
    /// The lines with mistakes.
    pub(super) fn broken_lines(&self, source: &Source) -> Vec<usize> {
        let lines = self
            .mistakes
            .iter()
            .map(|mistake| source.line(mistake.offset));
        lines.collect()
    }

    fn new(table: DeTable<'a>, mut errors: Vec<toml::de::Error>) -> Self {
        errors.truncate(LISTED);
        let mistakes = errors.iter().map(Mistake::from).collect();
        Self { table, mistakes }
    }
}

impl From<&toml::de::Error> for Mistake {
    fn from(error: &toml::de::Error) -> Self {
        let message = error.message().trim().replace('\n', ", ");
        Self {
            offset: error.span().unwrap_or_default().start,
            message: format!("this is no TOML: {message}"),
        }
    }
}

fn read_bytes(path: &Path) -> Result<Vec<u8>, String> {
    if path.is_dir() {
        return Err(format!("`{}` is a directory; name a file", path.display()));
    }
    let mut bytes = Vec::new();
    let read = File::open(path).and_then(|file| file.take(LARGEST + 1).read_to_end(&mut bytes));
    match read {
        Ok(n) if n as u64 > LARGEST => Err(format!(
            "`{}` is larger than {} MiB; divide it",
            path.display(),
            LARGEST >> 20
        )),
        Ok(_) => Ok(bytes),
        Err(error) => Err(cannot_read(path, &error)),
    }
}

/// What keeps a file from being read, for people.
pub(super) fn cannot_read(path: &Path, error: &io::Error) -> String {
    let path = path.display();
    match error.kind() {
        io::ErrorKind::NotFound => format!("there is no file `{path}`"),
        io::ErrorKind::PermissionDenied => {
            format!("`{path}` may not be read; allow this user to read it")
        }
        _ => format!("`{path}` cannot be read: {error}"),
    }
}

fn not_utf8(error: &std::string::FromUtf8Error) -> Unreadable {
    let valid = error.utf8_error().valid_up_to();
    let before = error.as_bytes().get(..valid).unwrap_or_default();
    let before = String::from_utf8_lossy(before);
    let line_start = before.rfind('\n').map_or(0, |at| at + 1);
    let column = before.get(line_start..).unwrap_or_default().chars().count() + 1;
    Unreadable {
        at: Some((before.matches('\n').count() + 1, column)),
        message: "this is no UTF-8 text; save the file as UTF-8".into(),
    }
}
