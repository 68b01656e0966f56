//! Who may send a request: the key it came with, and the organization that the key opens.

use std::sync::{Arc, OnceLock};

use axum::extract::{FromRequestParts, RawPathParams};
use axum::http::header;
use axum::http::request::Parts;

use super::problem::Problem;
use super::state::ApiState;
use crate::api_keys::{self, ApiKeyScope, Caller};
use crate::capability::storage::OrganizationId;
use crate::organization::Organization;
use crate::quota::AtOnce;
use crate::server::bill::Bill;
use insomnia_scim_contract::{Actor, Face, Source};

/// The id of the key that a request came with, for the log of requests.
#[derive(Clone, Default)]
pub(super) struct KeyOfRequest(pub(super) Arc<OnceLock<String>>);

/// The id of a request, as in its answer's `X-Request-Id`.
#[derive(Clone)]
pub(super) struct RequestId(pub(super) String);

/// The caller of a request. Looked up once, whoever asks first.
pub(super) async fn caller(parts: &mut Parts, state: &ApiState) -> Result<Caller, Problem> {
    if let Some(caller) = parts.extensions.get::<Caller>() {
        return Ok(caller.clone());
    }
    let missing = "Send an API key as `Authorization: Bearer insm_…`.";
    let malformed = "What was sent is no API key: send one as `Authorization: Bearer insm_…`, as it was shown.";
    let field = parts.headers.get(header::AUTHORIZATION).ok_or_else(|| Problem::no_key(missing))?;
    let presented = field.to_str().ok().and_then(|text| text.split_once(' '));
    let presented = presented.filter(|(scheme, _)| scheme.eq_ignore_ascii_case("bearer")).map(|(_, key)| key.trim());
    // Malformed keys don't count against the address's limit.
    let presented = presented.filter(|presented| api_keys::is_well_formed(presented));
    let presented = presented.ok_or_else(|| Problem::unauthorized(malformed))?;
    match state.keys.recognise(presented).await? {
        Some(caller) => {
            if let Some(KeyOfRequest(key)) = parts.extensions.get() {
                // Nobody else sets it.
                let _ = key.set(caller.key.clone());
            }
            if let Some(bill) = Bill::begun(&parts.extensions) {
                bill.is_of(&state.provisioner.runtime().account(&caller.scope.space()));
            }
            parts.extensions.insert(caller.clone());
            Ok(caller)
        }
        None => {
            let source = state.provisioner.trusted_proxies().source(parts);
            let tried = source.map_or(Ok(()), |source| state.wrong.begin(&source));
            tried.map_err(|seconds| Problem::throttled("Too many wrong API keys came from your address.", seconds))?;
            Err(Problem::unauthorized("The API key is not known here, or was revoked."))
        }
    }
}

/// A request of the operator.
pub(super) struct Operator {
    pub(super) state: ApiState,
}

impl FromRequestParts<ApiState> for Operator {
    type Rejection = Problem;

    async fn from_request_parts(parts: &mut Parts, state: &ApiState) -> Result<Self, Problem> {
        match caller(parts, state).await?.scope {
            ApiKeyScope::Operator => Ok(Self { state: state.clone() }),
            ApiKeyScope::Organization(_) => Err(Problem::forbidden("Only an operator's key opens this.")),
        }
    }
}

/// A request about the organization in its path, with a key that opens it.
pub(super) struct Access {
    pub(super) state: ApiState,
    pub(super) organization: Organization,
    pub(super) scope: ApiKeyScope,
    /// Counts the request among those of the organization at the same time.
    _entered: Option<AtOnce>,
}

impl FromRequestParts<ApiState> for Access {
    type Rejection = Problem;

    async fn from_request_parts(parts: &mut Parts, state: &ApiState) -> Result<Self, Problem> {
        let scope = caller(parts, state).await?.scope;
        let named = OrganizationId::parse(&parameter(parts, state, "organization").await?).ok();
        // Of other organizations a key does not even tell whether they exist.
        if let ApiKeyScope::Organization(own) = &scope
            && named.as_ref().map(OrganizationId::as_str) != Some(own.as_str())
        {
            return Err(Problem::forbidden("The API key is that of another organization."));
        }
        let id = named.ok_or_else(Problem::no_organization)?;
        let found = state.provisioner.find_organization(&id).await?;
        let organization = found.ok_or_else(Problem::no_organization)?;
        // A key of an organization that had this name before opens nothing of this one.
        if matches!(&scope, ApiKeyScope::Organization(own) if own != organization.id()) {
            return Err(Problem::unauthorized("The API key is not known here, or was revoked."));
        }
        let entered = match &scope {
            ApiKeyScope::Organization(_) => {
                let usage = state.provisioner.runtime().usage(organization.id()).await;
                Some(usage.enter().map_err(Problem::over_quota)?)
            }
            ApiKeyScope::Operator => None,
        };
        let actor = if scope == ApiKeyScope::Operator { Actor::Operator } else { Actor::Owner };
        let address = state.provisioner.trusted_proxies().client(parts).map(|address| address.to_string());
        let source = Source {
            address,
            credential: parts.extensions.get::<Caller>().map(|caller| caller.key.clone()),
            request_id: parts.extensions.get::<RequestId>().map(|id| id.0.clone()),
            ..Source::new(Face::Api)
        };
        let organization = organization.coming_from(source).acting_as(actor);
        Ok(Self { state: state.clone(), organization, scope, _entered: entered })
    }
}

impl Access {
    /// Who acts: whom the request names, whose role is then looked at; otherwise the organization's owner, since a key may
    /// do all that the owner may.
    pub(super) fn actor(&self, named: Option<String>) -> Actor {
        named.map_or(Actor::Owner, Actor::Member)
    }
}

/// What the last part of the path below the organization names, such as a member.
pub(super) struct PathParameter(pub(super) String);

impl FromRequestParts<ApiState> for PathParameter {
    type Rejection = Problem;

    async fn from_request_parts(parts: &mut Parts, state: &ApiState) -> Result<Self, Problem> {
        for name in ["member", "team", "client", "link", "key", "queue", "quota", "component", "stream"] {
            let value = parameter(parts, state, name).await?;
            if !value.is_empty() {
                return Ok(Self(value));
            }
        }
        Err(Problem::not_found("There is nothing here."))
    }
}

/// A parameter of the path, decoded; empty if there is none of this name.
async fn parameter(parts: &mut Parts, state: &ApiState, name: &str) -> Result<String, Problem> {
    let parameters = RawPathParams::from_request_parts(parts, state).await;
    let parameters = parameters.map_err(|_| Problem::not_found("The path is not UTF-8."))?;
    Ok(parameters.iter().find(|(known, _)| *known == name).map_or_else(String::new, |(_, value)| value.to_owned()))
}
