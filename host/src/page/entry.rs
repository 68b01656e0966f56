//! An entry of the log of SCIM requests, as a line and in full.

use super::when::When;
pub(super) use crate::journal::LogEntry as Entry;
use askama::Template;
use percent_encoding::percent_decode_str;

/// The entry as the page shows it.
impl Entry {
    /// The look of the status.
    pub(super) fn tone(&self) -> &'static str {
        match self.status {
            200..400 => "good",
            0 | 500.. => "bad",
            _ => "warn",
        }
    }

    /// The name that people know for `User` and `Group`.
    pub(super) fn kind(&self) -> &str {
        match self.subject.as_ref().map(|subject| subject.resource_type.as_str()) {
            Some("User") => "Member",
            Some("Group") => "Team",
            Some(other) => other,
            None => "",
        }
    }

    /// The path of the view of the member or team that the request was about, unless this request has deleted it.
    pub(super) fn view_of_subject(&self) -> Option<String> {
        let subject = self.subject.as_ref().filter(|subject| !subject.id.is_empty())?;
        let view = match subject.resource_type.as_str() {
            "User" => "members",
            "Group" => "teams",
            _ => return None,
        };
        (self.action.as_deref() != Some("deleted")).then(|| format!("{view}/{}", subject.id))
    }

    /// The path of the entry, below `logs/`.
    pub(super) fn position(&self) -> String {
        format!("{}-{}", self.time, self.request_id)
    }

    /// The path without its query. Percent-encoding is decoded where the result is text.
    pub(super) fn path_only(&self) -> String {
        readable(self.path.split('?').next().unwrap_or_default())
    }

    /// The path in a short form. Of an id it shows only the end, since ids often have the same beginning.
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

    /// The decoded query; empty if there is none.
    pub(super) fn query_only(&self) -> String {
        self.path.split_once('?').map_or_else(String::new, |(_, query)| {
            let pairs: Vec<String> = query.split('&').map(|pair| readable(&pair.replace('+', " "))).collect();
            pairs.join(" &")
        })
    }
}

/// Decodes percent-encoding. The text stays as it is if the result would not be text or would contain a line break.
fn readable(text: &str) -> String {
    match percent_decode_str(text).decode_utf8() {
        Ok(decoded) if !decoded.chars().any(char::is_control) => decoded.into_owned(),
        _ => text.to_owned(),
    }
}

/// A line of the log: a row of a table. Live logs send it too.
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

    /// Rows for all entries that can be read.
    pub(super) fn all(home: &'h str, entries: &[String]) -> Vec<Self> {
        entries.iter().filter_map(|json| Entry::parse(json)).map(|entry| Self::new(home, entry)).collect()
    }
}

/// The template escapes its values itself.
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
