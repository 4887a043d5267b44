//! Prometheus's text format (version 0.0.4), for families that are written out directly.

use std::{
    fmt::{Display, Write},
    sync::Arc,
};

/// What a family is.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct About {
    /// With the namespace.
    pub name: String,
    /// What it says, in which unit, and when it moves.
    pub help: String,
    /// `counter`, `gauge` or `histogram`.
    pub kind: &'static str,
    /// The names of its labels.
    pub labels: Vec<String>,
}

/// A family of the catalogue whose values are kept elsewhere.
pub(super) type Family = Arc<About>;

/// A family with its values, as it stands in an answer.
pub(super) struct Written {
    /// With the namespace.
    pub(super) name: String,
    /// HELP, TYPE and samples.
    pub(super) text: String,
    /// How many samples.
    pub(super) series: usize,
}

impl Written {
    /// No values yet.
    pub(super) fn empty(about: &About) -> Self {
        let About {
            name, help, kind, ..
        } = about;
        let help = help.replace('\\', r"\\").replace('\n', r"\n");
        Self {
            name: name.clone(),
            text: format!("# HELP {name} {help}\n# TYPE {name} {kind}\n"),
            series: 0,
        }
    }

    /// One sample; `suffix` comes behind the name, and `labels` are [written](label), with commas between them.
    pub(super) fn sample(&mut self, suffix: &str, labels: &[&str], value: impl Display) {
        self.series += 1;
        self.text.push_str(&self.name);
        self.text.push_str(suffix);
        for (n, part) in labels.iter().enumerate() {
            self.text.push(if n == 0 { '{' } else { ',' });
            self.text.push_str(part);
        }
        if !labels.is_empty() {
            self.text.push('}');
        }
        // Writing into memory does not fail.
        let _ = writeln!(self.text, " {value}");
    }
}

/// A label as it stands between braces, whatever its value is.
pub(super) fn label(name: &str, value: &str) -> String {
    let mut text = String::with_capacity(name.len() + value.len() + 3);
    text.push_str(name);
    text.push_str("=\"");
    for c in value.chars() {
        match c {
            '\\' => text.push_str(r"\\"),
            '"' => text.push_str("\\\""),
            '\n' => text.push_str(r"\n"),
            c => text.push(c),
        }
    }
    text.push('"');
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_value_cannot_leave_its_quotes_and_a_help_text_cannot_leave_its_line() {
        assert_eq!(label("a", "x\"} 1\n\\"), r#"a="x\"} 1\n\\""#);
        let about = About {
            name: "n".into(),
            help: "one\ntwo \\ three".into(),
            kind: "gauge",
            labels: Vec::new(),
        };
        let mut written = Written::empty(&about);
        written.sample("", &[], 1);
        written.sample("_sum", &["a=\"b\"", "c=\"d\""], 0.5);
        let right =
            "# HELP n one\\ntwo \\\\ three\n# TYPE n gauge\nn 1\nn_sum{a=\"b\",c=\"d\"} 0.5\n";
        assert_eq!((written.text.as_str(), written.series), (right, 2));
    }
}
