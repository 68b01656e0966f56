//! Lines of the log for what needs a person: one an hour for each cause, however often it happens.
//!
//! A line that comes with every request, every try or every second buries the others, and fills a disk that may be full
//! already. [`warn_hourly`] and [`error_hourly`] write the first line about a cause at once. What comes within an hour after it
//! is only counted, and the next line says in the field `held_back` how many lines were left out.
//!
//! There is one log in a process, so there is one count of what was written to it, whatever number of provisioners is there.

use std::collections::HashMap;
use std::sync::{LazyLock, Mutex, PoisonError};
use std::time::{Duration, Instant};

/// How long a cause is silent after a line.
const SILENCE: Duration = Duration::from_secs(60 * 60);
/// Causes that are told apart at a time. Those beyond share one line an hour: some causes name an organization.
const MOST: usize = 1_024;
/// The longest text by which a cause is told apart, in bytes.
const LONGEST: usize = 256;

/// What was written for this process.
static LOG: LazyLock<Hourly> = LazyLock::new(Hourly::default);

/// When something was last written, by cause.
#[derive(Debug, Default)]
struct Hourly(Mutex<HashMap<String, Written>>);

/// The last line about a cause.
#[derive(Debug)]
struct Written {
    at: Instant,
    /// How many lines were left out since.
    held_back: u64,
}

/// That a line may be written.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Line {
    /// How many lines about the same cause were left out since the last one; `None` if it was none.
    pub(crate) held_back: Option<u64>,
}

impl Hourly {
    fn take(&self, cause: &str, now: Instant) -> Option<Line> {
        let mut written = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let is_silent = |last: &Written| now.saturating_duration_since(last.at) < SILENCE;
        let cause = if cause.len() > LONGEST { "" } else { cause };
        let is_known = written.contains_key(cause);
        if !is_known && written.len() >= MOST {
            // What was left out of these is not said any more; it was said an hour ago that there is such a cause.
            written.retain(|_, last| is_silent(last));
        }
        let cause = if is_known || written.len() < MOST { cause } else { "" };
        if let Some(last) = written.get_mut(cause).filter(|last| is_silent(last)) {
            last.held_back = last.held_back.saturating_add(1);
            return None;
        }
        let before = written.insert(cause.to_owned(), Written { at: now, held_back: 0 });
        Some(Line { held_back: before.map(|before| before.held_back).filter(|held_back| *held_back > 0) })
    }
}

/// Whether a line about this cause may be written now; whoever is told so writes it.
pub(crate) fn take(cause: &str) -> Option<Line> {
    LOG.take(cause, Instant::now())
}

/// Writes a warning unless one with the same cause was written within the last hour: `warn_hourly!(cause; …)`, with what
/// `tracing::warn!` takes in the place of the dots. The cause is a `&str`.
macro_rules! warn_hourly {
    ($cause:expr; $($line:tt)+) => {
        if let Some(line) = $crate::hourly::take($cause) {
            tracing::warn!(held_back = line.held_back, $($line)+);
        }
    };
}

/// As [`warn_hourly`], with what `tracing::error!` takes.
macro_rules! error_hourly {
    ($cause:expr; $($line:tt)+) => {
        if let Some(line) = $crate::hourly::take($cause) {
            tracing::error!(held_back = line.held_back, $($line)+);
        }
    };
}

pub(crate) use {error_hourly, warn_hourly};

#[cfg(test)]
mod tests {
    use super::*;

    const MINUTE: Duration = Duration::from_secs(60);

    fn line(held_back: u64) -> Option<Line> {
        Some(Line { held_back: Some(held_back).filter(|number| *number > 0) })
    }

    #[test]
    fn p9_a_cause_has_one_line_an_hour_which_counts_those_that_were_left_out() {
        let (log, begin) = (Hourly::default(), Instant::now());
        assert_eq!(log.take("disk", begin), line(0));
        for minute in 1..60 {
            assert_eq!(log.take("disk", begin + minute * MINUTE), None);
        }
        assert_eq!(log.take("mail", begin + 30 * MINUTE), line(0), "another cause has its own hour");
        assert_eq!(log.take("disk", begin + 60 * MINUTE), line(59));
        assert_eq!(log.take("disk", begin + 61 * MINUTE), None);
        assert_eq!(log.take("mail", begin + 90 * MINUTE), line(0), "nothing was left out");
    }

    #[test]
    fn p9_causes_beyond_the_number_that_is_kept_share_one_line_and_take_no_memory() {
        let (log, begin) = (Hourly::default(), Instant::now());
        for number in 0..MOST {
            assert_eq!(log.take(&number.to_string(), begin), line(0));
        }
        assert_eq!(log.take("one more", begin), line(0));
        assert_eq!(log.take("and another", begin), None);
        assert_eq!(log.take(&"x".repeat(LONGEST + 1), begin), None);
        assert!(log.0.lock().unwrap().len() <= MOST + 1);
        assert_eq!(log.take("0", begin), None, "those that are known stay apart");
        // An hour later there is room again.
        assert_eq!(log.take("and another", begin + 60 * MINUTE), line(0));
        assert_eq!(log.take("another again", begin + 60 * MINUTE), line(0));
        assert!(log.0.lock().unwrap().len() <= MOST + 1);
    }
}
