//! A point in time, parsed from an xsd:dateTime so that times in different zones can be compared (RFC 7643 §2.3.5).

/// Nanoseconds since 1970-01-01T00:00:00Z; negative for earlier times.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Instant(pub i128);

const NANOS_PER_SECOND: i128 = 1_000_000_000;

impl Instant {
    /// Parses `2011-05-13T04:42:34Z`. Fraction and offset are optional; without an offset the time is in UTC.
    ///
    /// A date alone means its midnight in UTC. `None` if the text is neither, or if the day or the time does not exist.
    #[must_use]
    pub fn parse(text: &str) -> Option<Self> {
        let mut digits = Digits(text.trim().as_bytes());
        let year = digits.number(4)?;
        digits.expect(b'-')?;
        let month = digits.number(2)?;
        digits.expect(b'-')?;
        let day = digits.number(2)?;
        if !(1..=12).contains(&month) || day < 1 || day > days_in_month(year, month) {
            return None;
        }
        let midnight = i128::from(days_since_epoch(year, month, day)) * 86_400 * NANOS_PER_SECOND;
        if digits.0.is_empty() {
            return Some(Self(midnight));
        }
        if digits.expect(b'T').is_none() {
            digits.expect(b't')?;
        }
        let hour = digits.number(2)?;
        digits.expect(b':')?;
        let minute = digits.number(2)?;
        digits.expect(b':')?;
        let second = digits.number(2)?;
        let nanos = digits.fraction()?;
        // 24:00:00 is the end of the day in XML Schema; second 60 is a leap second in RFC 3339.
        let end_of_day = hour == 24 && minute == 0 && second == 0 && nanos == 0;
        if (hour > 23 && !end_of_day) || minute > 59 || second > 60 {
            return None;
        }
        let offset_minutes = digits.offset()?;
        let seconds = hour * 3_600 + minute * 60 + second - offset_minutes * 60;
        Some(Self(midnight + i128::from(seconds) * NANOS_PER_SECOND + i128::from(nanos)))
    }
}

/// The part of the text that is not parsed yet.
struct Digits<'t>(&'t [u8]);

impl Digits<'_> {
    fn number(&mut self, width: usize) -> Option<i64> {
        let (head, tail) = self.0.split_at_checked(width)?;
        let mut number = 0_i64;
        for byte in head {
            if !byte.is_ascii_digit() {
                return None;
            }
            number = number * 10 + i64::from(byte - b'0');
        }
        self.0 = tail;
        Some(number)
    }

    fn expect(&mut self, byte: u8) -> Option<()> {
        self.0 = self.0.strip_prefix(&[byte])?;
        Some(())
    }

    /// Parses a fraction as nanoseconds; digits after the ninth are dropped.
    fn fraction(&mut self) -> Option<i64> {
        if self.expect(b'.').is_none() {
            return Some(0);
        }
        let (mut nanos, mut unit, mut read) = (0_i64, 100_000_000_i64, false);
        while let Some((byte, tail)) = self.0.split_first() {
            if !byte.is_ascii_digit() {
                break;
            }
            nanos += i64::from(byte - b'0') * unit;
            unit /= 10;
            read = true;
            self.0 = tail;
        }
        read.then_some(nanos)
    }

    /// Parses an offset as minutes east of UTC; the text must end after it.
    fn offset(&mut self) -> Option<i64> {
        let sign = match self.0 {
            [] | [b'Z' | b'z'] => return Some(0),
            [b'+', ..] => 1,
            [b'-', ..] => -1,
            _ => return None,
        };
        self.0 = self.0.split_first()?.1;
        let hours = self.number(2)?;
        // `+0200` is not a valid xsd:dateTime, but some producers write it, and its meaning is clear.
        let _ = self.expect(b':');
        let minutes = self.number(2)?;
        (self.0.is_empty() && hours <= 14 && minutes <= 59).then_some(sign * (hours * 60 + minutes))
    }
}

fn days_in_month(year: i64, month: i64) -> i64 {
    match month {
        2 if year % 4 == 0 && (year % 100 != 0 || year % 400 == 0) => 29,
        2 => 28,
        4 | 6 | 9 | 11 => 30,
        _ => 31,
    }
}

/// Days since 1970-01-01 in the Gregorian calendar. The calculation lets years begin in March, so that a leap day is a
/// year's last day.
fn days_since_epoch(year: i64, month: i64, day: i64) -> i64 {
    let year = if month <= 2 { year - 1 } else { year };
    let day_of_year = (153 * ((month + 9) % 12) + 2) / 5 + day - 1;
    year * 365 + year.div_euclid(4) - year.div_euclid(100) + year.div_euclid(400) + day_of_year - 719_468
}

#[cfg(test)]
mod tests {
    use super::*;

    fn seconds(text: &str) -> Option<i128> {
        Instant::parse(text).map(|instant| instant.0 / NANOS_PER_SECOND)
    }

    #[test]
    fn known_instants() {
        assert_eq!(seconds("1970-01-01T00:00:00Z"), Some(0));
        assert_eq!(seconds("2011-05-13T04:42:34Z"), Some(1_305_261_754));
        assert_eq!(seconds("2000-02-29T23:59:59Z"), Some(951_868_799));
        assert_eq!(seconds("1969-12-31T23:59:59Z"), Some(-1));
        assert_eq!(seconds("0001-01-01T00:00:00Z"), Some(-62_135_596_800));
        assert_eq!(seconds("2011-05-13"), Some(1_305_244_800));
    }

    #[test]
    fn r69_offsets_compare_chronologically() {
        let utc = Instant::parse("2011-05-13T04:42:34Z");
        assert_eq!(Instant::parse("2011-05-13T06:42:34+02:00"), utc);
        assert_eq!(Instant::parse("2011-05-12T23:42:34-05:00"), utc);
        assert_eq!(Instant::parse("2011-05-13T04:42:34.000"), utc);
        assert!(Instant::parse("2011-05-13T04:42:34.001Z") > utc);
        assert_eq!(Instant::parse("2011-05-13T24:00:00Z"), Instant::parse("2011-05-14T00:00:00Z"));
    }

    #[test]
    fn what_is_no_date_time_is_none() {
        for text in [
            "",
            "2011",
            "2011-13-01T00:00:00Z",
            "2011-02-29T00:00:00Z",
            "2011-05-13T25:00:00Z",
            "2011-05-13T00:00:00.Z",
            "2011-05-13T00:00:00+2",
            "2011-05-13T00:00:00Zx",
            "yesterday",
            "2011-05-13T00:00",
            "２０１１-05-13T00:00:00Z",
        ] {
            assert_eq!(Instant::parse(text), None, "{text}");
        }
    }
}
