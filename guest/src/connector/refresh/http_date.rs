//! Dates as HTTP header fields have them (RFC 9110 §5.6.7), in the one form that is still written.

const MONTHS: [&str; 12] = ["Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"];
/// How many days of a common year are before the month.
const BEFORE: [u64; 12] = [0, 31, 59, 90, 120, 151, 181, 212, 243, 273, 304, 334];

/// The time of `Sun, 06 Nov 1994 08:49:37 GMT`, in milliseconds since the Unix epoch.
pub(crate) fn parse(text: &str) -> Option<u64> {
    let (_, rest) = text.trim().split_once(", ")?;
    let mut words = rest.split(' ');
    let mut word = || words.next();
    let (day, month, year, time, zone) = (word()?, word()?, word()?, word()?, word()?);
    let month = MONTHS.iter().position(|known| *known == month)?;
    let (day, year): (u64, u64) = (day.parse().ok()?, year.parse().ok()?);
    if zone != "GMT" || !(1970..10_000).contains(&year) || !(1..=31).contains(&day) {
        return None;
    }
    let mut parts = time.split(':').map(|part| part.parse::<u64>().ok().filter(|part| *part < 61));
    let (hour, minute, second) = (parts.next()??, parts.next()??, parts.next()??);
    // Leap days of all years before, and of this one if February is over.
    let years = if month > 1 { year } else { year - 1 };
    let leaps = years / 4 - years / 100 + years / 400 - 477;
    let days = (year - 1970) * 365 + leaps + BEFORE.get(month)? + day - 1;
    Some((((days * 24 + hour) * 60 + minute) * 60 + second) * 1_000)
}

#[cfg(test)]
mod tests {
    use super::parse;

    #[test]
    fn an_http_date_is_read() {
        assert_eq!(parse("Thu, 01 Jan 1970 00:00:00 GMT"), Some(0));
        assert_eq!(parse("Sun, 06 Nov 1994 08:49:37 GMT"), Some(784_111_777_000));
        assert_eq!(parse("Tue, 29 Feb 2000 00:00:00 GMT"), Some(951_782_400_000));
        assert_eq!(parse("Sat, 01 Mar 2025 00:00:00 GMT"), Some(1_740_787_200_000));
        for wrong in
            ["", "30", "Sun, 06 Nov 1994", "Sun, 06 Nov 1994 08:49 GMT", "Sun, 06 Now 1994 08:49:37 GMT", "é, é"]
        {
            assert_eq!(parse(wrong), None, "{wrong}");
        }
    }
}
