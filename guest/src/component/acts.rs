//! Notes an act for the audit trail before it is done: its subject, and the old and new values.

use insomnia_scim_contract::{Act, Guard, IdpApi, Member, Organization, Team};
use serde_json::{Value, json};

use super::imports::host;
use crate::store::{EventSubject, Store};

/// The store for an act of this name.
pub(super) fn acting(by: &Act, act: &'static str) -> Store<'static> {
    host().store().for_act(by, act)
}

/// Like [`acting`], with the subject of the act and the old and new values.
pub(super) fn acting_on(
    by: &Act,
    act: &'static str,
    subject: EventSubject,
    before: Option<Value>,
    after: Option<Value>,
) -> Store<'static> {
    let store = acting(by, act);
    store.note(subject, before, after);
    store
}

/// A subject of this kind, with its id and the name that people see.
pub(super) fn subject(kind: &str, id: &str, name: &str) -> EventSubject {
    let some = |text: &str| Some(text.to_owned()).filter(|text| !text.is_empty());
    EventSubject { kind: kind.to_owned(), id: some(id), name: some(name) }
}

/// A member as the subject of an act. If the member was not found, it has the name that the caller gave.
pub(super) fn member(called: &str, found: Option<&Member>) -> EventSubject {
    match found {
        Some(member) => subject("member", &member.id, &member.display_name),
        None => subject("member", "", called),
    }
}

/// A team as the subject of an act. If the team was not found, it has the name that the caller gave.
pub(super) fn team(called: &str, found: Option<&Team>) -> EventSubject {
    match found {
        Some(team) => subject("team", &team.id, &team.name),
        None => subject("team", "", called),
    }
}

/// The organization in the form in which administrators see it.
pub(super) fn organization(organization: &Organization) -> Value {
    let options: Value = serde_json::from_str(&organization.options).unwrap_or_default();
    let domains: Vec<Value> =
        organization.domains.iter().map(|domain| json!({"name": domain.name, "verified": domain.verified})).collect();
    json!({
        "name": organization.name,
        "plan": organization.plan,
        "seats": organization.seats,
        "domains": domains,
        "singleSignOn": organization.single_sign_on,
        "options": options,
    })
}

/// The thresholds of the guard; `None` if it is off.
pub(super) fn guard(guard: Option<&Guard>) -> Option<Value> {
    guard.map(|guard| json!({"number": guard.number, "share": guard.share}))
}

/// The access to the identity provider's API, without its secrets.
pub(super) fn idp_api(api: &IdpApi) -> Value {
    match api {
        IdpApi::Entra(api) => json!({"provider": "azure", "tenantId": api.tenant_id, "clientId": api.client_id}),
        IdpApi::Okta(api) => json!({"provider": "okta", "orgUrl": api.org_url, "appId": api.app_id}),
    }
}

/// The scheme and the host of a URL; the rest of it may contain a secret.
pub(super) fn address(url: &str) -> Value {
    let (scheme, rest) = url.split_once("://").unwrap_or(("", url));
    let authority = rest.split(['/', '?', '#', '\\']).next().unwrap_or_default();
    let host = authority.rsplit('@').next().unwrap_or_default();
    json!({"address": format!("{scheme}://{host}")})
}
