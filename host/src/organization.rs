//! One organization's face: its SCIM endpoint, and the actions that a backend or the SCIM page takes on it.

use std::sync::PoisonError;

use crate::capability::storage::OrganizationId;
use crate::component::{CallError, Exports, InstanceStore, Run};
use crate::connector::{ConnectorStatus, ExpiryWindow, IdentityProvider, IssuedToken};
use crate::directory::{Licences, Listed, Listing, Member, NewMember, OrganizationRecord, Requirement, Role, Team};
use crate::error::ActionError;
use crate::journal::{LogPage, LogQuery};
use crate::provisioner::Provisioner;
use crate::scim::{ScimRequest, ScimResponse};
use crate::urls::SCIM_PATH;

/// An organization of a [`Provisioner`]. It is a name, not a promise: nothing is looked up until it is used.
///
/// An `actor` is the id or the email address of a member whom the caller has authenticated; a `member` the id, the
/// userName or the email address of one. What is refused is refused with an [`ActionError`] that says why.
#[derive(Clone)]
pub struct Organization {
    provisioner: Provisioner,
    id: OrganizationId,
    /// The space that its acts are for; without one, that of whichever organization has the name when it acts.
    space: Option<OrganizationId>,
}

/// Calls an export that answers with a result.
macro_rules! act {
    ($self:ident.$interface:ident.$function:ident($($argument:expr),*)) => {
        $self
            .call(move |store, exports| {
                Box::pin(async move { exports.$interface().$function(store $(, $argument)*).await })
            })
            .await?
            .map_err(ActionError::from)
    };
}

mod events;
mod guard;
mod oauth;
mod owner;
mod passphrases;
mod quotas;
mod retention;

impl Organization {
    /// Whichever organization has this name when it acts.
    pub(crate) fn named(provisioner: Provisioner, id: OrganizationId) -> Self {
        Self { provisioner, id, space: None }
    }

    /// The organization with this name and this generation.
    pub(crate) fn bound(provisioner: Provisioner, id: OrganizationId) -> Self {
        Self { provisioner, space: Some(id.clone()), id }
    }

    /// What stands for an organization that is not there: the component answers as for one that has no connector, so that
    /// nobody without a token can tell which organizations there are. Nothing is read or written.
    pub(crate) fn stranger(provisioner: Provisioner, id: OrganizationId) -> Self {
        Self { provisioner, id, space: Some(OrganizationId::nobody()) }
    }

    /// Calls the component for the organization.
    async fn call<T: Send>(
        &self,
        run: impl for<'a> FnOnce(&'a mut InstanceStore, &'a Exports) -> Run<'a, T> + Send,
    ) -> Result<T, CallError> {
        let runtime = self.provisioner.runtime();
        if let Some(space) = &self.space {
            return runtime.call(space, run).await;
        }
        let found = self.provisioner.registry().find(&self.id).await.map_err(|error| {
            tracing::error!(organization = %self.id, "the organization can't be looked up: {error}");
            CallError::Busy
        });
        runtime.call(&found?.ok_or(CallError::Deleted)?, run).await
    }

    /// Its name in the connector URL.
    pub fn id(&self) -> &OrganizationId {
        &self.id
    }

    /// What an identity provider is given: `<base URL>/scim/v2/<organization>`.
    pub fn connector_url(&self) -> String {
        format!("{}{SCIM_PATH}{}", self.provisioner.base_url(), self.id)
    }

    /// Where its SCIM page is: `<base URL>/organizations/<organization>/scim`, or as
    /// [`crate::ProvisionerBuilder::page_url`] has it.
    pub fn page_url(&self) -> String {
        self.provisioner.page_url(&self.id)
    }

    /// Serves a SCIM request (RFC 7644). Every refusal, of the host as well, is a response with a SCIM error body.
    pub async fn scim(&self, request: ScimRequest) -> ScimResponse {
        let request_id = request.request_id.clone();
        self.try_scim(request).await.unwrap_or_else(|error| error.response(&request_id))
    }

    /// Whether a request with this `Authorization` header would be let in now; [`Organization::scim`] checks again. For
    /// servers that ask before they take a large body.
    ///
    /// # Errors
    /// [`CallError`] if the component gives no answer.
    pub async fn admits(&self, authorization: Option<&str>) -> Result<bool, CallError> {
        let authorization = authorization.map(str::to_owned);
        let admitted = self.call(move |store, exports| {
            Box::pin(async move { exports.insomnia_scim_scim().call_admits(store, authorization.as_deref()).await })
        });
        admitted.await
    }

    async fn try_scim(&self, request: ScimRequest) -> Result<ScimResponse, CallError> {
        let request_id = request.request_id.clone();
        let request = request.into();
        let served = self.call(move |store, exports| {
            Box::pin(async move {
                let response = exports.insomnia_scim_scim().call_handle(&mut *store, &request).await?;
                let refused = *store.data().refused().lock().unwrap_or_else(PoisonError::into_inner);
                Ok((response, refused))
            })
        });
        let (response, refused) = served.await?;
        let mut response = ScimResponse::from(response);
        // The component knows no more than that the storage is full.
        if let Some(refused) = refused.filter(|_| response.status == 503) {
            response = ScimResponse::exceeded(503, &refused, &request_id);
        }
        Ok(response)
    }

    /// The requirements that do not hold for this actor; empty if SCIM can be enabled.
    #[allow(clippy::missing_errors_doc, reason = "see the type")]
    pub async fn unmet_requirements(&self, actor: &str) -> Result<Vec<Requirement>, ActionError> {
        let actor = actor.to_owned();
        let unmet = act!(self.insomnia_scim_connector.call_unmet_requirements(&actor))?;
        Ok(unmet.into_iter().map(Into::into).collect())
    }

    /// Enables SCIM and issues a token; while enabled it is refused with [`ActionError::Conflict`].
    pub async fn enable(
        &self,
        actor: &str,
        identity_provider: IdentityProvider,
        window: ExpiryWindow,
    ) -> Result<IssuedToken, ActionError> {
        let (actor, identity_provider) = (actor.to_owned(), identity_provider.into());
        act!(self.insomnia_scim_connector.call_enable(&actor, &identity_provider, window.into())).map(Into::into)
    }

    /// Disables SCIM: from now on every SCIM request is answered 401. Changes no member and no team.
    pub async fn disable(&self, actor: &str) -> Result<(), ActionError> {
        let actor = actor.to_owned();
        act!(self.insomnia_scim_connector.call_disable(&actor))
    }

    /// Issues a new token after checking the actor's passphrase. The old one stops at once, or after `overlap_seconds`
    /// (at most 86,400). Without a window it gets that of the old token.
    pub async fn refresh(
        &self,
        actor: &str,
        passphrase: &str,
        window: Option<ExpiryWindow>,
        overlap_seconds: u32,
    ) -> Result<IssuedToken, ActionError> {
        let (actor, passphrase, window) = (actor.to_owned(), passphrase.to_owned(), window.map(Into::into));
        act!(self.insomnia_scim_connector.call_refresh(&actor, &passphrase, window, overlap_seconds)).map(Into::into)
    }

    /// As [`Organization::refresh`], for the operator of the host, whom the caller has authenticated in its own way.
    pub async fn refresh_as_operator(
        &self,
        window: Option<ExpiryWindow>,
        overlap_seconds: u32,
    ) -> Result<IssuedToken, ActionError> {
        let window = window.map(Into::into);
        act!(self.insomnia_scim_connector.call_refresh_as_operator(window, overlap_seconds)).map(Into::into)
    }

    /// The connector as it stands.
    pub async fn status(&self) -> Result<ConnectorStatus, ActionError> {
        act!(self.insomnia_scim_connector.call_get_status()).map(Into::into)
    }

    /// Tells what the organization is, the first time and after every change. Fewer seats than taken are accepted: no
    /// new seat is given until enough are free.
    pub async fn put(&self, record: OrganizationRecord) -> Result<(), ActionError> {
        let record = record.into();
        act!(self.insomnia_scim_directory.call_put_organization(&record))
    }

    /// The organization as it was last put; `None` before that.
    pub async fn get(&self) -> Result<Option<OrganizationRecord>, ActionError> {
        let record = act!(self.insomnia_scim_directory.call_get_organization())?;
        Ok(record.map(Into::into))
    }

    /// Seats and who takes them.
    pub async fn licences(&self) -> Result<Licences, ActionError> {
        act!(self.insomnia_scim_directory.call_get_licences()).map(Into::into)
    }

    /// Adds a member by hand. Takes a seat.
    pub async fn add_member(&self, member: NewMember) -> Result<Member, ActionError> {
        let member = member.into();
        act!(self.insomnia_scim_directory.call_add_member(&member)).map(Into::into)
    }

    /// The member.
    pub async fn member(&self, member: &str) -> Result<Member, ActionError> {
        let member = member.to_owned();
        act!(self.insomnia_scim_directory.call_get_member(&member)).map(Into::into)
    }

    /// Members of either origin.
    pub async fn members(&self, listing: Listing) -> Result<Listed<Member>, ActionError> {
        let listing = listing.into();
        act!(self.insomnia_scim_directory.call_list_members(&listing)).map(Into::into)
    }

    /// Removes a member from the organization and every team. The last active owner stays.
    pub async fn remove_member(&self, member: &str) -> Result<(), ActionError> {
        let member = member.to_owned();
        act!(self.insomnia_scim_directory.call_remove_member(&member))
    }

    /// Changes a member's role. The last active owner stays one.
    pub async fn set_role(&self, member: &str, role: Role) -> Result<Member, ActionError> {
        let member = member.to_owned();
        act!(self.insomnia_scim_directory.call_set_role(&member, role.into())).map(Into::into)
    }

    /// Adds a team by hand, with these members.
    pub async fn add_team(&self, name: &str, members: &[String]) -> Result<Team, ActionError> {
        let (name, members) = (name.to_owned(), members.to_vec());
        act!(self.insomnia_scim_directory.call_add_team(&name, &members)).map(Into::into)
    }

    /// Teams of either origin.
    pub async fn teams(&self, listing: Listing) -> Result<Listed<Team>, ActionError> {
        let listing = listing.into();
        act!(self.insomnia_scim_directory.call_list_teams(&listing)).map(Into::into)
    }

    /// Checks a member's passphrase. An unknown or deactivated member answers as a wrong passphrase does.
    pub async fn verify_passphrase(&self, member: &str, passphrase: &str) -> Result<Member, ActionError> {
        let (member, passphrase) = (member.to_owned(), passphrase.to_owned());
        act!(self.insomnia_scim_directory.call_verify_passphrase(&member, &passphrase)).map(Into::into)
    }

    /// Sets a member's passphrase; it must have at least 12 characters.
    pub async fn set_passphrase(&self, member: &str, passphrase: &str) -> Result<(), ActionError> {
        let (member, passphrase) = (member.to_owned(), passphrase.to_owned());
        act!(self.insomnia_scim_directory.call_set_passphrase(&member, &passphrase))
    }

    /// Declares further schemas and resource types: JSON `{"schemas": […], "resourceTypes": […]}`, at most 512 KiB, in
    /// the forms of RFC 7643 §7 and §6. Replaces what was declared before; resources that are stored stay as they are.
    pub async fn put_schemas(&self, declaration: Vec<u8>) -> Result<(), ActionError> {
        act!(self.insomnia_scim_schemas.call_put(&declaration))
    }

    /// What is declared, in the form that [`Organization::put_schemas`] takes.
    pub async fn schemas(&self) -> Result<Vec<u8>, ActionError> {
        act!(self.insomnia_scim_schemas.call_get())
    }

    /// Searches the log of SCIM requests.
    pub async fn search_log(&self, query: LogQuery) -> Result<LogPage, ActionError> {
        let query = query.into();
        act!(self.insomnia_scim_journal.call_search(&query)).map(Into::into)
    }

    /// Does what is due, a bounded part of it; harmless when nothing is. Returns when it wants to be called next, in
    /// milliseconds since the Unix epoch. The scheduler of [`Provisioner`] calls it by itself.
    pub async fn run_due(&self) -> Result<Option<u64>, ActionError> {
        if self.provisioner.tells(&self.id)
            && let Err(error) = self.tell_page_url().await
        {
            self.provisioner.tell_again(&self.id);
            return Err(error);
        }
        act!(self.insomnia_scim_jobs.call_run_due())
    }

    /// So that the emails of its jobs point to the page.
    async fn tell_page_url(&self) -> Result<(), ActionError> {
        let url = self.page_url();
        act!(self.insomnia_scim_directory.call_set_page_url(&url))
    }
}
