//! Decides when to refresh, and when to try again.

use super::{DAY, HOUR, MINUTE};
use crate::connector::Window;
use crate::connector::token::expires;
use crate::store::{TokenRecord, Trouble};

/// A refresh is due when the token has this age, in milliseconds.
const AGE: u64 = 90 * DAY;

/// When the token must be refreshed: at the age of 90 days, or, with a shorter validity, when a fifth of it is left.
pub(super) fn due(token: &TokenRecord, window: Option<Window>) -> u64 {
    let by_age = token.created.saturating_add(AGE);
    let length = window.and_then(|window| expires(window, 0));
    match token.expires {
        Some(expires) => {
            let length = length.unwrap_or(expires.saturating_sub(token.created));
            by_age.min(expires.saturating_sub(length / 5))
        }
        None => by_age,
    }
}

/// How long to wait after this many failures, in milliseconds. The time grows with each failure and has a random part
/// (0 to 255).
///
/// A wait that the provider asks for (`Retry-After`) is respected, up to a day. Otherwise the wait is at most a quarter
/// of the time until the token expires.
pub(super) fn delay(failures: u32, trouble: Trouble, retry_after: Option<u64>, left: Option<u64>, chance: u8) -> u64 {
    if let Some(asked) = retry_after {
        return asked.clamp(1_000, DAY);
    }
    let (first, longest) = match trouble {
        Trouble::Passing => (MINUTE, 6 * HOUR),
        Trouble::Attention | Trouble::Unconfirmed => (15 * MINUTE, DAY),
    };
    let doubled = first.saturating_mul(1_u64 << failures.saturating_sub(1).min(20)).min(longest);
    let spread = doubled - doubled / 5 * u64::from(chance) / 255;
    left.map_or(spread, |left| spread.min((left / 4).max(MINUTE)))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn token(window: Window) -> TokenRecord {
        TokenRecord { sha256: String::new(), generation: 1, created: 0, expires: expires(window, 0) }
    }

    #[test]
    fn p2_a_refresh_is_due_every_90_days_or_with_a_fifth_of_a_shorter_window_left() {
        let days = [
            (Window::Days30, 24),
            (Window::Days90, 72),
            (Window::Days180, 90),
            (Window::Year1, 90),
            (Window::Years2, 90),
            (Window::Never, 90),
        ];
        for (window, day) in days {
            assert_eq!(due(&token(window), Some(window)), day * DAY, "{window:?}");
        }
    }

    #[test]
    fn p2_back_off_doubles_up_to_a_bound_and_keeps_retry_after() {
        let passing = |failures| delay(failures, Trouble::Passing, None, None, 0);
        assert_eq!((passing(1), passing(2), passing(3), passing(99)), (MINUTE, 2 * MINUTE, 4 * MINUTE, 6 * HOUR));
        assert_eq!(delay(1, Trouble::Passing, None, None, 255), MINUTE - MINUTE / 5);
        assert_eq!(delay(9, Trouble::Passing, Some(30_000), Some(1), 0), 30_000);
        assert_eq!(delay(1, Trouble::Passing, Some(u64::MAX), None, 0), DAY);
        assert_eq!(delay(99, Trouble::Attention, None, Some(4 * HOUR), 0), HOUR);
    }
}
