//! Turns an error of the lower layers into a SCIM error (RFC 7644 §3.12).

use crate::connector::Unauthenticated;
use crate::protocol::error::ScimError;
use crate::provisioning::{Refusal, guard};
use crate::store::StoreError;

/// How long the client should wait if others change the organization's data or the storage can't be reached, in
/// seconds.
const RETRY_AFTER: u32 = 1;
/// How long the client should wait if the storage is full, in seconds: the operator has to make room first.
const RETRY_AFTER_FULL: u32 = 300;

impl From<Refusal> for ScimError {
    fn from(refusal: Refusal) -> Self {
        let detail = sentence(&refusal.to_string());
        match refusal {
            Refusal::NotFound { .. } => Self::not_found(detail),
            Refusal::Taken { .. } => Self::uniqueness(detail),
            Refusal::NoFreeSeat { .. }
            | Refusal::LastOwner
            | Refusal::NoAddress
            | Refusal::ForeignDomain { .. }
            | Refusal::RemovalRefused => Self::status(403, detail),
            Refusal::Held { .. } => Self { retry_after: Some(guard::RETRY_AFTER), ..Self::status(503, detail) },
            Refusal::UnknownMembers(_) | Refusal::NobodyKnown(_) | Refusal::NestedTeam(_) => {
                Self::invalid_value(detail)
            }
            Refusal::NobodyMatches => Self::no_target(detail),
            Refusal::PreconditionFailed => Self::status(412, detail),
            Refusal::Protocol(error) => error,
            Refusal::Store(error) => error.into(),
        }
    }
}

impl From<StoreError> for ScimError {
    fn from(error: StoreError) -> Self {
        match error {
            StoreError::TooLarge => Self::status(413, "The change is too large for the server"),
            StoreError::Conflict | StoreError::Unavailable(_) => {
                let detail = "The organization's data is busy; try again";
                Self { retry_after: Some(RETRY_AFTER), ..Self::status(503, detail) }
            }
            StoreError::Full => {
                Self { retry_after: Some(RETRY_AFTER_FULL), ..Self::status(503, sentence(&error.to_string())) }
            }
            // The detail is meant for the operator, who finds it in the host's log by the request's id.
            StoreError::Limit(_) | StoreError::Broken(_) => {
                eprintln!("{error}");
                Self::status(500, "The server failed. Its operator finds the reason in its log")
            }
        }
    }
}

impl From<Unauthenticated> for ScimError {
    fn from(refusal: Unauthenticated) -> Self {
        Self::status(401, refusal.to_string())
    }
}

/// Whether the error means that the storage is temporarily unavailable, and not that a rule forbids the request.
pub(super) fn is_of_storage(error: &ScimError) -> bool {
    error.status == 503 && error.retry_after.is_some_and(|seconds| [RETRY_AFTER, RETRY_AFTER_FULL].contains(&seconds))
}

fn sentence(text: &str) -> String {
    let mut characters = text.chars();
    characters.next().map_or_else(String::new, |first| first.to_uppercase().chain(characters).collect())
}
