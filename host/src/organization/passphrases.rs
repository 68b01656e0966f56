//! Sign-in to an organization, and changes of passphrases.

use super::Organization;
use crate::directory::{Member, SignedIn};
use crate::error::ActionError;

#[allow(clippy::missing_errors_doc, reason = "see the type")]
impl Organization {
    /// Like [`Organization::verify_passphrase`]; also says whether the passphrase must be changed.
    pub async fn sign_in(&self, member: &str, passphrase: &str) -> Result<SignedIn, ActionError> {
        let (source, member, passphrase) = (self.by.source.clone(), member.to_owned(), passphrase.to_owned());
        act!(self.insomnia_scim_directory.call_sign_in(&source, &member, &passphrase))
    }

    /// Like [`Organization::sign_in`], in a browser that is known: the member has signed in or opened a mailed link there
    /// before. Wrong passphrases that strangers have tried elsewhere do not slow it down.
    pub async fn sign_in_where_known(&self, member: &str, passphrase: &str) -> Result<SignedIn, ActionError> {
        let (source, member, passphrase) = (self.by.source.clone(), member.to_owned(), passphrase.to_owned());
        act!(self.insomnia_scim_directory.call_sign_in_where_known(&source, &member, &passphrase))
    }

    /// Replaces a member's passphrase by one that the member chose. It must have at least 12 characters and differ from the
    /// old one.
    pub async fn change_passphrase(&self, member: &str, current: &str, chosen: &str) -> Result<(), ActionError> {
        let (source, member) = (self.by.source.clone(), member.to_owned());
        let (current, chosen) = (current.to_owned(), chosen.to_owned());
        act!(self.insomnia_scim_directory.call_change_passphrase(&source, &member, &current, &chosen))
    }

    /// Mails a link that works once, within 24 hours: `page_url` with a parameter `token`. No link is mailed to unknown and
    /// deactivated members, nor if the member got a link less than ten minutes ago or five links within 24 hours. The call
    /// still succeeds, so that nobody learns who is a member.
    pub async fn request_passphrase_reset(&self, member: &str, page_url: &str) -> Result<(), ActionError> {
        let (source, member, page_url) = (self.by.source.clone(), member.to_owned(), page_url.to_owned());
        act!(self.insomnia_scim_directory.call_request_passphrase_reset(&source, &member, &page_url))
    }

    /// Sets the passphrase of the member whose link has this token. [`ActionError::Invalid`] if the link is no longer valid.
    pub async fn reset_passphrase(&self, token: &str, chosen: &str) -> Result<Member, ActionError> {
        let (source, token, chosen) = (self.by.source.clone(), token.to_owned(), chosen.to_owned());
        act!(self.insomnia_scim_directory.call_reset_passphrase(&source, &token, &chosen))
    }
}
