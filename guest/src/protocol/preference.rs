//! The client's preferences (RFC 7240): to get an answer before the work is done, and how long to wait for the result.

use super::message::Request;

/// The preferences in a request.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Preference {
    /// `respond-async`: the client accepts 202 and gets the result later (RFC 7240 §4.1).
    pub respond_async: bool,
    /// `wait`: the client waits this many seconds (RFC 7240 §4.3).
    pub wait: Option<u32>,
}

impl Preference {
    /// Reads the `Prefer` header fields of a request. Unknown and invalid preferences are ignored, and of a preference
    /// that occurs several times the first one counts (RFC 7240 §2).
    #[must_use]
    pub fn of(request: &Request) -> Self {
        let (mut respond_async, mut wait) = (None, None);
        for (_, field) in request.headers.iter().filter(|(name, _)| name == "prefer") {
            for preference in parts(field, ',') {
                // Parameters of these two preferences have no meaning.
                let stated = parts(preference, ';').next().unwrap_or_default();
                let (name, value) = stated.split_once('=').map_or((stated, None), |(name, value)| (name, Some(value)));
                let value = value.map(|value| value.trim().trim_matches('"')).filter(|value| !value.is_empty());
                match name.trim() {
                    name if name.eq_ignore_ascii_case("respond-async") => {
                        respond_async.get_or_insert(value.is_none());
                    }
                    name if name.eq_ignore_ascii_case("wait") => {
                        wait.get_or_insert_with(|| value.and_then(|seconds| seconds.parse::<u32>().ok()));
                    }
                    _ => {}
                }
            }
        }
        Self { respond_async: respond_async.unwrap_or(false), wait: wait.flatten() }
    }
}

/// Splits a list. A separator in quotation marks does not split.
fn parts(text: &str, separator: char) -> impl Iterator<Item = &str> {
    let (mut is_quoted, mut is_escaped) = (false, false);
    text.split(move |character: char| {
        if is_escaped {
            is_escaped = false;
            return false;
        }
        match character {
            '"' => is_quoted = !is_quoted,
            '\\' if is_quoted => is_escaped = true,
            _ => {}
        }
        !is_quoted && character == separator
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(fields: &[&str]) -> Preference {
        let headers = fields.iter().map(|field| ("prefer".to_owned(), (*field).to_owned())).collect();
        Preference::of(&Request { headers, ..Request::default() })
    }

    #[test]
    fn rfc_7240_2_preferences_are_read_in_any_case_from_lists_and_from_several_fields() {
        for fields in [
            &["respond-async, wait=10"][..],
            &["RESPOND-ASYNC", "Wait = \"10\""],
            &["return=minimal,respond-async;x=1 , wait=10;y, wait=20"],
            &["foo=\"a, wait=3\"; bar=\"\\\"\", wait=10,respond-async=\"\""],
        ] {
            assert_eq!(read(fields), Preference { respond_async: true, wait: Some(10) }, "{fields:?}");
        }
    }

    #[test]
    fn rfc_7240_2_what_is_not_known_or_not_valid_is_no_preference() {
        for field in
            ["", ",", ";", "return=minimal", "respond-async=yes", "\"respond-async\"", "respond", "\"a, respond-async"]
        {
            assert!(!read(&[field]).respond_async, "{field}");
        }
        for field in ["wait", "wait=", "wait=-1", "wait=1.5", "wait=99999999999", "wait=x, wait=5"] {
            assert_eq!(read(&[field]).wait, None, "{field}");
        }
        assert_eq!(read(&["wait=0"]).wait, Some(0));
        assert_eq!(Preference::of(&Request::default()), Preference::default());
    }
}
