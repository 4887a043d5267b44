//! Lines for programs: one JSON object each, with the fields of the event beside `timestamp`, `level`, `message` and
//! `target`, and those of the span around it in `span`.

use std::{
    borrow::Cow,
    error::Error,
    fmt::{self, Debug},
    io,
};

use serde::Serialize;
use serde_json::{Map, Serializer, Value, ser::Formatter};
use tracing::{
    Event, Subscriber,
    field::{Field, Visit},
};
use tracing_subscriber::{
    fmt::{
        FmtContext, FormatEvent, FormatFields, FormattedFields,
        format::Writer,
        time::{FormatTime, SystemTime},
    },
    registry::LookupSpan,
};

use super::escape::{bounded, is_dangerous};
use crate::telemetry::traces;

/// Lines of events. The fields of spans have to be JSON objects already.
pub(super) struct Json;

impl<S, N> FormatEvent<S, N> for Json
where
    S: Subscriber + for<'a> LookupSpan<'a>,
    N: for<'a> FormatFields<'a> + 'static,
{
    fn format_event(
        &self,
        context: &FmtContext<'_, S, N>,
        mut out: Writer<'_>,
        event: &Event<'_>,
    ) -> fmt::Result {
        let mut time = String::new();
        SystemTime.format_time(&mut Writer::new(&mut time))?;
        let mut fields = Fields::default();
        event.record(&mut fields);
        let target = fields
            .target
            .unwrap_or_else(|| event.metadata().target().into());
        let mut line = Line::default();
        line.add("timestamp", time);
        line.add("level", event.metadata().level().as_str());
        line.0.extend(fields.all);
        line.add("target", target);
        if let Some(span) = span(context) {
            line.add("span", span);
        }
        if let Some((trace, span)) = traces::names() {
            line.add("trace_id", trace);
            line.add("span_id", span);
        }
        writeln!(out, "{}", written(&line).map_err(|_| fmt::Error)?)
    }
}

/// Names that are the line's own; a field that is called so gets a `_` behind it.
const OWN: [&str; 6] = [
    "timestamp",
    "level",
    "target",
    "span",
    "trace_id",
    "span_id",
];

/// An object whose members stay in their order.
#[derive(Default)]
struct Line(Vec<(Cow<'static, str>, Value)>);

impl Line {
    fn add(&mut self, name: &'static str, value: impl Into<Value>) {
        self.0.push((name.into(), value.into()));
    }
}

impl Serialize for Line {
    fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_map(self.0.iter().map(|(name, value)| (name, value)))
    }
}

/// The innermost span: its name and fields.
fn span<S, N>(context: &FmtContext<'_, S, N>) -> Option<Value>
where
    S: Subscriber + for<'a> LookupSpan<'a>,
    N: for<'a> FormatFields<'a> + 'static,
{
    let span = context.lookup_current()?;
    let extensions = span.extensions();
    let fields = extensions.get::<FormattedFields<N>>();
    let fields = fields.and_then(|fields| serde_json::from_str(fields.as_str()).ok());
    let mut fields: Map<String, Value> = fields.unwrap_or_default();
    for value in fields.values_mut() {
        if let Value::String(text) = value {
            *text = bounded(std::mem::take(text));
        }
    }
    fields.insert("name".into(), span.name().into());
    Some(fields.into())
}

#[derive(Default)]
struct Fields {
    all: Vec<(Cow<'static, str>, Value)>,
    /// What the crate `log` calls the target.
    target: Option<String>,
}

impl Fields {
    fn add(&mut self, field: &Field, value: Value) {
        match (field.name(), value) {
            ("log.target", Value::String(target)) => self.target = Some(target),
            (name, _) if name.starts_with("log.") => {}
            (name, value) => {
                let name = name.trim_start_matches("r#");
                let own = OWN.contains(&name);
                let name = if own {
                    format!("{name}_").into()
                } else {
                    name.into()
                };
                self.all.push((name, value));
            }
        }
    }
}

impl Visit for Fields {
    fn record_f64(&mut self, field: &Field, value: f64) {
        let number = serde_json::Number::from_f64(value).map(Value::from);
        self.add(field, number.unwrap_or_else(|| value.to_string().into()));
    }

    fn record_i64(&mut self, field: &Field, value: i64) {
        self.add(field, value.into());
    }

    fn record_u64(&mut self, field: &Field, value: u64) {
        self.add(field, value.into());
    }

    fn record_u128(&mut self, field: &Field, value: u128) {
        let number = u64::try_from(value).map(Value::from);
        self.add(field, number.unwrap_or_else(|_| value.to_string().into()));
    }

    fn record_bool(&mut self, field: &Field, value: bool) {
        self.add(field, value.into());
    }

    fn record_str(&mut self, field: &Field, value: &str) {
        self.add(field, bounded(value.to_owned()).into());
    }

    fn record_error(&mut self, field: &Field, value: &(dyn Error + 'static)) {
        self.add(field, bounded(value.to_string()).into());
    }

    fn record_debug(&mut self, field: &Field, value: &dyn Debug) {
        self.add(field, bounded(format!("{value:?}")).into());
    }
}

/// JSON in ASCII where a character could end a line or steer a terminal.
fn written(line: &impl Serialize) -> Result<String, serde_json::Error> {
    let mut bytes = Vec::with_capacity(256);
    line.serialize(&mut Serializer::with_formatter(&mut bytes, Plain))?;
    Ok(String::from_utf8_lossy(&bytes).into_owned())
}

struct Plain;

impl Formatter for Plain {
    fn write_string_fragment<W>(&mut self, out: &mut W, fragment: &str) -> io::Result<()>
    where
        W: ?Sized + io::Write,
    {
        let mut rest = fragment;
        while let Some(at) = rest.find(is_dangerous) {
            let (before, behind) = rest.split_at_checked(at).unwrap_or_default();
            out.write_all(before.as_bytes())?;
            let mut behind = behind.chars();
            let c = behind.next().unwrap_or_default();
            write!(out, "\\u{:04x}", u32::from(c))?;
            rest = behind.as_str();
        }
        out.write_all(rest.as_bytes())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_line_is_one_object_whatever_is_in_it() {
        let text = "a\nb\u{2028}\u{202e}\u{7f}\u{1b}\"\\é";
        let line = written(&serde_json::json!({ "message": text })).unwrap();
        assert_eq!(line, r#"{"message":"a\nb\u2028\u202e\u007f\u001b\"\\é"}"#);
        let read: Value = serde_json::from_str(&line).unwrap();
        assert_eq!(read["message"], text);
    }
}
