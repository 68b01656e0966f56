//! Prints the results of commands: as JSON for programs, or as lines of names and values for people.

use std::io::{self, ErrorKind, Write};
use std::sync::OnceLock;
use std::sync::mpsc::channel;
use std::thread;
use std::time::{Duration, SystemTime};

use anyhow::bail;
use serde_json::Value;

/// How long a process that ends waits until its last message is read.
const LAST_WORDS: Duration = Duration::from_secs(1);
/// The first error that has occurred when the command printed something.
static UNWRITTEN: OnceLock<io::Error> = OnceLock::new();

/// Prints the text. If a reader has read enough and is gone, such as `head`, this is no error. Any other error is kept
/// for [`finish`], since the command has done its work when it prints.
pub(super) fn print(text: &str) {
    let mut out = io::stdout().lock();
    match out.write_all(text.as_bytes()).and_then(|()| out.flush()) {
        Err(error) if error.kind() != ErrorKind::BrokenPipe => drop(UNWRITTEN.set(error)),
        _ => {}
    }
}

/// Tells at the end of a command whether all that it printed was written.
pub(super) fn finish() -> anyhow::Result<()> {
    match UNWRITTEN.get() {
        Some(error) => bail!("the command has done its work, but its output can't be written: {error}"),
        None => Ok(()),
    }
}

/// Prints what a server has to say at its start. It neither waits for a reader nor fails without one, since serving
/// must not depend on who reads the output.
pub(super) fn announce(text: String) {
    drop(write_aside(io::stdout(), text));
}

/// Prints a message on stderr, such as the reason why the process ends. If nobody reads it, the process waits only for
/// a moment.
pub(super) fn complain(text: &str) {
    let _ = write_aside(io::stderr(), text.to_owned()).recv_timeout(LAST_WORDS);
}

/// Writes the text in a thread of its own. When the text is written, the sender of the returned receiver is dropped.
fn write_aside(mut to: impl Write + Send + 'static, text: String) -> std::sync::mpsc::Receiver<()> {
    let (done, written) = channel::<()>();
    // If no thread can be started, the text is not written.
    let _ = thread::Builder::new().name("announcer".into()).spawn(move || {
        let _ = to.write_all(text.as_bytes()).and_then(|()| to.flush());
        drop(done);
    });
    written
}

/// Prints an object: as JSON, or with a line for each field.
pub(super) fn object(json: bool, value: &Value) {
    if json {
        print(&format!("{value}\n"));
        return;
    }
    let mut lines = Vec::new();
    flatten("", value, &mut lines);
    let width = lines.iter().map(|(name, _)| name.len()).max().unwrap_or(0);
    let lines: Vec<String> = lines.iter().map(|(name, text)| format!("{name:width$}  {text}\n")).collect();
    print(&lines.concat());
}

/// Prints a list of objects: as a JSON array, or as a table of the named fields.
pub(super) fn table(json: bool, values: &[Value], columns: &[&str]) {
    if json {
        print(&format!("{}\n", Value::from(values)));
        return;
    }
    let headings: Vec<String> = columns.iter().map(|name| heading(name)).collect();
    let rows: Vec<Vec<String>> =
        values.iter().map(|value| columns.iter().map(|name| text(name, &value[*name])).collect()).collect();
    let width = |column: usize| {
        let cells = rows.iter().map(|row| row[column].chars().count());
        cells.chain([headings[column].len()]).max().unwrap_or(0)
    };
    let widths: Vec<usize> = (0..columns.len()).map(width).collect();
    let line = |cells: &Vec<String>| {
        let padded: Vec<String> = cells.iter().zip(&widths).map(|(cell, width)| format!("{cell:width$}")).collect();
        format!("{}\n", padded.join("  ").trim_end())
    };
    let lines: Vec<String> = std::iter::once(&headings).chain(&rows).map(line).collect();
    print(&lines.concat());
}

/// The heading of a column: the field's name in words.
fn heading(name: &str) -> String {
    let mut words = String::new();
    for letter in name.chars() {
        match letter {
            '_' | '-' => words.push(' '),
            letter if letter.is_ascii_uppercase() => words.extend([' ', letter]),
            letter => words.push(letter.to_ascii_uppercase()),
        }
    }
    words
}

fn flatten(name: &str, value: &Value, lines: &mut Vec<(String, String)>) {
    match value {
        Value::Object(fields) => {
            for (field, value) in fields {
                let field = field.replace(['_', '-'], " ");
                let name = if name.is_empty() { field } else { format!("{name} {field}") };
                flatten(&name, value, lines);
            }
        }
        Value::Array(values) => {
            let texts: Vec<String> = values.iter().map(|value| text(name, value)).collect();
            lines.push((name.to_owned(), if texts.is_empty() { "-".into() } else { texts.join(", ") }));
        }
        value => lines.push((name.to_owned(), text(name, value))),
    }
}

fn text(name: &str, value: &Value) -> String {
    match value {
        Value::Null => "-".into(),
        Value::Bool(true) => "yes".into(),
        Value::Bool(false) => "no".into(),
        Value::String(text) => visible(text),
        Value::Array(values) if values.is_empty() => "-".into(),
        Value::Array(values) => values.iter().map(|value| text(name, value)).collect::<Vec<_>>().join(", "),
        Value::Object(fields) => fields.iter().map(|(name, value)| text(name, value)).collect::<Vec<_>>().join(" "),
        Value::Number(number) if is_time(name) => {
            let time = number.as_u64().and_then(|time| SystemTime::UNIX_EPOCH.checked_add(Duration::from_millis(time)));
            time.map_or_else(|| number.to_string(), |time| humantime::format_rfc3339_seconds(time).to_string())
        }
        other => other.to_string(),
    }
}

/// Whether a number of this name is a time, in milliseconds since the Unix epoch.
fn is_time(name: &str) -> bool {
    const ENDS: [&str; 16] = [
        "since",
        "last",
        "keys fetched",
        "revoked",
        "created",
        "last modified",
        "expires",
        "last used",
        "overlap until",
        "failing since",
        "holding since",
        "next attempt",
        "last attempt",
        "last success",
        "last polled",
        "last request",
    ];
    let name = name.replace('_', " ");
    name == "time" || name == "told" || ENDS.iter().any(|end| name.ends_with(end))
}

/// The text in a form that is safe for a terminal, since names come from identity providers. Characters that would move
/// the cursor, change colours or turn the direction of the text beside them are written as escapes, such as `\u{1b}`.
pub(super) fn visible(text: &str) -> String {
    let mut shown = String::with_capacity(text.len());
    for letter in text.chars() {
        let turns = matches!(letter, '\u{2028}'..='\u{202e}' | '\u{2066}'..='\u{2069}');
        if turns || letter.is_control() {
            shown.extend(letter.escape_default());
        } else {
            shown.push(letter);
        }
    }
    shown
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn an_object_becomes_lines_with_times_that_people_read() {
        let mut lines = Vec::new();
        let value = json!({"id": "a", "status": {"last_used": 1_000, "expires": null}, "domains": ["x", "y"]});
        flatten("", &value, &mut lines);
        let expected =
            [("id", "a"), ("status last used", "1970-01-01T00:00:01Z"), ("status expires", "-"), ("domains", "x, y")];
        assert_eq!(lines, expected.map(|(name, text)| (name.to_owned(), text.to_owned())));
    }

    #[test]
    fn every_time_of_a_table_is_one_that_people_read_and_other_numbers_stay() {
        for name in
            ["time", "created", "secret_created", "failing_since", "last_polled", "last_request", "token_expires"]
        {
            assert_eq!(text(name, &json!(1_000)), "1970-01-01T00:00:01Z", "{name}");
        }
        for name in ["attempts", "status", "seats", "downtime"] {
            assert_eq!(text(name, &json!(1_000)), "1000", "{name}");
        }
        assert_eq!(text("troubles", &json!(["seats-full", "emails-parked"])), "seats-full, emails-parked");
        assert_eq!(text("troubles", &json!([])), "-");
        assert_eq!(["requestId", "last_used", "id"].map(heading), ["REQUEST ID", "LAST USED", "ID"]);
    }

    #[test]
    fn a_name_can_not_take_over_the_terminal() {
        let shown = text("name", &json!("a\u{1b}[2J\n\u{202e}b\u{2066}c"));
        assert_eq!(shown, "a\\u{1b}[2J\\n\\u{202e}b\\u{2066}c");
        assert_eq!(
            text("name", &json!("Zoë العربية 日本 \u{200f}")),
            "Zoë العربية 日本 \u{200f}",
            "names are left alone"
        );
    }
}
