//! Lines for people: `time LEVEL span{field=value}: message field=value trace_id=…`.

use std::{
    error::Error,
    fmt::{self, Debug, Write},
};

use tracing::{
    Event, Level, Subscriber,
    field::{Field, Visit},
};
use tracing_subscriber::{
    field::RecordFields,
    fmt::{
        FmtContext, FormatEvent, FormatFields, FormattedFields,
        format::Writer,
        time::{FormatTime, SystemTime},
    },
    registry::LookupSpan,
};

use super::escape::Escaped;
use crate::telemetry::traces;

/// Lines of events.
pub(super) struct Text;

impl<S, N> FormatEvent<S, N> for Text
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
        SystemTime.format_time(&mut out)?;
        level(&mut out, *event.metadata().level())?;
        let mut spans = false;
        for span in context
            .event_scope()
            .into_iter()
            .flat_map(|it| it.from_root())
        {
            spans = true;
            out.write_str(span.name())?;
            let extensions = span.extensions();
            if let Some(fields) = extensions
                .get::<FormattedFields<N>>()
                .filter(|it| !it.is_empty())
            {
                write!(out, "{{{}}}", fields.as_str())?;
            }
            out.write_char(':')?;
        }
        if spans {
            out.write_char(' ')?;
        }
        context.format_fields(out.by_ref(), event)?;
        if let Some((trace, span)) = traces::names() {
            write!(out, " trace_id={trace} span_id={span}")?;
        }
        out.write_char('\n')
    }
}

fn level(out: &mut Writer<'_>, level: Level) -> fmt::Result {
    if !out.has_ansi_escapes() {
        return write!(out, " {level:>5} ");
    }
    let colour = match level {
        Level::ERROR => 31,
        Level::WARN => 33,
        Level::INFO => 32,
        Level::DEBUG => 34,
        Level::TRACE => 35,
    };
    write!(out, " \u{1b}[{colour}m{level:>5}\u{1b}[0m ")
}

/// Fields of events and of spans.
pub(super) struct Fields;

impl<'a> FormatFields<'a> for Fields {
    fn format_fields<R: RecordFields>(&self, out: Writer<'a>, fields: R) -> fmt::Result {
        let mut line = Line {
            out,
            empty: true,
            result: Ok(()),
        };
        fields.record(&mut line);
        line.result
    }
}

struct Line<'a> {
    out: Writer<'a>,
    empty: bool,
    result: fmt::Result,
}

impl Line<'_> {
    fn add(&mut self, name: &str, value: fmt::Arguments<'_>) {
        // What the crate `log` tells of its callers.
        if self.result.is_ok() && !name.starts_with("log.") {
            self.result = self.write(name, value);
        }
    }

    fn write(&mut self, name: &str, value: fmt::Arguments<'_>) -> fmt::Result {
        if !std::mem::replace(&mut self.empty, false) {
            self.out.write_char(' ')?;
        }
        if name != "message" {
            write!(self.out, "{}=", name.trim_start_matches("r#"))?;
        }
        Escaped::new(&mut self.out).write_fmt(value)
    }
}

impl Visit for Line<'_> {
    fn record_debug(&mut self, field: &Field, value: &dyn Debug) {
        self.add(field.name(), format_args!("{value:?}"));
    }

    fn record_str(&mut self, field: &Field, value: &str) {
        match field.name() {
            "message" => self.add("message", format_args!("{value}")),
            name => self.add(name, format_args!("{value:?}")),
        }
    }

    fn record_error(&mut self, field: &Field, value: &(dyn Error + 'static)) {
        self.add(field.name(), format_args!("{value}"));
    }
}
