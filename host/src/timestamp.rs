//! Moments as text, in UTC.

use std::time::{Duration, SystemTime};

/// The last moment of the year 9999, in milliseconds since the Unix epoch: what is later has no four-digit year.
pub(crate) const LAST: u64 = 253_402_300_799_999;

/// `2026-11-22T17:18:16.000Z` (RFC 3339), of milliseconds since the Unix epoch; what is later than [`LAST`] is shown as it.
pub(crate) fn iso(time: u64) -> String {
    let moment = SystemTime::UNIX_EPOCH + Duration::from_millis(time.min(LAST));
    humantime::format_rfc3339_millis(moment).to_string()
}

/// `2026-11-22`, the day of [`iso`].
pub(crate) fn date(time: u64) -> String {
    let mut text = iso(time);
    text.truncate("2026-11-22".len());
    text
}
