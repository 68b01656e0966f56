//! Another proof of who acts, before most actions whose results outlive the session: the trait by which a backend asks
//! for it.

use async_trait::async_trait;
use axum::http::request::Parts;

use super::session::{Session, SessionError};
use crate::capability::storage::OrganizationId;

/// The question to a person who is signed in and wants one of these things, which outlive the session:
///
/// - another token: to refresh it, or to enable SCIM where it was enabled before
/// - a set-up link
/// - an API key
/// - an OAuth client, or another secret of one
/// - access to the identity provider's API, which gets the tokens of the automatic refresh
/// - a stream of events, or another token of its receiver
///
/// The page asks nothing when SCIM is enabled for the first time; when the webhook is set, although its signing key is
/// shown; when an email that could not be delivered is sent elsewhere, although it may contain a passphrase; and on the
/// consent screen, which admits a registered OAuth client.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum StepUpQuestion {
    /// The person types something, such as a password or a code.
    Field {
        /// The name of the field, such as "Your password".
        label: String,
        /// A hint that helps to find it, as a sentence.
        hint: Option<String>,
        /// Whether it is a code that is valid once. Then it is shown while it is typed, and phones offer the code from
        /// a message.
        is_code: bool,
    },
    /// The person goes to another page first, such as one to sign in again, which leads back to this one.
    Elsewhere {
        /// The URL of that page.
        url: String,
        /// The text of the link to it, such as "Sign in again".
        label: String,
    },
    /// Nothing is asked, because it is clear who acts, for instance by a sign-in a moment ago.
    Nothing,
}

impl StepUpQuestion {
    /// Whether another page comes first, so that the form can't be sent yet.
    pub(super) fn is_elsewhere(&self) -> bool {
        matches!(self, Self::Elsewhere { .. })
    }
}

/// The result of a check of who acts.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum StepUpVerdict {
    /// It is proven who acts.
    Verified,
    /// It is not proven; the sentence tells the person why, such as "The code is wrong."
    Refused(String),
}

/// A backend's way to verify who acts: its password, its second factor, or a sign-in a moment ago. Without one the page
/// asks for the passphrase, which the component keeps. A member without a passphrase can't give it.
///
/// The page itself checks the member's role.
#[async_trait]
pub trait StepUp: Send + Sync + 'static {
    /// The question for the owner of this session. It may be called several times in one request, also while a form is
    /// processed, so it must have no effect: do not send a code from here. `return_to` is the path of the form, and its
    /// query if it has one.
    ///
    /// # Errors
    /// The page logs the text. It still lists existing keys and links, so that they can be revoked, and says in place
    /// of the forms that it can't ask now. A view that consists only of the form answers 503.
    async fn question(
        &self,
        organization: &OrganizationId,
        session: &Session,
        request: &Parts,
        return_to: &str,
    ) -> Result<StepUpQuestion, SessionError>;

    /// Checks the proof in a form that was sent. `typed` is the typed text; it is empty if there was no field.
    ///
    /// The page allows a member ten wrong proofs in ten minutes; a backend that wants fewer counts here.
    ///
    /// A code should be valid once. The page calls this after it has checked the rest of the form. If the act is then
    /// refused for a reason that another try may correct, and nothing was changed, the page keeps the verdict for the
    /// same form of the same session until five minutes after it was given; the form is sent again without a code. If
    /// the result of the act is unknown, the verdict is used up.
    ///
    /// Each server keeps verdicts in its own memory. If a form without a code reaches another server, this function is
    /// called with an empty text, and the person is asked again.
    ///
    /// # Errors
    /// The page answers 503 and logs the text; nothing was done.
    async fn verify(
        &self,
        organization: &OrganizationId,
        session: &Session,
        request: &Parts,
        typed: &str,
    ) -> Result<StepUpVerdict, SessionError>;
}
