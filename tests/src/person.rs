//! People for the simulators to provision. Each one has names, addresses and ids that no other test uses.

use std::process;
use std::sync::LazyLock;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{SystemTime, UNIX_EPOCH};

static COUNTER: AtomicU64 = AtomicU64::new(1);

/// Distinguishes this run from every other one, also from one that was stopped and left its data behind.
static RUN: LazyLock<u64> = LazyLock::new(|| {
    let nanoseconds = SystemTime::now().duration_since(UNIX_EPOCH).map_or(0, |elapsed| elapsed.as_nanos());
    (u64::try_from(nanoseconds % 1_000_000_007).unwrap_or_default() << 20) ^ u64::from(process::id())
});

/// The text with a suffix that makes it unique, in lower-case letters, digits and `-`.
#[must_use]
pub fn unique(text: &str) -> String {
    format!("{text}-{:x}-{}", *RUN & 0xffff_ffff, COUNTER.fetch_add(1, Ordering::Relaxed))
}

/// An id of the shape that Entra uses, never given twice.
#[must_use]
pub fn guid() -> String {
    let count = COUNTER.fetch_add(1, Ordering::Relaxed);
    format!("{:08x}-8d2a-4f8e-bf98-{:012x}", *RUN & 0xffff_ffff, count)
}

/// Someone in an identity provider's directory.
#[derive(Clone, Debug)]
pub struct Person {
    /// First name.
    pub given: String,
    /// Last name.
    pub family: String,
    /// The sign-in name, an email address here.
    pub user_name: String,
    /// The work address.
    pub email: String,
    /// The identity provider's own id.
    pub external_id: String,
}

impl Person {
    /// Someone new, whose names begin with the text.
    #[must_use]
    pub fn new(text: &str) -> Self {
        let name = unique(text);
        Self {
            given: "Test".to_owned(),
            family: format!("User {name}"),
            user_name: format!("{name}@example.com"),
            email: format!("{name}@example.com"),
            external_id: guid(),
        }
    }

    /// First and last name.
    #[must_use]
    pub fn display_name(&self) -> String {
        format!("{} {}", self.given, self.family)
    }
}
