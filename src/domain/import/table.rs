//! CSV as RFC 4180 has it: cells between commas, a cell with commas, quotes or line ends between double quotes, and a quote
//! inside of those doubled.

use std::io::BufRead;

use serde_json::{Map, Value};

use super::{
    Read, at,
    item::{self, unknown},
    lines::{LONGEST, Line, Lines},
};

/// Separates the tags and media of a cell.
const SEPARATOR: char = ';';

/// Reads items: a line of column names, then one item a row.
pub(super) struct Table<R> {
    lines: Lines<R>,
    /// `None` before the first line has been read.
    columns: Option<Vec<String>>,
    ended: bool,
}

impl<R: BufRead> Table<R> {
    pub(super) const fn of(reader: R) -> Self {
        Self {
            lines: Lines::of(reader),
            columns: None,
            ended: false,
        }
    }

    /// The next row that is not empty, with the number of its first line.
    fn row(&mut self) -> Option<Result<(u64, Vec<String>), String>> {
        let is_blank = |line: &Line| line.text.trim().is_empty();
        let first = loop {
            match self.lines.next()? {
                Ok(line) if is_blank(&line) => {}
                line => break line,
            }
        };
        let row = first.and_then(|line| Ok((line.number, self.cells(line)?)));
        self.ended |= row.is_err();
        Some(row)
    }

    fn cells(&mut self, first: Line) -> Result<Vec<String>, String> {
        let (mut cells, mut length) = (Cells::default(), first.text.len());
        let number = first.number;
        at("line", number, cells.take(&first.text))?;
        while cells.quote_is_open() {
            let open = "a quote is opened, and not closed again".to_owned();
            let Some(line) = self.lines.next() else {
                return at("line", number, Err(open));
            };
            let line = line?;
            length += line.text.len();
            if length > LONGEST {
                return at("line", number, Err(format!("{open} within 8 MiB")));
            }
            at("line", line.number, cells.take(&line.text))?;
        }
        Ok(cells.all())
    }

    fn header(&mut self) -> Option<Result<(), String>> {
        let (number, names) = match self.row()? {
            Ok(row) => row,
            Err(problem) => return Some(Err(problem)),
        };
        let names: Vec<String> = names.iter().map(|name| name.trim().to_owned()).collect();
        let checked = at("line", number, check_names(&names));
        self.ended |= checked.is_err();
        self.columns = Some(names);
        Some(checked)
    }
}

impl<R: BufRead> Iterator for Table<R> {
    type Item = Read;

    fn next(&mut self) -> Option<Read> {
        if self.ended {
            return None;
        }
        if self.columns.is_none()
            && let Err(problem) = self.header()?
        {
            return Some(Err(problem));
        }
        let row = self.row()?;
        let columns = self.columns.as_deref().unwrap_or_default();
        Some(row.and_then(|(number, cells)| at("line", number, read(columns, &cells))))
    }
}

fn check_names(names: &[String]) -> Result<(), String> {
    if let [one] = names
        && [';', '\t'].iter().any(|other| one.contains(*other))
    {
        return Err("there is one column; separate columns by commas".into());
    }
    for (place, name) in names.iter().enumerate() {
        if !item::FIELDS.contains(&name.as_str()) {
            return Err(unknown("column", name));
        }
        if names.iter().take(place).any(|earlier| earlier == name) {
            return Err(format!("there are two columns `{name}`"));
        }
    }
    match names.iter().any(|name| name == "body") {
        true => Ok(()),
        false => Err("there is no column `body`".into()),
    }
}

fn read(columns: &[String], cells: &[String]) -> Read {
    if cells.len() != columns.len() {
        let (cells, columns) = (cells.len(), columns.len());
        return Err(format!("there are {cells} cells for {columns} columns"));
    }
    let mut item = Map::new();
    // An empty cell says nothing.
    let filled = columns.iter().zip(cells);
    for (column, cell) in filled.filter(|(_, cell)| !cell.trim().is_empty()) {
        item.insert(column.clone(), value(column, cell)?);
    }
    item::item(item.into())
}

fn value(column: &str, cell: &str) -> Result<Value, String> {
    let wrong = |why: &str| Err(item::wrong(column, why, &cell.into()));
    match column {
        "tags" | "media" if cell.trim_start().starts_with('[') => {
            match serde_json::from_str(cell) {
                Ok(list) => Ok(list),
                Err(_) => wrong("words with `;` between them, or a JSON list"),
            }
        }
        "tags" | "media" => {
            let words = cell.split(SEPARATOR).map(str::trim);
            Ok(words.filter(|word| !word.is_empty()).collect())
        }
        "priority" => match cell.trim().parse::<f64>() {
            Ok(number) if number.is_finite() => Ok(number.into()),
            _ => wrong("a number from 0 to 1"),
        },
        "metadata" => match serde_json::from_str(cell) {
            Ok(object @ Value::Object(_)) => Ok(object),
            _ => wrong("a JSON object"),
        },
        "not_before" | "expires_at" => Ok(cell.trim().into()),
        _ => Ok(cell.into()),
    }
}

/// Words as [`value`] reads them back.
pub(super) fn cell_of(words: &[String]) -> String {
    let plain = |word: &String| {
        !word.is_empty()
            && word.trim() == word
            && !word.starts_with('[')
            && !word.contains(SEPARATOR)
    };
    match words.iter().all(plain) {
        true => words.join(&SEPARATOR.to_string()),
        false => Value::from(words).to_string(),
    }
}

/// Where in a cell the last character was.
#[derive(Clone, Copy, Default, PartialEq, Eq)]
enum Place {
    #[default]
    Before,
    Plain,
    Quoted,
    /// Behind a quote that closes the cell, or is the first of two.
    Quote,
}

/// The cells of a row, taken in line by line.
#[derive(Default)]
struct Cells {
    done: Vec<String>,
    cell: String,
    place: Place,
}

impl Cells {
    fn quote_is_open(&self) -> bool {
        self.place == Place::Quoted
    }

    fn take(&mut self, line: &str) -> Result<(), String> {
        let whole = line.strip_suffix('\n').unwrap_or(line);
        let whole = whole.strip_suffix('\r').unwrap_or(whole);
        whole.chars().try_for_each(|c| self.character(c))?;
        if self.quote_is_open() {
            self.cell
                .push_str(line.get(whole.len()..).unwrap_or_default());
        }
        Ok(())
    }

    fn character(&mut self, c: char) -> Result<(), String> {
        self.place = match (self.place, c) {
            (Place::Quoted, '"') => Place::Quote,
            (Place::Quoted, c) => self.push(c, Place::Quoted),
            (_, ',') => {
                self.done.push(std::mem::take(&mut self.cell));
                Place::Before
            }
            (Place::Before, '"') => Place::Quoted,
            (Place::Quote, '"') => self.push('"', Place::Quoted),
            (Place::Quote, _) => {
                return Err(
                    "there is text behind a closing quote; double a quote that is text".into(),
                );
            }
            (Place::Before | Place::Plain, c) => self.push(c, Place::Plain),
        };
        Ok(())
    }

    fn push(&mut self, c: char, place: Place) -> Place {
        self.cell.push(c);
        place
    }

    fn all(mut self) -> Vec<String> {
        self.done.push(self.cell);
        self.done
    }
}
