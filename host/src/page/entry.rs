//! One entry of the log of SCIM requests, as a line and in full.

use super::when::When;
pub(super) use crate::journal::LogEntry as Entry;
use askama::Template;
use percent_encoding::percent_decode_str;

/// How the page shows it.
impl Entry {
    /// How the status is shown.
    pub(super) fn tone(&self) -> &'static str {
        match self.status {
            200..400 => "good",
            0 | 500.. => "bad",
            _ => "warn",
        }
    }

    /// `User` as people call it.
    pub(super) fn kind(&self) -> &str {
        match self.subject.as_ref().map(|subject| subject.resource_type.as_str()) {
            Some("User") => "Member",
            Some("Group") => "Team",
            Some(other) => other,
            None => "",
        }
    }

    /// Where the page shows whom it concerned, if that is a member or a team and was not deleted by this request.
    pub(super) fn view_of_subject(&self) -> Option<String> {
        let subject = self.subject.as_ref().filter(|subject| !subject.id.is_empty())?;
        let view = match subject.resource_type.as_str() {
            "User" => "members",
            "Group" => "teams",
            _ => return None,
        };
        (self.action.as_deref() != Some("deleted")).then(|| format!("{view}/{}", subject.id))
    }

    /// Where the entry is, below `logs/`.
    pub(super) fn position(&self) -> String {
        format!("{}-{}", self.time, self.request_id)
    }

    /// The path without its query, percent-encoding undone where it is text.
    pub(super) fn path_only(&self) -> String {
        readable(self.path.split('?').next().unwrap_or_default())
    }

    /// The path for a line: of an id only the end, which differs where beginnings are alike.
    pub(super) fn path_in_short(&self) -> String {
        let path = self.path_only();
        let short = |part: &str| match part.rsplit_once('-') {
            Some((_, end)) if part.len() == 36 && part.bytes().all(|byte| byte.is_ascii_hexdigit() || byte == b'-') => {
                format!("…{end}")
            }
            _ => part.to_owned(),
        };
        path.split('/').map(short).collect::<Vec<_>>().join("/")
    }

    /// The query as people read it; empty if there is none.
    pub(super) fn query_only(&self) -> String {
        self.path.split_once('?').map_or_else(String::new, |(_, query)| {
            let pairs: Vec<String> = query.split('&').map(|pair| readable(&pair.replace('+', " "))).collect();
            pairs.join(" &")
        })
    }
}

/// Undoes percent-encoding; as it was if that is no text, or would break the line.
fn readable(text: &str) -> String {
    match percent_decode_str(text).decode_utf8() {
        Ok(decoded) if !decoded.chars().any(char::is_control) => decoded.into_owned(),
        _ => text.to_owned(),
    }
}

/// A line of the log: a row of a table, also sent to those who follow it.
#[derive(Template)]
#[template(path = "log_row.html")]
pub(super) struct LogRow<'h> {
    pub(super) home: &'h str,
    pub(super) entry: Entry,
    pub(super) when: When,
}

impl<'h> LogRow<'h> {
    pub(super) fn new(home: &'h str, entry: Entry) -> Self {
        let when = When::bare(entry.time);
        Self { home, entry, when }
    }

    /// Rows of those that can be read.
    pub(super) fn all(home: &'h str, entries: &[String]) -> Vec<Self> {
        entries.iter().filter_map(|json| Entry::parse(json)).map(|entry| Self::new(home, entry)).collect()
    }
}

/// A template escapes by itself.
impl askama::filters::HtmlSafe for LogRow<'_> {}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_path_is_shown_as_people_read_it_unless_that_would_mislead() {
        assert_eq!(readable("/Users?filter=userName%20eq%20%22a%C3%BC%22"), "/Users?filter=userName eq \"aü\"");
        for path in ["/Users/%0a%0dx", "/Users/%ff", "/Users/%", "/Users/%zz", "/Users/%2"] {
            assert_eq!(readable(path), path);
        }
    }

    #[test]
    fn a_line_has_the_end_of_an_id_and_the_whole_of_anything_else() {
        let short = |path: &str| Entry { path: path.into(), ..Entry::default() }.path_in_short();
        assert_eq!(short("/Users/01a204fe-9a17-71d7-b671-4ef2d6b9a0b2?count=1"), "/Users/…4ef2d6b9a0b2");
        assert_eq!(short("/Users/a-rather-long-name-of-36-characters"), "/Users/a-rather-long-name-of-36-characters");
        assert_eq!(short("/Groups"), "/Groups");
    }

    #[test]
    fn a_row_escapes_what_clients_send() {
        let json = r#"{"time":1,"requestId":"a","path":"/<script>","detail":"<b>\"","status":404}"#;
        let row = LogRow::new("/home", Entry::parse(json).unwrap()).render().unwrap();
        assert!(!row.contains("<script>") && !row.contains("<b>"), "{row}");
    }
}
