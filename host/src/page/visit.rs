//! A request of an owner or co-owner: the person, and the organization.

use std::sync::Arc;

use axum::extract::{FromRequestParts, RawPathParams};
use axum::http::Method;
use axum::http::request::Parts;
use insomnia_scim_contract::{Face, Source};
use sha2::{Digest as _, Sha256};
use subtle::ConstantTimeEq as _;

use super::refusal::Refusal;
use super::session::Session;
use super::shell::Shell;
use super::state::PageState;
use super::step_up::StepUp;
use crate::capability::storage::OrganizationId;
use crate::directory::{Member, OrganizationRecord, Role};
use crate::error::ActionError;
use crate::organization::Organization;
use crate::server::bill::Bill;
use crate::traces::traceparent;

/// A request of an owner or co-owner of the organization in its path.
pub(super) struct Visit {
    pub(super) state: PageState,
    pub(super) organization: Organization,
    /// The organization's data, as the backend has sent it.
    pub(super) record: OrganizationRecord,
    /// The member who is signed in.
    pub(super) member: Member,
    /// The token that every form of this session contains.
    pub(super) csrf: String,
    /// The backend's own check of who acts. Without it the page asks for the passphrase.
    pub(super) once_more: Option<Box<OnceMore>>,
}

impl Visit {
    /// The path of this page.
    pub(super) fn home(&self) -> String {
        self.state.home(self.organization.id())
    }

    /// The path of a view.
    pub(super) fn path(&self, view: &str) -> String {
        format!("{}/{view}", self.home())
    }

    /// The frame of a view; `here` is its place in the navigation.
    pub(super) fn shell(&self, title: &str, here: &'static str) -> Shell {
        let mut shell = Shell::outside(&self.state, Some(self.organization.id()), title);
        shell.organization.clone_from(&self.record.name);
        shell.actor = Some(self.member.email.clone());
        shell.csrf.clone_from(&self.csrf);
        shell.here = here;
        shell
    }
}

/// The backend's own check of who acts, for one request.
pub(super) struct OnceMore {
    pub(super) step_up: Arc<dyn StepUp>,
    pub(super) session: Session,
    pub(super) request: Parts,
}

/// A request of somebody who is signed in. The role is not known yet.
pub(super) struct Visitor {
    pub(super) state: PageState,
    pub(super) organization: Organization,
    pub(super) session: Session,
    sign_in: String,
    /// The account for the memory of this request.
    bill: Option<Bill>,
    once_more: Option<Box<OnceMore>>,
}

impl FromRequestParts<PageState> for Visitor {
    type Rejection = Refusal;

    async fn from_request_parts(parts: &mut Parts, state: &PageState) -> Result<Self, Refusal> {
        let id = organization_id(parts, state).await?;
        let provider = state.sessions.provider();
        let home = state.home(&id);
        let view = parts.uri.path_and_query().map_or("/", |view| view.as_str());
        let return_to = match view {
            "/" => home,
            view if parts.method == Method::GET && !view.starts_with("/?") => format!("{home}{view}"),
            _ => home,
        };
        let sign_in = provider.sign_in_url(&id, &return_to);
        let Some(session) = provider.session(&id, parts).await? else { return Err(Refusal::Elsewhere(sign_in)) };
        let organization = state.provisioner.find_organization(&id).await?;
        let organization = organization.ok_or_else(|| Refusal::not_found("organization"))?;
        let organization = organization.coming_from(source(state, parts)).acting_as(&session.actor);
        let bill = Bill::begun(&parts.extensions);
        let once_more = state
            .step_up
            .clone()
            .map(|step_up| Box::new(OnceMore { step_up, session: session.clone(), request: parts.clone() }));
        Ok(Self { state: state.clone(), organization, session, sign_in, bill, once_more })
    }
}

impl Visitor {
    /// Accepts the member if it is an owner or a co-owner of this organization.
    pub(super) fn admit(self, member: Option<Member>, record: Option<OrganizationRecord>) -> Result<Visit, Refusal> {
        let csrf = token(self.organization.id(), &self.session);
        // The member was removed or deactivated after the sign-in.
        let member = member.filter(|member| member.active).ok_or(Refusal::Elsewhere(self.sign_in))?;
        if member.role == Role::Member {
            return Err(Refusal::not_an_owner(csrf));
        }
        if let Some(bill) = self.bill {
            bill.is_of(&self.state.provisioner.runtime().account(self.organization.id()));
        }
        let record = record.ok_or_else(|| Refusal::not_found("organization"))?;
        let once_more = self.once_more;
        Ok(Visit { state: self.state, organization: self.organization, record, member, csrf, once_more })
    }
}

impl FromRequestParts<PageState> for Visit {
    type Rejection = Refusal;

    async fn from_request_parts(parts: &mut Parts, state: &PageState) -> Result<Self, Refusal> {
        let visitor = Visitor::from_request_parts(parts, state).await?;
        let member = match visitor.organization.member(&visitor.session.actor).await {
            Ok(member) => Some(member),
            Err(ActionError::NotFound(_)) => None,
            Err(error) => return Err(error.into()),
        };
        let record = visitor.organization.get().await?;
        visitor.admit(member, record)
    }
}

/// The source of a request of the page.
pub(super) fn source(state: &PageState, request: &Parts) -> Source {
    let address = state.provisioner.trusted_proxies().client(request).map(|address| address.to_string());
    Source { address, traceparent: traceparent(), ..Source::new(Face::Page) }
}

/// The organization in the path.
pub(super) async fn organization_id(parts: &mut Parts, state: &PageState) -> Result<OrganizationId, Refusal> {
    let parameters = RawPathParams::from_request_parts(parts, state).await;
    let parameters = parameters.map_err(|_| Refusal::not_found("page"))?;
    let name = parameters.iter().find(|(name, _)| *name == "organization").map_or("", |(_, value)| value);
    OrganizationId::parse(name).map_err(|_| Refusal::not_found("organization"))
}

/// The token for the forms of a session.
pub(super) fn token(organization: &OrganizationId, session: &Session) -> String {
    let parts: [&[u8]; 4] = [b"scim page form\0", organization.as_str().as_bytes(), b"\0", &session.secret];
    hex::encode(Sha256::digest(parts.concat()))
}

/// Whether the form contains the session's token.
pub(super) fn is_token(given: &str, expected: &str) -> bool {
    given.as_bytes().ct_eq(expected.as_bytes()).into()
}
