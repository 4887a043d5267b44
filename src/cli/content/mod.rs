//! `content`: knowledge tables, filled and shown without a server, or beside one.

mod arguments;
mod shown;

use std::process::ExitCode;

use secrecy::SecretString;

pub(super) use self::arguments::Content;
use self::arguments::{Action, Unwanted};
use super::{Options, WRONG, answer, complain, configuration};
use crate::app::content::{
    self, ContentError, Export, Import, Imported, Removal, content_items, content_tables,
    export_content, import_content, remove_content,
};

/// Carries the command out.
pub(super) fn content(options: &Options, content: Content) -> ExitCode {
    let url = match configuration::read(options) {
        Ok(loaded) => loaded.settings.server.database_url,
        Err(code) => return code,
    };
    match act(&url, content.action) {
        Ok(text) => {
            answer(text.as_bytes());
            ExitCode::SUCCESS
        }
        Err(error) => {
            complain(&error);
            if error.is_usage() {
                ExitCode::from(WRONG)
            } else {
                ExitCode::FAILURE
            }
        }
    }
}

fn act(url: &SecretString, action: Action) -> Result<String, ContentError> {
    match action {
        Action::Import {
            file,
            table,
            format,
        } => {
            let file = Some(file).filter(|file| file.as_os_str() != "-");
            let (table, format) = (table, format.map(Into::into));
            let wish = Import {
                file,
                table,
                format,
            };
            import_content(url, &wish).map(|imported| said(&imported, &wish.table))
        }
        Action::List { table, limit, json } => list(url, table.as_deref(), limit, json),
        Action::Export {
            table,
            format,
            output,
        } => {
            let wish = Export {
                table,
                format: format.into(),
                output,
            };
            let many = export_content(url, &wish)?;
            let written = wish.output.map(|output| output.display().to_string());
            Ok(written.map_or_else(String::new, |name| format!("{} in {name}\n", counted(many))))
        }
        Action::Remove { table, which } => {
            let removed = remove_content(url, &table, &which.into())?;
            Ok(format!("{} removed from {table}\n", counted(removed)))
        }
    }
}

fn list(
    url: &SecretString,
    table: Option<&str>,
    limit: u32,
    json: bool,
) -> Result<String, ContentError> {
    Ok(match (table, json) {
        (Some(table), true) => {
            let items = content_items(url, table, limit)?.into_iter();
            shown::document(items.map(content::item_as_json))
        }
        (Some(table), false) => shown::items(&content_items(url, table, limit)?),
        (None, true) => {
            shown::document(content_tables(url)?.into_iter().map(content::table_as_json))
        }
        (None, false) => shown::tables(&content_tables(url)?),
    })
}

fn said(imported: &Imported, table: &str) -> String {
    let Imported {
        items,
        added,
        replaced,
        repeated,
    } = imported;
    let mut text = format!(
        "{} into {table}: {added} added, {replaced} took the place of others\n",
        counted(*items)
    );
    if *repeated > 0 {
        text += &format!(
            "{} had the key of a later one in the file, which is the one that counts\n",
            counted(*repeated)
        );
    }
    text
}

fn counted(items: u64) -> String {
    match items {
        1 => "1 item".into(),
        many => format!("{many} items"),
    }
}

impl From<Unwanted> for Removal {
    fn from(which: Unwanted) -> Self {
        match which {
            Unwanted { key: Some(key), .. } => Self::Key(key),
            Unwanted { id: Some(id), .. } => Self::Id(id),
            Unwanted { .. } => Self::All,
        }
    }
}
