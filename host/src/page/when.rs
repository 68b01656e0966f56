//! Times for people, in UTC. The script adds the local time.

use std::fmt;
use std::time::SystemTime;

use askama::filters::HtmlSafe;

pub(super) use crate::timestamp::iso;

const MONTHS: [&str; 12] = ["Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"];

/// A moment as a `<time>` element.
pub(super) struct When {
    /// `2026-11-22T17:18:16.000Z`.
    iso: String,
    form: Form,
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Form {
    Minute,
    Second,
    Bare,
    BareMinute,
}

impl When {
    /// The time to the minute, given in milliseconds since the Unix epoch.
    pub(super) fn minute(time: u64) -> Self {
        Self { iso: iso(time), form: Form::Minute }
    }

    /// The time to the second.
    pub(super) fn second(time: u64) -> Self {
        Self { iso: iso(time), form: Form::Second }
    }

    /// The time to the minute, without the word UTC.
    pub(super) fn bare_minute(time: u64) -> Self {
        Self { iso: iso(time), form: Form::BareMinute }
    }

    /// The time to the second, without the word UTC.
    pub(super) fn bare(time: u64) -> Self {
        Self { iso: iso(time), form: Form::Bare }
    }
}

impl fmt::Display for When {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let iso = &self.iso;
        let month = iso[5..7].parse::<usize>().ok().and_then(|month| MONTHS.get(month.checked_sub(1)?)).unwrap_or(&"");
        let time = match self.form {
            Form::Minute | Form::BareMinute => &iso[11..16],
            Form::Second | Form::Bare => &iso[11..19],
        };
        let zone = match self.form {
            Form::Minute | Form::Second => " UTC",
            Form::Bare | Form::BareMinute => "",
        };
        let day = iso[8..10].trim_start_matches('0');
        write!(f, "<time datetime=\"{iso}\">{day} {month} {} {time}{zone}</time>", &iso[..4])
    }
}

/// Its text only contains digits and names of months.
impl HtmlSafe for When {}

/// The value of a `datetime-local` field, taken as UTC, in milliseconds since the Unix epoch.
pub(super) fn parse(text: &str) -> Option<u64> {
    let full = match text.len() {
        10 => format!("{text}T00:00:00Z"),
        16 => format!("{text}:00Z"),
        19.. if !text.ends_with('Z') => format!("{text}Z"),
        _ => text.to_owned(),
    };
    let since_epoch = humantime::parse_rfc3339(&full).ok()?.duration_since(SystemTime::UNIX_EPOCH).ok()?;
    u64::try_from(since_epoch.as_millis()).ok()
}

/// The distance between two times in the largest unit that fits: `12 days`, `1 hour`.
pub(super) fn distance(one: u64, other: u64) -> String {
    let minutes = one.abs_diff(other) / 60_000;
    let (count, unit) = match minutes {
        0 => return "less than a minute".into(),
        1..60 => (minutes, "minute"),
        60..2880 => (minutes / 60, "hour"),
        _ => (minutes / 1440, "day"),
    };
    format!("{count} {unit}{}", if count == 1 { "" } else { "s" })
}

#[cfg(test)]
mod tests {
    use super::*;

    const MOMENT: u64 = 1_794_244_696_789;

    #[test]
    fn a_moment_is_shown_in_utc_and_says_so() {
        let shown = When::minute(MOMENT).to_string();
        assert_eq!(shown, "<time datetime=\"2026-11-09T17:18:16.789Z\">9 Nov 2026 17:18 UTC</time>");
        assert!(When::second(MOMENT).to_string().contains(">9 Nov 2026 17:18:16 UTC<"));
        assert!(When::bare(MOMENT).to_string().contains(">9 Nov 2026 17:18:16<"));
        assert!(When::second(u64::MAX).to_string().contains("31 Dec 9999"));
    }

    #[test]
    fn what_a_field_for_dates_holds_is_read_as_utc() {
        assert_eq!(parse("2026-11-09T17:18"), Some(MOMENT / 60_000 * 60_000));
        assert_eq!(parse("2026-11-09T17:18:16"), Some(MOMENT / 1000 * 1000));
        assert_eq!(parse("1970-01-02"), Some(86_400_000));
        for text in ["", "x", "2026-13-01T00:00", "1969-01-01T00:00", "2026-11-09Ü17:18"] {
            assert_eq!(parse(text), None, "{text}");
        }
    }

    #[test]
    fn a_distance_is_in_the_largest_unit_that_fits() {
        for (minutes, text) in [(0, "less than a minute"), (1, "1 minute"), (59, "59 minutes"), (60, "1 hour")] {
            assert_eq!(distance(0, minutes * 60_000), text);
        }
        assert_eq!(distance(20 * 86_400_000, 0), "20 days");
    }
}
