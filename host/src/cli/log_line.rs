//! The form of a log line: that of `tracing-subscriber`, and at its end the ids of the trace and of the span to which
//! the line belongs.

use std::fmt;

use tracing::{Event, Subscriber};
use tracing_subscriber::fmt::format::Writer;
use tracing_subscriber::fmt::{FmtContext, FormatEvent, FormatFields};
use tracing_subscriber::registry::LookupSpan;

use crate::traces;

/// Another form of lines, with `trace_id` and `span_id` at the end of each line that belongs to a span.
pub(super) struct Traced<F> {
    pub(super) form: F,
    /// Whether each line is a JSON object.
    pub(super) json: bool,
}

impl<S, N, F> FormatEvent<S, N> for Traced<F>
where
    S: Subscriber + for<'a> LookupSpan<'a>,
    N: for<'a> FormatFields<'a> + 'static,
    F: FormatEvent<S, N>,
{
    fn format_event(&self, context: &FmtContext<'_, S, N>, mut writer: Writer<'_>, event: &Event<'_>) -> fmt::Result {
        let Some((trace, span)) = traces::ids() else { return self.form.format_event(context, writer, event) };
        let mut line = String::new();
        self.form.format_event(context, Writer::new(&mut line), event)?;
        let line = line.trim_end_matches('\n');
        match line.strip_suffix('}').filter(|_| self.json) {
            Some(object) => writeln!(writer, "{object},\"trace_id\":\"{trace}\",\"span_id\":\"{span}\"}}"),
            None => writeln!(writer, "{line} trace_id={trace} span_id={span}"),
        }
    }
}
