//! What commands print: JSON for programs, or lines of names and values for people.

use std::io::{self, Write};
use std::sync::mpsc::channel;
use std::thread;
use std::time::{Duration, SystemTime};

use serde_json::Value;

/// How long a process that ends waits for its last words to be read.
const LAST_WORDS: Duration = Duration::from_secs(1);

/// Prints what a server has to say at its start. It neither waits for a reader nor fails without one: whoever serves must
/// not depend on who watches.
pub(super) fn announce(text: String) {
    drop(write_aside(io::stdout(), text));
}

/// Says on stderr why the process ends; a reader that takes nothing does not hold it up for long.
pub(super) fn complain(text: &str) {
    let _ = write_aside(io::stderr(), text.to_owned()).recv_timeout(LAST_WORDS);
}

/// Writes the text in a thread of its own; the answer's other end is dropped when that is done.
fn write_aside(mut to: impl Write + Send + 'static, text: String) -> std::sync::mpsc::Receiver<()> {
    let (done, written) = channel::<()>();
    // If there is no thread to be had, nobody is told.
    let _ = thread::Builder::new().name("announcer".into()).spawn(move || {
        let _ = to.write_all(text.as_bytes()).and_then(|()| to.flush());
        drop(done);
    });
    written
}

/// Prints an object: as JSON, or with a line for each field.
pub(super) fn object(json: bool, value: &Value) {
    if json {
        println!("{value}");
        return;
    }
    let mut lines = Vec::new();
    flatten("", value, &mut lines);
    let width = lines.iter().map(|(name, _)| name.len()).max().unwrap_or(0);
    for (name, text) in lines {
        println!("{name:width$}  {text}");
    }
}

/// Prints a list of objects: as a JSON array, or as a table of the named fields.
pub(super) fn table(json: bool, values: &[Value], columns: &[&str]) {
    if json {
        println!("{}", Value::from(values));
        return;
    }
    let rows: Vec<Vec<String>> =
        values.iter().map(|value| columns.iter().map(|name| text(name, &value[*name])).collect()).collect();
    let width = |column: usize| {
        let cells = rows.iter().map(|row| row[column].chars().count());
        cells.chain([columns[column].len()]).max().unwrap_or(0)
    };
    let widths: Vec<usize> = (0..columns.len()).map(width).collect();
    let line = |cells: Vec<String>| {
        let padded: Vec<String> = cells.iter().zip(&widths).map(|(cell, width)| format!("{cell:width$}")).collect();
        println!("{}", padded.join("  ").trim_end());
    };
    line(columns.iter().map(|name| name.replace('_', " ").to_uppercase()).collect());
    rows.into_iter().for_each(line);
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
    const TIMES: [&str; 9] = [
        "revoked",
        "created",
        "last_modified",
        "last modified",
        "expires",
        "last_used",
        "last used",
        "overlap_until",
        "overlap until",
    ];
    match value {
        Value::Null => "-".into(),
        Value::Bool(true) => "yes".into(),
        Value::Bool(false) => "no".into(),
        Value::String(text) => text.clone(),
        Value::Object(fields) => fields.iter().map(|(name, value)| text(name, value)).collect::<Vec<_>>().join(" "),
        Value::Number(number) if TIMES.iter().any(|time| name.ends_with(time)) => {
            let time = number.as_u64().and_then(|time| SystemTime::UNIX_EPOCH.checked_add(Duration::from_millis(time)));
            time.map_or_else(|| number.to_string(), |time| humantime::format_rfc3339_seconds(time).to_string())
        }
        other => other.to_string(),
    }
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
}
