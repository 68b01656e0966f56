//! The header field `Retry-After` (RFC 9110 §10.2.3).

use std::time::UNIX_EPOCH;

use crate::capability::HttpResponse;

/// How long the response asks to wait, in milliseconds from `now` (milliseconds since the Unix epoch). The header gives
/// seconds or a date. `None` if it is absent or can't be parsed.
pub(crate) fn retry_after(response: &HttpResponse, now: u64) -> Option<u64> {
    let (_, value) = response.headers.iter().find(|(name, _)| name.eq_ignore_ascii_case("retry-after"))?;
    match value.trim().parse::<u64>() {
        Ok(seconds) => seconds.checked_mul(1_000),
        Err(_) => Some(date(value.trim())?.saturating_sub(now)),
    }
}

/// The time of an HTTP date, in milliseconds since the Unix epoch.
fn date(text: &str) -> Option<u64> {
    let since = httpdate::parse_http_date(text).ok()?.duration_since(UNIX_EPOCH).ok()?;
    u64::try_from(since.as_millis()).ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn wait(value: &str, now: u64) -> Option<u64> {
        let headers = vec![("retry-after".to_owned(), value.to_owned())];
        retry_after(&HttpResponse { headers, ..HttpResponse::default() }, now)
    }

    #[test]
    fn rfc9110_10_2_3_retry_after_is_a_number_of_seconds_or_a_date() {
        assert_eq!(wait(" 30 ", 7), Some(30_000));
        assert_eq!(wait("Sun, 06 Nov 1994 08:49:37 GMT", 784_111_770_000), Some(7_000));
        assert_eq!(wait("Tue, 29 Feb 2000 00:00:00 GMT", 0), Some(951_782_400_000));
        assert_eq!(wait("Sat, 01 Mar 2025 00:00:00 GMT", u64::MAX), Some(0));
    }

    #[test]
    fn a_retry_after_that_says_nothing_is_none() {
        for wrong in
            ["", "-1", "Sun, 06 Nov 1994", "Sun, 06 Nov 1994 08:49 GMT", "Sun, 06 Now 1994 08:49:37 GMT", "é, é"]
        {
            assert_eq!(wait(wrong, 0), None, "{wrong}");
        }
        assert_eq!(wait(&u64::MAX.to_string(), 0), None);
        assert_eq!(retry_after(&HttpResponse::default(), 0), None);
    }
}
