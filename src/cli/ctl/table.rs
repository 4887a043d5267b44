//! Tables: fitted to the terminal, or plain lines where there is none.

use comfy_table::{Attribute, Cell, Color, ContentArrangement, Table, presets::NOTHING};

use super::text::line;

/// How to show things.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Look {
    /// The terminal's width, in columns; `None` where there is no terminal.
    pub(super) width: Option<u16>,
    /// Whether colours are wanted.
    pub(super) colours: bool,
}

impl Look {
    /// Of standard output.
    pub(super) fn of_output() -> Self {
        let terminal = Table::new();
        let no_color = std::env::var_os("NO_COLOR").is_some_and(|value| !value.is_empty());
        let dumb = std::env::var_os("TERM").is_some_and(|value| value == "dumb");
        Self {
            width: terminal.width().filter(|_| terminal.is_tty()),
            colours: terminal.is_tty() && !no_color && !dumb,
        }
    }
}

/// What a cell wants to say by its colour.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Tone {
    /// Nothing.
    Plain,
    /// All is well.
    Good,
    /// Somebody may want to look.
    Notable,
    /// Somebody has to look.
    Bad,
}

/// A text and its tone.
pub(super) type Toned = (String, Tone);

/// A text without a tone.
pub(super) fn plain(text: impl Into<String>) -> Toned {
    (text.into(), Tone::Plain)
}

/// Lines under headings; texts of others are made harmless here.
pub(super) fn rows(look: Look, headings: &[&str], rows: Vec<Vec<Toned>>) -> String {
    let mut table = start(look);
    let heading = |text: &&str| match look.colours {
        true => Cell::new(text).add_attribute(Attribute::Bold),
        false => Cell::new(text),
    };
    table.set_header(headings.iter().map(heading));
    for row in rows {
        table.add_row(row.into_iter().map(|toned| cell(look, toned)));
    }
    finish(&mut table)
}

/// Names and values, one pair a line.
pub(super) fn pairs(look: Look, pairs: Vec<(&str, Toned)>) -> String {
    let mut table = start(look);
    for (name, value) in pairs {
        table.add_row([cell(look, plain(name)), cell(look, value)]);
    }
    finish(&mut table)
}

fn start(look: Look) -> Table {
    let mut table = Table::new();
    table.load_preset(NOTHING).force_no_tty();
    if look.colours {
        table.enforce_styling();
    }
    if let Some(width) = look.width {
        table.set_content_arrangement(ContentArrangement::Dynamic);
        table.set_width(width);
    }
    table
}

fn cell(look: Look, (text, tone): Toned) -> Cell {
    let text = line(&text);
    let cell = Cell::new(if text.is_empty() { "-" } else { &text });
    match tone {
        Tone::Good if look.colours => cell.fg(Color::Green),
        Tone::Notable if look.colours => cell.fg(Color::Yellow),
        Tone::Bad if look.colours => cell.fg(Color::Red),
        _ => cell,
    }
}

fn finish(table: &mut Table) -> String {
    for column in table.column_iter_mut() {
        column.set_padding((0, 2));
    }
    let last = table.column_count().saturating_sub(1);
    if let Some(column) = table.column_mut(last) {
        column.set_padding((0, 0));
    }
    table.trim_fmt() + "\n"
}
