//! Renders the templates of one table.

use serde_json::{Map, Value, json};

use super::{MAX_FIELD_NAME, MAX_FIELD_VALUE, MAX_FIELDS, Part, color};
use crate::skills::{
    content_formatter::{
        template::{self, Variables},
        text::cut,
    },
    settings::{table, text},
};

/// Templates under one table, and what they are rendered with.
pub(super) struct Page<'a> {
    pub(super) settings: &'a Map<String, Value>,
    pub(super) variables: &'a Variables,
    /// Where the table stands, for errors.
    pub(super) prefix: &'a str,
}

impl Page<'_> {
    /// The rendered template under `key`, trimmed; `None` when it is absent or empty.
    fn rendered(&self, key: &str) -> Result<Option<String>, String> {
        let Some(value) = self.settings.get(key) else {
            return Ok(None);
        };
        let named = |why| format!("{}{key}: {why}", self.prefix);
        let rendered = template::render(text(value).map_err(named)?, self.variables);
        let rendered = rendered.map_err(named)?;
        let trimmed = rendered.trim();
        Ok((!trimmed.is_empty()).then(|| trimmed.to_owned()))
    }

    pub(super) fn text(
        &self,
        key: &str,
        longest: usize,
    ) -> Result<Option<(String, Value)>, String> {
        let text = self.rendered(key)?;
        Ok(text.map(|text| (key.to_owned(), cut(&text, longest).into())))
    }

    pub(super) fn link(&self, key: &str) -> Result<Option<(String, Value)>, String> {
        let Some(link) = self.rendered(key)? else {
            return Ok(None);
        };
        let web = link.starts_with("https://") || link.starts_with("http://");
        if !web || link.len() > 2048 || link.contains(char::is_whitespace) {
            let shown = crate::domain::text::bounded(&link, 80);
            return Err(format!(
                "{}{key}: `{shown}` is no http or https address",
                self.prefix
            ));
        }
        Ok(Some((key.to_owned(), link.into())))
    }

    pub(super) fn part(&self, key: &str, part: &Part) -> Result<Option<Value>, String> {
        let Some(Value::Object(settings)) = self.settings.get(key) else {
            let text = self.rendered(key)?;
            return Ok(text.map(|text| json!({ part.text: cut(&text, part.longest) })));
        };
        let page = Page {
            settings,
            variables: self.variables,
            prefix: &format!("{}{key}.", self.prefix),
        };
        let Some(text) = page.text(part.text, part.longest)? else {
            return Ok(None);
        };
        let mut rendered = Map::from_iter([text]);
        for link in part.links {
            rendered.extend(page.link(link)?);
        }
        Ok(Some(Value::Object(rendered)))
    }

    /// Discord wants both texts of a field; one that lacks either is left out.
    pub(super) fn fields(&self) -> Result<Vec<Value>, String> {
        let list = self.settings.get("fields").and_then(Value::as_array);
        let mut fields = Vec::new();
        for (place, settings) in list.into_iter().flatten().take(MAX_FIELDS).enumerate() {
            let page = Page {
                settings: table(settings)?,
                variables: self.variables,
                prefix: &format!("{}fields.{}.", self.prefix, place + 1),
            };
            let name = page.text("name", MAX_FIELD_NAME)?;
            let value = page.text("value", MAX_FIELD_VALUE)?;
            if let (Some(name), Some(value)) = (name, value) {
                let inline = page.settings.get("inline") == Some(&Value::Bool(true));
                let inline = ("inline".to_owned(), inline.into());
                fields.push(Value::Object(Map::from_iter([name, value, inline])));
            }
        }
        Ok(fields)
    }

    pub(super) fn color(&self) -> Result<Option<Value>, String> {
        let value = match self.settings.get("color") {
            Some(Value::String(_)) => self.rendered("color")?.map(Value::String),
            other => other.cloned(),
        };
        let color = value.as_ref().map(color).transpose();
        let color = color.map_err(|why| format!("{}color: {why}", self.prefix))?;
        Ok(color.map(Value::from))
    }
}
