//! The log as comma-separated values (RFC 4180).

use super::entry::{LogEntry, LogSubject};
use crate::timestamp::iso;

/// The first line.
pub(super) const HEADER: &str = "time,request_id,method,path,status,scim_type,detail,action,because,resource_type,\
     resource_id,resource_name,token_generation,user_agent,sender_address,milliseconds,bytes_received,bytes_sent,component\r\n";

/// The line of an entry.
pub(super) fn line(entry: &LogEntry) -> String {
    let subject = entry.subject.as_ref();
    let text = |value: &Option<String>| value.clone().unwrap_or_default();
    let of = |field: fn(&LogSubject) -> &String| subject.map(field).cloned().unwrap_or_default();
    let fields = [
        iso(entry.time),
        entry.request_id.clone(),
        entry.method.clone(),
        entry.path.clone(),
        entry.status.to_string(),
        text(&entry.scim_type),
        text(&entry.detail),
        text(&entry.action),
        entry.because.join("; "),
        of(|subject| &subject.resource_type),
        of(|subject| &subject.id),
        of(|subject| &subject.name),
        entry.token_generation.map(|generation| generation.to_string()).unwrap_or_default(),
        text(&entry.user_agent),
        text(&entry.sender_address),
        entry.duration.to_string(),
        entry.bytes_received.to_string(),
        entry.bytes_sent.to_string(),
        entry.component.clone(),
    ];
    fields.map(|field| cell(&field)).join(",") + "\r\n"
}

/// Quoted where it must be. What a spreadsheet would take for a formula gets an apostrophe in front: anyone who can
/// send a request writes into this file.
fn cell(text: &str) -> String {
    let formula = text.starts_with(['=', '+', '-', '@', '\t', '\r']);
    let text = if formula { format!("'{text}") } else { text.to_owned() };
    if text.contains(['"', ',', '\n', '\r']) { format!("\"{}\"", text.replace('"', "\"\"")) } else { text }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn cells_are_quoted_and_are_no_formulas() {
        for (text, expected) in [
            ("a b", "a b"),
            ("a,b", "\"a,b\""),
            ("say \"a\"", "\"say \"\"a\"\"\""),
            ("a\r\nb", "\"a\r\nb\""),
            ("=1+1", "'=1+1"),
            ("@SUM(A1,B1)", "\"'@SUM(A1,B1)\""),
        ] {
            assert_eq!(cell(text), expected);
        }
    }

    #[test]
    fn a_line_has_as_many_cells_as_the_first_one() {
        let commas = |line: &str| line.matches(',').count();
        assert_eq!(commas(&line(&LogEntry::default())), commas(HEADER));
    }
}
