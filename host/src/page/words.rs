//! Texts that several views share.

use super::when::distance;
use crate::oauth::{RefreshMethod, RefreshStatus};

/// The warning wherever somebody may wait for an email, if this server sends none.
pub(super) const NO_MAIL: &str = "This server has no mail server. It writes emails, including initial passphrases \
    and warnings, to a folder. Ask its operator to set one up.";

/// The number as `1,234,567`.
pub(super) fn grouped(number: u64) -> String {
    let digits = number.to_string();
    let mut grouped = String::new();
    for (index, digit) in digits.chars().enumerate() {
        if index > 0 && (digits.len() - index).is_multiple_of(3) {
            grouped.push(',');
        }
        grouped.push(digit);
    }
    grouped
}

/// A text such as `3 events`, `1 event`, `500 events or more`; `None` if there is none.
pub(super) fn counted(count: usize, more: bool, what: &str) -> Option<String> {
    let number = grouped(u64::try_from(count).unwrap_or(u64::MAX));
    match count {
        0 if !more => None,
        1 if !more => Some(format!("1 {what}")),
        _ => Some(format!("{number} {what}s{}", if more { " or more" } else { "" })),
    }
}

/// Whether access tokens and the bearer token are both in use, so that the identity provider does not renew all
/// credentials alone.
pub(super) fn is_bearer_beside_oauth(status: &RefreshStatus, now: u64) -> bool {
    const RECENT: u64 = 30 * 24 * 60 * 60 * 1_000;
    let used = status.oauth_last_used.is_some_and(|used| used.saturating_add(RECENT) > now);
    used && status.method == RefreshMethod::Manual
}

/// The text with control characters, and characters that change the direction of writing, as JSON escapes, so that a
/// copied text is what it seems to be. Line breaks stay.
pub(super) fn visible(text: &str) -> String {
    let hidden = |character: char| {
        let turns = matches!(character, '\u{61c}' | '\u{200b}'..='\u{200f}' | '\u{2028}'..='\u{202e}' | '\u{2060}'..='\u{206f}' | '\u{feff}');
        turns || (character.is_control() && character != '\n')
    };
    let mut shown = String::with_capacity(text.len());
    for character in text.chars() {
        if hidden(character) {
            shown += &format!("\\u{:04x}", u32::from(character));
        } else {
            shown.push(character);
        }
    }
    shown
}

/// The message after too many tries.
pub(super) fn wait(seconds: u32) -> String {
    let minutes = seconds.div_ceil(60);
    match minutes {
        0 | 1 => "Too many tries. Wait a minute, then try again.".into(),
        _ => format!("Too many tries. Wait {minutes} minutes, then try again."),
    }
}

/// The way in which the token is renewed, and the next time.
pub(super) fn renewal(status: &RefreshStatus, now: u64) -> String {
    let next = status.next_attempt.map_or_else(String::new, |next| match next > now {
        true => format!(", next in {}", distance(now, next)),
        false => ", due now".to_owned(),
    });
    match status.method {
        RefreshMethod::Manual if is_bearer_beside_oauth(status, now) => {
            "By hand: the bearer token is still in use beside OAuth 2.0".into()
        }
        RefreshMethod::Manual => "By hand".into(),
        RefreshMethod::OAuth => "By your identity provider, over OAuth 2.0".into(),
        RefreshMethod::IdpApi => format!("Automatically, over the API of your identity provider{next}"),
    }
}

/// The text as a sentence.
pub(super) fn sentence(text: &str) -> String {
    let mut characters = text.chars();
    let first = characters.next().map(|first| first.to_uppercase().to_string()).unwrap_or_default();
    format!("{first}{}.", characters.as_str().trim_end_matches('.'))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_counted_is_one_or_many_or_more_than_was_looked_at() {
        let text = |count, more| counted(count, more, "event").unwrap_or_default();
        assert_eq!([text(0, false), text(1, false), text(2, false)], ["", "1 event", "2 events"]);
        assert_eq!([text(500, true), text(0, true)], ["500 events or more", "0 events or more"]);
    }

    #[test]
    fn c20_what_turns_or_hides_text_is_escaped_where_it_is_copied() {
        assert_eq!(visible("a\u{202e}b\u{7}\u{feff}"), "a\\u202eb\\u0007\\ufeff");
        assert_eq!(visible("{\n  \"größe\": 1\n}"), "{\n  \"größe\": 1\n}");
    }

    #[test]
    fn numbers_are_grouped_by_thousands() {
        for (number, text) in [(0, "0"), (999, "999"), (1000, "1,000"), (1_234_567, "1,234,567")] {
            assert_eq!(grouped(number), text);
        }
    }
}
