//! Requests that the host has refused because the organization has used up a quota. The host passes them on so that
//! they get a log entry and a SCIM error body.

use crate::protocol::error::ScimError;
use crate::protocol::message::Request;
use crate::sentence::Sentence;

/// A header field that only the host sets. It holds the seconds to wait, how many requests were refused before this one
/// without a log entry, and the reason. The host removes a field of this name that a client sends.
const OVER_QUOTA: &str = "insomnia-over-quota";

/// A refusal by the host.
pub(super) struct OverQuota<'r> {
    seconds: u32,
    /// How many requests were refused before this one without a log entry.
    unlogged: u64,
    reason: &'r str,
}

impl<'r> OverQuota<'r> {
    /// The refusal, if the host has refused the request.
    pub(super) fn of(request: &'r Request) -> Option<Self> {
        let mut parts = request.header(OVER_QUOTA)?.splitn(3, ' ');
        let (seconds, unlogged) = (parts.next()?.parse().ok()?, parts.next()?.parse().ok()?);
        Some(Self { seconds, unlogged, reason: parts.next()? })
    }

    /// The line that the log has in addition to the refusal.
    pub(super) fn line(&self) -> Option<String> {
        (self.unlogged > 0).then(|| Sentence::OverQuota { count: self.unlogged }.into())
    }

    /// 429 with the time to wait (RFC 6585 §4).
    pub(super) fn error(&self) -> ScimError {
        let mut characters = self.reason.chars();
        let detail = characters.next().into_iter().flat_map(char::to_uppercase).chain(characters).collect::<String>();
        ScimError { retry_after: Some(self.seconds), ..ScimError::status(429, detail) }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::sentence::told;

    fn request(value: &str) -> Request {
        Request { headers: vec![(OVER_QUOTA.to_owned(), value.to_owned())], ..Request::default() }
    }

    #[test]
    fn a_refusal_by_the_host_becomes_429_with_its_reason_and_its_time() {
        let request = request("3 12 the organization has used up its quota");
        let refused = OverQuota::of(&request).unwrap();
        assert_eq!(refused.line().and_then(|line| told(&line)).as_deref(), Some("over-quota 12"));
        let error = refused.error();
        assert_eq!((error.status, error.retry_after), (429, Some(3)));
        assert_eq!(error.detail, "The organization has used up its quota");
    }

    #[test]
    fn a_field_that_the_host_does_not_write_refuses_nothing() {
        for value in ["", "3", "3 1", "x 1 reason", "-1 0 reason"] {
            assert!(OverQuota::of(&request(value)).is_none(), "{value:?}");
        }
        assert!(OverQuota::of(&request("1 0 reason")).unwrap().line().is_none());
    }
}
