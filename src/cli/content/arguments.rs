//! What `content` takes.

use std::path::PathBuf;

use clap::{Args, Subcommand, ValueEnum};

use crate::app::content::Format;

/// The command.
#[derive(Debug, Args)]
pub(in crate::cli) struct Content {
    #[command(subcommand)]
    pub(super) action: Action,
}

#[derive(Debug, Subcommand)]
pub(super) enum Action {
    /// Add the items of a file to a table, all or none; one with a known key takes the place of the stored one
    Import {
        /// The file; `-` is standard input
        file: PathBuf,
        /// The knowledge table; it is there as soon as it has an item
        #[arg(long)]
        table: String,
        /// What the file holds; without it the name says: .jsonl, .ndjson, .csv or .json
        #[arg(long)]
        format: Option<FileFormat>,
    },
    /// Show the tables, or the newest items of one
    List {
        /// The items of this table
        #[arg(long)]
        table: Option<String>,
        /// At most so many items
        #[arg(long, requires = "table", default_value_t = 50, value_parser = clap::value_parser!(u32).range(1..=10_000))]
        limit: u32,
        /// As JSON
        #[arg(long)]
        json: bool,
    },
    /// Write a table down so that it can be imported again, oldest items first
    Export {
        /// The knowledge table
        #[arg(long)]
        table: String,
        /// How
        #[arg(long, default_value = "jsonl")]
        format: LineFormat,
        /// Into this file, in place of standard output
        #[arg(long, short, value_name = "FILE")]
        output: Option<PathBuf>,
    },
    /// Remove items of a table; bots that have posted them do not get to know
    Remove {
        /// The knowledge table
        #[arg(long)]
        table: String,
        #[command(flatten)]
        which: Unwanted,
    },
}

/// Which items are to go.
#[derive(Debug, Args)]
#[group(required = true, multiple = false)]
pub(super) struct Unwanted {
    /// The item with this key
    #[arg(long)]
    pub(super) key: Option<String>,
    /// The item in this row
    #[arg(long)]
    pub(super) id: Option<i64>,
    /// Every item of the table
    #[arg(long)]
    pub(super) all: bool,
}

/// What a file may hold.
#[derive(Clone, Copy, Debug, ValueEnum)]
pub(super) enum FileFormat {
    /// One JSON object a line
    Jsonl,
    /// A line of column names, then one item a row
    Csv,
    /// One JSON object, or an array of them; up to 64 MiB
    Json,
}

impl From<FileFormat> for Format {
    fn from(format: FileFormat) -> Self {
        match format {
            FileFormat::Jsonl => Self::JsonLines,
            FileFormat::Csv => Self::Csv,
            FileFormat::Json => Self::Json,
        }
    }
}

/// What is written line by line.
#[derive(Clone, Copy, Debug, ValueEnum)]
pub(super) enum LineFormat {
    /// One JSON object a line
    Jsonl,
    /// A line of column names, then one item a row
    Csv,
}

impl From<LineFormat> for Format {
    fn from(format: LineFormat) -> Self {
        match format {
            LineFormat::Jsonl => Self::JsonLines,
            LineFormat::Csv => Self::Csv,
        }
    }
}
