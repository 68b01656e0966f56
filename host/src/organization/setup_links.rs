//! Links for a person who administers the identity provider, but is no owner.

use insomnia_scim_contract::Actor;

use super::Organization;
use crate::connector::{IssuedSetupLink, IssuedToken, NewSetupLink, SetupLink};
use crate::error::ActionError;

#[allow(clippy::missing_errors_doc, reason = "see the type")]
impl Organization {
    /// Makes a set-up link after checking the actor's passphrase. Only this answer contains its secret.
    pub async fn create_setup_link(
        &self,
        actor: impl Into<Actor>,
        passphrase: &str,
        link: NewSetupLink,
    ) -> Result<IssuedSetupLink, ActionError> {
        let (by, passphrase) = (self.by(actor), passphrase.to_owned());
        act!(self.insomnia_scim_connector.call_create_setup_link(&by, Some(&passphrase), &link))
    }

    /// Like [`Organization::create_setup_link`], for a caller that has just verified the actor, as for
    /// [`Organization::refresh_verified`].
    pub async fn create_setup_link_verified(
        &self,
        actor: impl Into<Actor>,
        link: NewSetupLink,
    ) -> Result<IssuedSetupLink, ActionError> {
        let by = self.by(actor);
        act!(self.insomnia_scim_connector.call_create_setup_link_verified(&by, &link))
    }

    /// Like [`Organization::create_setup_link`], for the operator of the host, whom the caller has authenticated in its own
    /// way.
    pub async fn create_setup_link_as_operator(&self, link: NewSetupLink) -> Result<IssuedSetupLink, ActionError> {
        let by = self.by(Actor::Operator);
        act!(self.insomnia_scim_connector.call_create_setup_link(&by, None, &link))
    }

    /// The set-up links, newest first: all that are valid, and some that no longer are.
    pub async fn setup_links(&self) -> Result<Vec<SetupLink>, ActionError> {
        act!(self.insomnia_scim_connector.call_list_setup_links())
    }

    /// Revokes a valid set-up link.
    pub async fn revoke_setup_link(&self, actor: impl Into<Actor>, id: &str) -> Result<(), ActionError> {
        let (by, id) = (self.by(actor), id.to_owned());
        act!(self.insomnia_scim_connector.call_revoke_setup_link(&by, &id))
    }

    /// The set-up link with this secret; it stays valid. [`ActionError::Invalid`] if it is wrong, used, revoked or expired.
    pub async fn open_setup_link(&self, token: &str) -> Result<SetupLink, ActionError> {
        let (source, token) = (self.by.source.clone(), token.to_owned());
        act!(self.insomnia_scim_connector.call_open_setup_link(&source, &token))
    }

    /// Issues a token to the holder of this secret, and uses the set-up link up. If SCIM is not enabled, it is enabled. If it
    /// is, the token before works for another hour.
    pub async fn redeem_setup_link(&self, token: &str) -> Result<IssuedToken, ActionError> {
        let (source, token) = (self.by.source.clone(), token.to_owned());
        act!(self.insomnia_scim_connector.call_redeem_setup_link(&source, &token))
    }

    /// The address of the set-up link with this secret. It is below the SCIM page.
    pub fn setup_link_url(&self, token: &str) -> String {
        format!("{}/set-up?token={token}", self.page_url())
    }
}
