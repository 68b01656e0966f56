//! When an API key expires, as people and programs write it.

use std::borrow::Cow;
use std::str::FromStr;
use std::time::SystemTime;

use serde::{Deserialize, Deserializer};

use crate::timestamp::LAST;

const DAY: u64 = 24 * 60 * 60 * 1000;

/// When a key expires: `never`, after some days or years (`90d`, `1y`), or at a time in the form of RFC 3339.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ApiKeyExpiry {
    /// It does not expire.
    Never,
    /// After this number of days.
    Days(u32),
    /// At this time, in milliseconds since the Unix epoch.
    At(u64),
}

/// The text does not say when a key expires.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error(
    "a key expires `never`, after 1 to 3,650 days (`90d`) or 1 to 10 years (`1y`), or at a time such as 2027-01-31T00:00:00Z"
)]
pub struct UnknownExpiry;

impl ApiKeyExpiry {
    /// The time of expiry of a key that is made now. Both are milliseconds since the Unix epoch; `None` means never.
    #[must_use]
    pub fn end(self, now: u64) -> Option<u64> {
        match self {
            Self::Never => None,
            Self::Days(days) => Some(now.saturating_add(u64::from(days) * DAY)),
            Self::At(time) => Some(time),
        }
    }
}

impl FromStr for ApiKeyExpiry {
    type Err = UnknownExpiry;

    fn from_str(text: &str) -> Result<Self, UnknownExpiry> {
        if text == "never" {
            return Ok(Self::Never);
        }
        let counted = |unit: char, days: u32, most: u32| {
            let number = text.strip_suffix(unit).filter(|number| number.bytes().all(|byte| byte.is_ascii_digit()))?;
            number
                .parse()
                .ok()
                .filter(|number| (1..=most).contains(number))
                .map(|number: u32| Self::Days(number * days))
        };
        counted('d', 1, 3_650)
            .or_else(|| counted('y', 365, 10))
            .or_else(|| moment(text).map(Self::At))
            .ok_or(UnknownExpiry)
    }
}

/// A time of RFC 3339 with `Z` or the distance from UTC, in milliseconds since the Unix epoch.
fn moment(text: &str) -> Option<u64> {
    const DISTANCE: usize = "+00:00".len();
    let (local, ahead) = match text.strip_suffix(['Z', 'z']) {
        Some(local) => (local, 0),
        None => {
            let (local, distance) = text.split_at_checked(text.len().checked_sub(DISTANCE)?)?;
            let (hours, minutes) = distance.get(1..)?.split_once(':')?;
            let digits = |two: &str| two.bytes().all(|byte| byte.is_ascii_digit()).then(|| two.parse::<i64>().ok())?;
            let (hours, minutes) = (digits(hours)?, digits(minutes)?);
            let sign = match distance.get(..1)? {
                "+" => 1,
                "-" => -1,
                _ => return None,
            };
            ((0..24).contains(&hours) && (0..60).contains(&minutes)).then_some(())?;
            (local, sign * (hours * 60 + minutes) * 60_000)
        }
    };
    let parsed = humantime::parse_rfc3339(&format!("{local}Z")).ok()?;
    let since_epoch = i64::try_from(parsed.duration_since(SystemTime::UNIX_EPOCH).ok()?.as_millis()).ok()?;
    u64::try_from(since_epoch - ahead).ok().filter(|time| *time <= LAST)
}

impl<'de> Deserialize<'de> for ApiKeyExpiry {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let text = Cow::<'de, str>::deserialize(deserializer)?;
        text.parse().map_err(serde::de::Error::custom)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_expiry_is_never_or_after_days_or_years_or_at_a_time() {
        let moment = 1_794_244_696_000;
        for (text, expiry) in [
            ("never", ApiKeyExpiry::Never),
            ("1d", ApiKeyExpiry::Days(1)),
            ("3650d", ApiKeyExpiry::Days(3_650)),
            ("2y", ApiKeyExpiry::Days(730)),
            ("2026-11-09T17:18:16Z", ApiKeyExpiry::At(moment)),
            ("2026-11-09T18:18:16+01:00", ApiKeyExpiry::At(moment)),
            ("2026-11-09T11:48:16-05:30", ApiKeyExpiry::At(moment)),
        ] {
            assert_eq!(text.parse(), Ok(expiry), "{text}");
        }
        assert_eq!(ApiKeyExpiry::Days(2).end(5), Some(2 * DAY + 5));
        assert_eq!((ApiKeyExpiry::Never.end(5), ApiKeyExpiry::At(3).end(5)), (None, Some(3)));
    }

    #[test]
    fn another_text_is_no_expiry() {
        for text in [
            "",
            "d",
            "0d",
            "3651d",
            "11y",
            "+1d",
            "-1d",
            "1",
            "1w",
            "tomorrow",
            "2026-11-09",
            "2026-11-09T17:18:16",
            "2026-11-09T17:18:16+1:00",
            "2026-11-09T17:18:16+24:00",
            "2026-13-09T17:18:16Z",
            "1969-12-31T23:59:59Z",
            "99999999999999999999d",
            "2026-11-09T17:18:16*01:00",
            "Ü1:00",
            "日本:00",
        ] {
            assert_eq!(text.parse::<ApiKeyExpiry>(), Err(UnknownExpiry), "{text}");
        }
    }
}
