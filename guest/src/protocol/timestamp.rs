//! Times in the form in which SCIM sends them: xsd:dateTime in UTC with milliseconds (RFC 7643 §2.3.5).

/// The time, given in milliseconds since the Unix epoch, as `2026-01-31T12:00:00.000Z`.
#[must_use]
pub fn format(milliseconds: u64) -> String {
    let (days, of_day) = (milliseconds / 86_400_000, milliseconds % 86_400_000);
    let (year, month, day) = civil(days);
    let (hour, minute, second) = (of_day / 3_600_000, of_day / 60_000 % 60, of_day / 1_000 % 60);
    if year > 9_999 {
        return format!("{year}-{month:02}-{day:02}T{hour:02}:{minute:02}:{second:02}.{:03}Z", of_day % 1_000);
    }
    // A list contains two of these for each resource. Writing the digits directly takes a fraction of the time of
    // formatting.
    let mut text = *b"0000-00-00T00:00:00.000Z";
    for (end, digits, mut number) in [
        (4, 4, year),
        (7, 2, month),
        (10, 2, day),
        (13, 2, hour),
        (16, 2, minute),
        (19, 2, second),
        (23, 3, of_day % 1_000),
    ] {
        for digit in text.iter_mut().take(end).rev().take(digits) {
            *digit = b'0' + u8::try_from(number % 10).unwrap_or_default();
            number /= 10;
        }
    }
    String::from_utf8_lossy(&text).into_owned()
}

/// Year, month and day of a day since 1970-01-01, in the Gregorian calendar.
///
/// The calculation lets years begin in March, so that the leap day is a year's last day and months have fixed offsets;
/// 146,097 days are 400 years.
fn civil(days: u64) -> (u64, u64, u64) {
    let days = days + 719_468;
    let (era, of_era) = (days / 146_097, days % 146_097);
    let year_of_era = (of_era - of_era / 1_460 + of_era / 36_524 - of_era / 146_096) / 365;
    let of_year = of_era - (365 * year_of_era + year_of_era / 4 - year_of_era / 100);
    let shifted = (5 * of_year + 2) / 153;
    let day = of_year - (153 * shifted + 2) / 5 + 1;
    let month = if shifted < 10 { shifted + 3 } else { shifted - 9 };
    (era * 400 + year_of_era + u64::from(month <= 2), month, day)
}

#[cfg(test)]
mod tests {
    use super::format;

    #[test]
    fn times_are_in_utc_with_milliseconds() {
        assert_eq!(format(0), "1970-01-01T00:00:00.000Z");
        assert_eq!(format(951_782_400_000), "2000-02-29T00:00:00.000Z");
        assert_eq!(format(1_709_210_096_789), "2024-02-29T12:34:56.789Z");
        assert_eq!(format(4_102_444_799_999), "2099-12-31T23:59:59.999Z");
        assert_eq!(format(253_402_300_799_999), "9999-12-31T23:59:59.999Z");
        assert_eq!(format(253_402_300_800_000), "10000-01-01T00:00:00.000Z");
    }
}
