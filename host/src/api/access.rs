//! Access of a request: the API key, the rights of its scopes, and the organization that it opens.

use std::sync::{Arc, OnceLock};

use axum::extract::{FromRequestParts, MatchedPath, RawPathParams};
use axum::http::header;
use axum::http::request::Parts;
use axum::response::Response;

use super::problem::Problem;
use super::state::ApiState;
use crate::api_keys::{self, ApiKeyHolder, ApiScope, Caller};
use crate::capability::storage::OrganizationId;
use crate::directory::Role;
use crate::organization::Organization;
use crate::organization::export::DirectoryExport;
use crate::quota::AtOnce;
use crate::server::bill::Bill;
use crate::server::streams::Stream;
use crate::traces::traceparent;
use insomnia_scim_contract::{Actor, Face, Source};

/// The id of the key that a request came with, for the log of requests.
#[derive(Clone, Default)]
pub(super) struct KeyOfRequest(pub(super) Arc<OnceLock<String>>);

/// The id of a request, as in its answer's `X-Request-Id`.
#[derive(Clone)]
pub(super) struct RequestId(pub(super) String);

/// The answer to every wrong key. It is the same for a key that was valid once.
const NOT_KNOWN: &str = "The API key is not known here, was revoked, or has expired.";

/// The caller of a request, whose key has the scope that the operation needs. The key is looked up only once for a
/// request.
pub(super) async fn caller(parts: &mut Parts, state: &ApiState) -> Result<Caller, Problem> {
    if let Some(caller) = parts.extensions.get::<Caller>() {
        return Ok(caller.clone());
    }
    let missing = "Send an API key as `Authorization: Bearer insm_…`.";
    let malformed =
        "The Authorization header holds no API key. Send the key as it was shown: `Authorization: Bearer insm_…`.";
    let field = parts.headers.get(header::AUTHORIZATION).ok_or_else(|| Problem::no_key(missing))?;
    let presented = field.to_str().ok().and_then(|text| text.split_once(' '));
    let presented = presented.filter(|(scheme, _)| scheme.eq_ignore_ascii_case("bearer")).map(|(_, key)| key.trim());
    // A malformed key does not count towards the address's limit.
    let presented = presented.filter(|presented| api_keys::is_well_formed(presented));
    let presented = presented.ok_or_else(|| Problem::unauthorized(malformed))?;
    match state.keys.recognise(presented).await? {
        Some(caller) => {
            if let Some(KeyOfRequest(key)) = parts.extensions.get() {
                // This is the only place where it is set, so this can't fail.
                let _ = key.set(caller.key.clone());
            }
            if let Some(bill) = Bill::begun(&parts.extensions) {
                bill.is_of(&state.provisioner.runtime().account(&caller.holder.space()));
            }
            let matched = parts.extensions.get::<MatchedPath>().map_or("", MatchedPath::as_str);
            caller.needs(state.scopes.needed(&parts.method, matched))?;
            parts.extensions.insert(caller.clone());
            Ok(caller)
        }
        None => {
            let source = state.provisioner.trusted_proxies().source(parts);
            let tried = source.map_or(Ok(()), |source| state.wrong.begin(&source));
            tried.map_err(|seconds| Problem::throttled("Too many wrong API keys came from your address.", seconds))?;
            Err(Problem::unauthorized(NOT_KNOWN))
        }
    }
}

impl Caller {
    /// Whether the key has this scope.
    pub(super) fn needs(&self, scope: ApiScope) -> Result<(), Problem> {
        if api_keys::permits(&self.scopes, scope) { Ok(()) } else { Err(Problem::insufficient_scope(scope)) }
    }
}

/// A request of the operator.
pub(super) struct Operator {
    pub(super) state: ApiState,
    pub(super) caller: Caller,
    /// The source of the request, for audit trails.
    pub(super) source: Source,
}

impl Operator {
    /// Adds an act to the operator's own audit trail, such as `component.remove` of the component `id`.
    pub(super) async fn record(&self, what: &str, kind: &str, id: Option<&str>, name: Option<&str>) {
        self.state.provisioner.record_operator_act(what, self.source.clone(), kind, id, name).await;
    }
}

impl FromRequestParts<ApiState> for Operator {
    type Rejection = Problem;

    async fn from_request_parts(parts: &mut Parts, state: &ApiState) -> Result<Self, Problem> {
        let caller = caller(parts, state).await?;
        match caller.holder {
            ApiKeyHolder::Operator => {
                let source = source(parts, state, &caller);
                Ok(Self { state: state.clone(), caller, source })
            }
            ApiKeyHolder::Organization(_) => Err(Problem::forbidden("This needs an operator's key.")),
        }
    }
}

/// The source of a request with this key.
fn source(parts: &Parts, state: &ApiState, caller: &Caller) -> Source {
    let address = state.provisioner.trusted_proxies().client(parts).map(|address| address.to_string());
    Source {
        address,
        credential: Some(caller.key.clone()),
        traceparent: traceparent(),
        request_id: parts.extensions.get::<RequestId>().map(|id| id.0.clone()),
        ..Source::new(Face::Api)
    }
}

/// A request about the organization in its path, with a key that opens it.
pub(super) struct Access {
    pub(super) state: ApiState,
    pub(super) organization: Organization,
    pub(super) caller: Caller,
    /// Counts the request among the organization's requests at the same time.
    _entered: Option<AtOnce>,
}

impl FromRequestParts<ApiState> for Access {
    type Rejection = Problem;

    async fn from_request_parts(parts: &mut Parts, state: &ApiState) -> Result<Self, Problem> {
        let caller = caller(parts, state).await?;
        let named = OrganizationId::parse(&parameter(parts, state, "organization").await?).ok();
        // A key does not even reveal which other organizations exist.
        if let ApiKeyHolder::Organization(own) = &caller.holder
            && named.as_ref().map(OrganizationId::as_str) != Some(own.as_str())
        {
            return Err(Problem::forbidden("The API key is that of another organization."));
        }
        let id = named.ok_or_else(Problem::no_organization)?;
        let found = state.provisioner.find_organization(&id).await?;
        let organization = found.ok_or_else(Problem::no_organization)?;
        // A key of an earlier organization of the same name does not open this one.
        if matches!(&caller.holder, ApiKeyHolder::Organization(own) if own != organization.id()) {
            return Err(Problem::unauthorized(NOT_KNOWN));
        }
        let entered = match &caller.holder {
            ApiKeyHolder::Organization(_) => {
                let usage = state.provisioner.runtime().usage(organization.id()).await;
                Some(usage.enter().map_err(Problem::over_quota)?)
            }
            ApiKeyHolder::Operator => None,
        };
        let actor = if caller.holder == ApiKeyHolder::Operator { Actor::Operator } else { Actor::Owner };
        let source = source(parts, state, &caller);
        let organization = organization.coming_from(source).acting_as(actor);
        Ok(Self { state: state.clone(), organization, caller, _entered: entered })
    }
}

impl Access {
    /// Whether the key may make a member an owner or a co-owner, who may do everything on the page.
    pub(super) fn may_give(&self, role: Role) -> Result<(), Problem> {
        match role {
            Role::Member => Ok(()),
            Role::Owner | Role::CoOwner => self.caller.needs(ApiScope::EVERYTHING),
        }
    }

    /// The actor: the member that the request names, whose role is checked later; otherwise the organization's owner,
    /// since a key may do everything that the owner may.
    pub(super) fn actor(&self, named: Option<String>) -> Actor {
        named.map_or(Actor::Owner, Actor::Member)
    }

    /// Begins one more export of the organization, unless too many are running.
    pub(super) fn stream(&self) -> Result<Stream, Problem> {
        let detail = "Too many exports of this organization are running. Try again when they are done.";
        self.state.streams.open(self.organization.id()).ok_or_else(|| Problem::throttled(detail, 10))
    }

    /// An export, unless too many of the organization are running.
    pub(super) async fn export(self, begin: impl FnOnce(Organization) -> DirectoryExport) -> Result<Response, Problem> {
        let stream = self.stream()?;
        Ok(begin(self.organization).into_response(self.state.now(), stream).await?)
    }
}

/// The last part of the path below the organization, such as a member.
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
