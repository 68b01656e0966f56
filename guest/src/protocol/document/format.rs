//! The formats of strings (RFC 7643 §2.3). Only strict mode checks them, since identity providers send what their data
//! has (T27).

/// Whether the characters are those of a URI or a relative reference (RFC 3986 §2; other scripts as in RFC 3987).
pub(super) fn is_reference(text: &str) -> bool {
    !text.contains(|character: char| {
        character.is_whitespace()
            || character.is_control()
            || matches!(character, '"' | '<' | '>' | '\\' | '^' | '`' | '{' | '|' | '}')
    })
}

/// Whether the text is an xsd:dateTime with date and time, such as `2008-01-23T04:56:22Z`. Fraction and time zone are
/// optional.
pub(super) fn is_date_time(text: &str) -> bool {
    let Some((date, time)) = text.split_once('T') else { return false };
    let (clock, zone) = match time.find(['Z', '+', '-']).and_then(|at| time.split_at_checked(at)) {
        Some((clock, zone)) => (clock, zone),
        None => (time, ""),
    };
    is_date(date.strip_prefix('-').unwrap_or(date)) && is_clock(clock) && is_zone(zone)
}

fn is_date(text: &str) -> bool {
    let mut parts = text.split('-');
    let (Some(year), Some(month), Some(day), None) = (parts.next(), parts.next(), parts.next(), parts.next()) else {
        return false;
    };
    let is_year = (4..=9).contains(&year.len()) && year.bytes().all(|byte| byte.is_ascii_digit());
    let (Some(month), Some(day)) = (two_digits(month), two_digits(day)) else { return false };
    let days = match month {
        2 if is_leap(year) => 29,
        2 => 28,
        4 | 6 | 9 | 11 => 30,
        _ => 31,
    };
    is_year && (1..=12).contains(&month) && (1..=days).contains(&day)
}

fn is_leap(year: &str) -> bool {
    year.parse::<u32>().is_ok_and(|year| year % 4 == 0 && (year % 100 != 0 || year % 400 == 0))
}

fn is_clock(text: &str) -> bool {
    let (whole, fraction) = match text.split_once('.') {
        Some((whole, fraction)) => (whole, Some(fraction)),
        None => (text, None),
    };
    let mut parts = whole.split(':').map(two_digits);
    let (Some(Some(hour)), Some(Some(minute)), Some(Some(second)), None) =
        (parts.next(), parts.next(), parts.next(), parts.next())
    else {
        return false;
    };
    let is_fraction = |digits: &str| !digits.is_empty() && digits.bytes().all(|byte| byte.is_ascii_digit());
    (hour < 24 || (hour == 24 && minute == 0 && second == 0))
        && minute < 60
        && second < 61
        && fraction.is_none_or(is_fraction)
}

fn is_zone(text: &str) -> bool {
    if matches!(text, "" | "Z") {
        return true;
    }
    let Some((hour, minute)) = text.strip_prefix(['+', '-']).and_then(|text| text.split_once(':')) else {
        return false;
    };
    two_digits(hour).is_some_and(|hour| hour <= 14) && two_digits(minute).is_some_and(|minute| minute < 60)
}

fn two_digits(text: &str) -> Option<u32> {
    if text.len() == 2 && text.bytes().all(|byte| byte.is_ascii_digit()) { text.parse().ok() } else { None }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn date_times_need_date_and_time() {
        for good in [
            "2008-01-23T04:56:22Z",
            "2011-05-13T04:42:34.123+02:00",
            "2011-05-13T04:42:34",
            "2024-02-29T24:00:00-14:00",
        ] {
            assert!(is_date_time(good), "{good}");
        }
        for bad in [
            "",
            "2008-01-23",
            "T",
            "2008-13-23T04:56:22Z",
            "2023-02-29T00:00:00Z",
            "2008-01-23T25:00:00Z",
            "2008-01-23T04:56:22z2",
            "20080123T045622Z",
        ] {
            assert!(!is_date_time(bad), "{bad}");
        }
    }

    #[test]
    fn references_may_be_relative() {
        for good in ["https://photos.example.com/profilephoto/72930000000Ccne/F", "../Users/1", "Users/1", "urn:a:b"] {
            assert!(is_reference(good), "{good}");
        }
        for bad in ["https://example.com/a b", "<x>", "a\nb"] {
            assert!(!is_reference(bad), "{bad}");
        }
    }
}
