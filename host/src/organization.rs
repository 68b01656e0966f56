//! One organization: its SCIM endpoint, and the actions that a backend or the SCIM page takes on it.

use std::borrow::Cow;
use std::sync::PoisonError;

use insomnia_scim_contract::{self as contract, Act, Actor, RunContext, Source};

use crate::capability::http::HttpError;
use crate::capability::storage::OrganizationId;
use crate::component::{CallError, Exports, InstanceStore, Keep, Run};
use crate::connector::{ConnectorStatus, ExpiryWindow, IdentityProvider, IssuedToken};
use crate::directory::{
    Licences, Listed, Listing, MarkedMembers, Member, NewMember, OrganizationRecord, Requirement, Role,
};
use crate::error::ActionError;
use crate::hourly::error_hourly;
use crate::journal::{LogPage, LogQuery};
use crate::provisioner::Provisioner;
use crate::scim::{self, ScimRequest, ScimResponse};
use crate::traces::traceparent;
use crate::urls::SCIM_PATH;

/// The header field by which the host tells the component its own name and version, for the log of requests. One that a
/// client sends never gets there.
const COMPONENT: &str = "insomnia-component";

/// An organization of a [`Provisioner`]. It is only a name until it is used: nothing is looked up before that.
///
/// An `actor` is the person or program that acts: a member whom the caller has authenticated, by id or email address, or
/// another [`Actor`]. A `member` is given by id, userName or email address. Refusals are [`ActionError`]s that say why.
/// Actions without an `actor` are those of the backend for the owner, unless [`Organization::acting_as`] says otherwise.
#[derive(Clone)]
pub struct Organization {
    provisioner: Provisioner,
    id: OrganizationId,
    /// The generation for its acts; without one, that of the organization that has the name at the time of the act.
    space: Option<OrganizationId>,
    by: Act,
    /// Which instances of the component are kept after its calls.
    keep: Keep,
}

/// Calls an export that answers with a result.
macro_rules! act {
    ($self:ident.$interface:ident.$function:ident($($argument:expr),*)) => {
        $self
            .call(concat!(stringify!($interface), ".", stringify!($function)), move |store, exports| {
                Box::pin(async move { exports.$interface().$function(store $(, $argument)*).await })
            })
            .await?
            .map_err(ActionError::from)
    };
}

pub(crate) mod archive;
mod audit;
mod change;
mod component;
mod create;
mod domain_rule;
mod erasure;
mod events;
pub(crate) mod export;
mod find;
mod guard;
pub(crate) mod import;
pub(crate) mod oauth;
mod passphrases;
mod quotas;
mod retention;
mod schemas;
mod setup_links;
mod streams;
mod teams;

pub use change::{OptionChanges, OrganizationChange, UnknownOption};
pub use create::{CreateOrganizationError, CreatedOrganization, EnsuredOrganization, NewOrganization, Owner};
pub use domain_rule::DomainRule;
pub use erasure::ErasedPerson;

impl Organization {
    /// Whichever organization has this name when it acts.
    pub(crate) fn named(provisioner: Provisioner, id: OrganizationId) -> Self {
        Self { provisioner, id, space: None, by: Act::of_backend(), keep: Keep::Every }
    }

    /// The organization with this name and this generation.
    pub(crate) fn bound(provisioner: Provisioner, id: OrganizationId) -> Self {
        Self { provisioner, space: Some(id.clone()), id, by: Act::of_backend(), keep: Keep::Every }
    }

    /// Represents an organization that does not exist. The component answers as it does without a connector, so a caller
    /// without a token can't tell which organizations exist. Nothing is read or written.
    pub(crate) fn stranger(provisioner: Provisioner, id: OrganizationId) -> Self {
        Self { provisioner, id, space: Some(OrganizationId::nobody()), by: Act::of_backend(), keep: Keep::Every }
    }

    /// Calls the component for the organization. `function` is the name of the call in traces.
    async fn call<T: Send>(
        &self,
        function: &'static str,
        run: impl for<'a> FnOnce(&'a mut InstanceStore, &'a Exports) -> Run<'a, T> + Send,
    ) -> Result<T, CallError> {
        self.provisioner.runtime().call(&*self.space().await?, self.keep, function, run).await
    }

    /// The space in which an act takes place.
    async fn space(&self) -> Result<Cow<'_, OrganizationId>, CallError> {
        if let Some(space) = &self.space {
            return Ok(Cow::Borrowed(space));
        }
        let found = self.provisioner.registry().find(&self.id).await.map_err(|error| {
            error_hourly!("looks-up"; organization = %self.id, "the organization can't be looked up: {error}");
            CallError::Busy
        });
        found?.map(Cow::Owned).ok_or(CallError::Deleted)
    }

    /// The same organization, for somebody who goes through all organizations: see [`Keep::UsedBefore`].
    #[must_use]
    pub(crate) fn in_passing(mut self) -> Self {
        self.keep = Keep::UsedBefore;
        self
    }

    /// The same organization, with this actor for actions that name no other.
    #[must_use]
    pub fn acting_as(mut self, actor: impl Into<Actor>) -> Self {
        self.by.actor = actor.into();
        self
    }

    /// The same organization, with this source for its actions.
    #[must_use]
    pub fn coming_from(mut self, source: Source) -> Self {
        self.by.source = source;
        self
    }

    /// Whether the host's policy allows requests of this organization to the URL, as far as that is known without connecting.
    ///
    /// # Errors
    /// [`ActionError::Invalid`] if not; it says why.
    pub async fn permits(&self, url: &str) -> Result<(), ActionError> {
        let permitted = self.provisioner.runtime().http().permits(&*self.space().await?, url);
        permitted.map_err(|error| match error {
            HttpError::NotAllowed(why) => ActionError::Invalid(format!("this server sends no requests there: {why}")),
            other => ActionError::Invalid(other.to_string()),
        })
    }

    /// The time by the host's clock, in milliseconds since the Unix epoch.
    fn now(&self) -> u64 {
        self.provisioner.clock().now()
    }

    /// An act of this actor.
    fn by(&self, actor: impl Into<Actor>) -> Act {
        Act { actor: actor.into(), source: self.by.source.clone() }
    }

    /// Its name in the connector URL.
    pub fn id(&self) -> &OrganizationId {
        &self.id
    }

    /// The URL for the identity provider: `<base URL>/scim/v2/<organization>`.
    pub fn connector_url(&self) -> String {
        format!("{}{SCIM_PATH}{}", self.provisioner.base_url(), self.id)
    }

    /// The address of its SCIM page: `<base URL>/organizations/<organization>/scim`, or the one of
    /// [`crate::ProvisionerBuilder::page_url`].
    pub fn page_url(&self) -> String {
        self.provisioner.page_url(&self.id)
    }

    /// Serves a SCIM request (RFC 7644). Every refusal, also one by the host, is a response with a SCIM error body.
    pub async fn scim(&self, request: ScimRequest) -> ScimResponse {
        let request_id = request.request_id.clone();
        self.try_scim(request).await.unwrap_or_else(|error| error.response(&request_id))
    }

    /// Whether a request with this `Authorization` header would be admitted now. It is for servers that ask before they accept
    /// a large body; [`Organization::scim`] checks again.
    ///
    /// # Errors
    /// [`CallError`] if the component gives no answer.
    pub async fn admits(&self, authorization: Option<&str>) -> Result<bool, CallError> {
        let authorization = authorization.map(str::to_owned);
        let admitted = self.call("insomnia_scim_scim.call_admits", move |store, exports| {
            Box::pin(async move { exports.insomnia_scim_scim().call_admits(store, authorization.as_deref()).await })
        });
        admitted.await
    }

    async fn try_scim(&self, mut request: ScimRequest) -> Result<ScimResponse, CallError> {
        let request_id = request.request_id.clone();
        if let Some(traceparent) = traceparent() {
            request.headers.retain(|(name, _)| !name.eq_ignore_ascii_case("traceparent"));
            request.headers.push(("traceparent".to_owned(), traceparent));
        }
        let adds = request.method == "POST" && !request.path.ends_with("/.search");
        let served = self.call("insomnia_scim_scim.call_handle", move |store, exports| {
            Box::pin(async move {
                store.data_mut().note_adding(adds);
                request.headers.push((COMPONENT.to_owned(), store.data().component().to_string()));
                let response = exports.insomnia_scim_scim().call_handle(&mut *store, &request).await?;
                if response.status == 500 {
                    store.data_mut().note_failure();
                }
                let refused = *store.data().refused().lock().unwrap_or_else(PoisonError::into_inner);
                Ok((response, refused))
            })
        });
        let (response, refused) = served.await?;
        // The component only knows that the storage is full.
        Ok(match refused.filter(|_| response.status == 503) {
            Some(refused) => scim::exceeded(503, &refused, &request_id),
            None => response,
        })
    }

    /// The requirements that do not hold for this actor; empty if SCIM can be enabled.
    #[allow(clippy::missing_errors_doc, reason = "see the type")]
    pub async fn unmet_requirements(&self, actor: impl Into<Actor>) -> Result<Vec<Requirement>, ActionError> {
        let actor = actor.into();
        act!(self.insomnia_scim_connector.call_unmet_requirements(&actor))
    }

    /// Enables SCIM and issues a token. If SCIM is enabled already, this is refused with [`ActionError::Conflict`].
    pub async fn enable(
        &self,
        actor: impl Into<Actor>,
        identity_provider: IdentityProvider,
        window: ExpiryWindow,
    ) -> Result<IssuedToken, ActionError> {
        let by = self.by(actor);
        act!(self.insomnia_scim_connector.call_enable(&by, &identity_provider, window))
    }

    /// Disables SCIM: from now on every SCIM request is answered 401. This changes no member and no team.
    pub async fn disable(&self, actor: impl Into<Actor>) -> Result<(), ActionError> {
        let by = self.by(actor);
        act!(self.insomnia_scim_connector.call_disable(&by))
    }

    /// Issues a new token after checking the actor's passphrase. The old token stops at once, or after `overlap_seconds` (at
    /// most 86,400). Without a window, the new token is valid for as long as the old one was.
    pub async fn refresh(
        &self,
        actor: impl Into<Actor>,
        passphrase: &str,
        window: Option<ExpiryWindow>,
        overlap_seconds: u32,
    ) -> Result<IssuedToken, ActionError> {
        let (by, passphrase) = (self.by(actor), passphrase.to_owned());
        act!(self.insomnia_scim_connector.call_refresh(&by, Some(&passphrase), window, overlap_seconds))
    }

    /// Like [`Organization::refresh`], for a caller that has just verified the actor by more than a session: by a password of
    /// its own, a second factor, or a sign-in a moment ago. The actor must still be an owner or a co-owner.
    pub async fn refresh_verified(
        &self,
        actor: impl Into<Actor>,
        window: Option<ExpiryWindow>,
        overlap_seconds: u32,
    ) -> Result<IssuedToken, ActionError> {
        let by = self.by(actor);
        act!(self.insomnia_scim_connector.call_refresh_verified(&by, window, overlap_seconds))
    }

    /// Like [`Organization::refresh`], for the operator of the host, whom the caller has authenticated in its own way.
    pub async fn refresh_as_operator(
        &self,
        window: Option<ExpiryWindow>,
        overlap_seconds: u32,
    ) -> Result<IssuedToken, ActionError> {
        let by = self.by(Actor::Operator);
        act!(self.insomnia_scim_connector.call_refresh(&by, None, window, overlap_seconds))
    }

    /// The state of the connector.
    pub async fn status(&self) -> Result<ConnectorStatus, ActionError> {
        act!(self.insomnia_scim_connector.call_get_status())
    }

    /// Tells the component the organization's data, the first time and after every change. The number of seats may be smaller
    /// than the number that are taken: then nobody gets a new seat until enough are free.
    pub async fn put(&self, record: OrganizationRecord) -> Result<(), ActionError> {
        let (by, organization) = (self.by.clone(), contract::Organization::from(record));
        act!(self.insomnia_scim_directory.call_put_organization(&by, &organization))
    }

    /// The organization as it was last put; `None` before that.
    pub async fn get(&self) -> Result<Option<OrganizationRecord>, ActionError> {
        act!(self.insomnia_scim_directory.call_get_organization())?.map(record).transpose()
    }

    /// How many seats there are, and how many are taken.
    pub async fn licences(&self) -> Result<Licences, ActionError> {
        act!(self.insomnia_scim_directory.call_get_licences())
    }

    /// How many active members can't sign in, and how many are of a domain that is not verified.
    pub async fn marked_members(&self) -> Result<MarkedMembers, ActionError> {
        act!(self.insomnia_scim_directory.call_count_marked())
    }

    /// Adds a member by hand. The member takes a seat.
    pub async fn add_member(&self, member: NewMember) -> Result<Member, ActionError> {
        let by = self.by.clone();
        act!(self.insomnia_scim_directory.call_add_member(&by, &member))
    }

    /// The member.
    pub async fn member(&self, member: &str) -> Result<Member, ActionError> {
        let member = member.to_owned();
        act!(self.insomnia_scim_directory.call_get_member(&member))
    }

    /// Members of either origin.
    pub async fn members(&self, listing: Listing) -> Result<Listed<Member>, ActionError> {
        act!(self.insomnia_scim_directory.call_list_members(&listing))
    }

    /// Removes a member from the organization and from every team. The last active owner can't be removed.
    pub async fn remove_member(&self, member: &str) -> Result<(), ActionError> {
        let (by, member) = (self.by.clone(), member.to_owned());
        act!(self.insomnia_scim_directory.call_remove_member(&by, &member))
    }

    /// Changes a member's role. The last active owner must stay an owner.
    pub async fn set_role(&self, member: &str, role: Role) -> Result<Member, ActionError> {
        let (by, member) = (self.by.clone(), member.to_owned());
        act!(self.insomnia_scim_directory.call_set_role(&by, &member, role))
    }

    /// Checks a member's passphrase. For an unknown or deactivated member the answer is the same as for a wrong passphrase.
    pub async fn verify_passphrase(&self, member: &str, passphrase: &str) -> Result<Member, ActionError> {
        let (source, member, passphrase) = (self.by.source.clone(), member.to_owned(), passphrase.to_owned());
        act!(self.insomnia_scim_directory.call_verify_passphrase(&source, &member, &passphrase))
    }

    /// Sets a member's passphrase; it must have at least 12 characters.
    pub async fn set_passphrase(&self, member: &str, passphrase: &str) -> Result<(), ActionError> {
        let (by, member, passphrase) = (self.by.clone(), member.to_owned(), passphrase.to_owned());
        act!(self.insomnia_scim_directory.call_set_passphrase(&by, &member, &passphrase))
    }

    /// Searches the log of SCIM requests, newest first. [`LogPage::entries`] lists the members of an entry.
    pub async fn search_log(&self, query: LogQuery) -> Result<LogPage, ActionError> {
        act!(self.insomnia_scim_journal.call_search(&query))
    }

    /// Everything that a first view of the organization shows to the actor, with this number of the newest log entries.
    pub async fn overview(&self, actor: impl Into<Actor>, log_entries: u32) -> Result<contract::Overview, ActionError> {
        let actor = actor.into();
        act!(self.insomnia_scim_overview.call_get(&actor, log_entries))
    }

    /// Does a bounded part of the due work; nothing happens if there is none. Returns when the next call is due, in
    /// milliseconds since the Unix epoch. The scheduler of [`Provisioner`] calls this by itself.
    pub async fn run_due(&self) -> Result<Option<u64>, ActionError> {
        let context =
            RunContext { page_url: Some(self.page_url()), subscribed: self.provisioner.subscriber().is_some() };
        act!(self.insomnia_scim_jobs.call_run_due(&context))
    }
}

/// The organization with its choices as this version knows them; a later version of the component may know more.
pub(crate) fn record(organization: contract::Organization) -> Result<OrganizationRecord, ActionError> {
    let options = contract::Options::parse_known(&organization.options).map_err(ActionError::Other)?;
    Ok(OrganizationRecord::new(organization, options))
}
