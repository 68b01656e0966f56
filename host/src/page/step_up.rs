//! Proving once more who acts, before most of what outlives the session: the trait by which a backend does it its own way.

use async_trait::async_trait;
use axum::http::request::Parts;

use super::session::{Session, SessionError};
use crate::capability::storage::OrganizationId;

/// What somebody is asked who is signed in and wants one of these things, which outlive the session:
///
/// - another token: to refresh it, or to enable SCIM where it was enabled before
/// - a set-up link
/// - an API key
/// - an OAuth client, or another secret of one
/// - access to the identity provider's API, which gets the tokens of the automatic refresh
/// - a stream of events, or another token of its receiver
///
/// Nothing is asked to enable SCIM for the first time, to set the webhook, whose signing key is shown, to send an email elsewhere that
/// could not be delivered, which may have a passphrase in it, and on the consent screen, where an OAuth client that is registered is
/// let in.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum StepUpQuestion {
    /// To type something, such as a password or a code.
    Field {
        /// What it is called, such as "Your password".
        label: String,
        /// What helps to find it, in a sentence.
        hint: Option<String>,
        /// Whether it is a code that is valid once. It is shown while it is typed, and phones offer the one that came by message.
        is_code: bool,
    },
    /// To go to another page first, such as one to sign in again, which leads back to this one.
    Elsewhere {
        /// Where that page is.
        url: String,
        /// What the link to it says, such as "Sign in again".
        label: String,
    },
    /// Nothing: it is clear who acts, for instance by a sign-in a moment ago.
    Nothing,
}

impl StepUpQuestion {
    /// Whether something else comes before the form, which can't be sent yet.
    pub(super) fn is_elsewhere(&self) -> bool {
        matches!(self, Self::Elsewhere { .. })
    }
}

/// Whether it is proven who acts.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum StepUpVerdict {
    /// It is.
    Verified,
    /// It is not; the sentence tells the person why, such as "The code is wrong."
    Refused(String),
}

/// A backend's way to make sure once more who acts: its password, its second factor, or a sign-in a moment ago. Without one the
/// page asks for the passphrase, which the component keeps; a member without a passphrase can't give it.
///
/// What the member may do is not asked here: the page looks at the role by itself.
#[async_trait]
pub trait StepUp: Send + Sync + 'static {
    /// What is asked of whoever has this session. It may be called several times in one request, also while a form is processed, so
    /// it has no effect of its own: do not send a code from here. `return_to` is the path of the form, and its query if it has one.
    ///
    /// # Errors
    /// The page logs the text. What there is, such as keys and links, is listed all the same, so that it can be revoked, and in place
    /// of the forms the page says that it can't ask now; where there is nothing but the form it answers 503.
    async fn question(
        &self,
        organization: &OrganizationId,
        session: &Session,
        request: &Parts,
        return_to: &str,
    ) -> Result<StepUpQuestion, SessionError>;

    /// Whether it is proven who acts, now that the form was sent. `typed` is what was typed, and empty where there was no field.
    ///
    /// The page lets a member be wrong ten times in ten minutes; who wants less counts here.
    ///
    /// A code should be valid once. The page asks this after it has looked at the rest of the form; and where the act is refused all
    /// the same, for what another try may help and without any change, it keeps the verdict until five minutes after it was given,
    /// for the same form of the same session, which is then sent again without a code. Where it isn't known what came of the act,
    /// the verdict is used up.
    ///
    /// Verdicts are kept by one server, in its memory. Where several servers have the page, a form that reaches another one without
    /// a code is passed on to this function with nothing typed, and the person is asked again.
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
