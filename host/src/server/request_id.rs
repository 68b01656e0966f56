//! Request ids: unique over all hosts and restarts, and cheap to make.

use std::sync::LazyLock;
use std::sync::atomic::{AtomicU64, Ordering};

use axum::http::{HeaderMap, HeaderName};

pub(crate) static X_REQUEST_ID: HeaderName = HeaderName::from_static("x-request-id");

/// The random part is drawn once for each process: 64 random bits before a counter are as unique as a random id,
/// without a system call for each.
static PROCESS: LazyLock<u64> = LazyLock::new(|| {
    getrandom::u64().unwrap_or_else(|_| std::hash::BuildHasher::hash_one(&std::hash::RandomState::new(), 0))
});
static COUNTER: AtomicU64 = AtomicU64::new(0);

/// The next id: 16 hexadecimal digits for the process, and at least 6 for the request.
pub(crate) fn next() -> String {
    format!("{:016x}{:06x}", *PROCESS, COUNTER.fetch_add(1, Ordering::Relaxed))
}

/// The id that the client gave its request, if it is suitable for the log.
pub(crate) fn of_client(headers: &HeaderMap) -> Option<&str> {
    let id = headers.get(&X_REQUEST_ID)?.to_str().ok()?;
    let valid = (1..=64).contains(&id.len()) && id.bytes().all(|byte| byte.is_ascii_alphanumeric() || byte == b'-');
    valid.then_some(id)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ids_differ_and_are_fit_for_the_contract() {
        let (one, two) = (next(), next());
        assert_ne!(one, two);
        assert!(one.len() <= 64 && one.bytes().all(|byte| byte.is_ascii_alphanumeric()));
    }

    #[test]
    fn an_id_of_the_client_is_taken_only_if_it_is_harmless() {
        let with = |value: &'static str| {
            let mut headers = HeaderMap::new();
            headers.insert(&X_REQUEST_ID, http::HeaderValue::from_bytes(value.as_bytes()).unwrap());
            of_client(&headers).map(str::to_owned)
        };
        assert_eq!(with("abc-123").as_deref(), Some("abc-123"));
        for value in ["", "a b", "a\"b", "é", "0123456789012345678901234567890123456789012345678901234567890123456789"]
        {
            assert_eq!(with(value), None, "{value}");
        }
    }
}
