//! The log as comma-separated values (RFC 4180).

use super::entry::{LogEntry, LogSubject};
use crate::download::csv_line;
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
    csv_line(fields)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_line_has_as_many_cells_as_the_first_one() {
        let commas = |line: &str| line.matches(',').count();
        assert_eq!(commas(&line(&LogEntry::default())), commas(HEADER));
    }
}
