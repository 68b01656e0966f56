//! The admin API, `/api/v1`: everything that the SCIM page and the command line can do, as JSON, for backends and
//! automation.
//!
//! - **Keys.** A request has an API key: `Authorization: Bearer insm_api_…` of an organization, or `insm_operator_…` of
//!   the operator. An organization's key allows the operations below `/api/v1/organizations/<organization>`, except
//!   changes of the organization itself. For any other organization the answer is 403, whether it exists or not. Wrong
//!   keys are slowed down by address. A key has scopes; the document says which scope an operation needs, and a request
//!   is checked against the document (module `scopes`).
//! - **Actors.** If the component needs an actor, a request may name one; otherwise the key acts for the organization's
//!   owner. A token is refreshed with the actor's passphrase, as on the page, or with the operator's key without one.
//! - **Answers.** JSON, never cached. A refusal is a problem (RFC 9457). Lists are paged by cursor, with a `Link` to the
//!   next page. A POST with an `Idempotency-Key` is done once (module `idempotency`).
//! - **Documentation.** `/api/v1/openapi.json` is generated from the handlers (module `document`).
//!
//! A request that has begun is finished even if the client is gone.

mod access;
mod alerts;
mod api_keys;
mod audit;
mod components;
mod connector;
mod document;
mod erasures;
mod events;
mod fleet;
mod frame;
mod guard;
mod idempotency;
mod imports;
mod input;
mod listed;
mod logs;
mod members;
mod oauth_clients;
mod organizations;
mod problem;
mod quotas;
mod retention;
mod rotation;
mod schemas;
mod scopes;
mod search;
mod setup_links;
mod shapes;
mod state;
mod streams;
mod teams;
#[cfg(test)]
mod tests;

use axum::Router;
use axum::middleware::from_fn_with_state;
use axum::routing::any;
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

use self::scopes::Scopes;
use self::state::ApiState;
use crate::provisioner::Provisioner;

/// The beginning of all paths, below the base URL.
const PATH: &str = "/api/v1";

/// The routes of the admin API of all organizations, below `/api/v1`, to be mounted.
pub fn router(provisioner: &Provisioner) -> Router {
    let (operations, document) = operations().split_for_parts();
    let document = document::complete(document, provisioner.base_url());
    let scopes = Scopes::of(&document);
    let state = ApiState::new(provisioner.clone(), document.to_string().into(), scopes);
    let frame = from_fn_with_state(state.clone(), frame::frame);
    let api = operations
        .fallback(frame::nothing_here)
        .method_not_allowed_fallback(frame::not_this_method)
        .layer(frame.clone());
    // A nested router does not match a path with only a slash after it.
    Router::new().nest(PATH, api).route(&format!("{PATH}/"), any(frame::nothing_here).layer(frame)).with_state(state)
}

/// All operations. Only these are served, and all of them are in the document.
fn operations() -> OpenApiRouter<ApiState> {
    OpenApiRouter::with_openapi(document::frame())
        .routes(routes!(document::get_document))
        .routes(routes!(fleet::list_fleet))
        .routes(routes!(alerts::list_alerts))
        .routes(routes!(organizations::list_organizations, organizations::create_organization))
        .routes(routes!(
            organizations::get_organization,
            organizations::put_organization,
            organizations::patch_organization,
            organizations::delete_organization
        ))
        .routes(routes!(organizations::export_organization))
        .routes(routes!(quotas::list_quotas))
        .routes(routes!(quotas::put_quota))
        .routes(routes!(components::list_components))
        .routes(routes!(components::put_component, components::remove_component))
        .routes(routes!(components::get_canary, components::put_canary, components::end_canary))
        .routes(routes!(components::get_component, components::put_pin))
        .routes(routes!(organizations::get_requirements))
        .routes(routes!(organizations::get_licences))
        .routes(routes!(connector::get_connector))
        .routes(routes!(connector::enable_connector))
        .routes(routes!(connector::disable_connector))
        .routes(routes!(connector::refresh_token))
        .routes(routes!(setup_links::list_setup_links, setup_links::create_setup_link))
        .routes(routes!(setup_links::revoke_setup_link))
        .routes(routes!(rotation::get_automatic_refresh))
        .routes(routes!(rotation::put_idp_api, rotation::delete_idp_api))
        .routes(routes!(rotation::try_idp_api))
        .routes(routes!(oauth_clients::list_oauth_clients, oauth_clients::create_oauth_client))
        .routes(routes!(oauth_clients::rotate_oauth_client))
        .routes(routes!(oauth_clients::delete_oauth_client))
        .routes(routes!(members::list_members, members::add_member))
        .routes(routes!(members::get_member, members::remove_member))
        .routes(routes!(members::get_member_details))
        .routes(routes!(members::list_teams_of_member))
        .routes(routes!(members::export_members))
        .routes(routes!(members::get_census))
        .routes(routes!(members::list_without_seat))
        .routes(routes!(members::set_role))
        .routes(routes!(imports::import_members))
        .routes(routes!(erasures::erase_person))
        .routes(routes!(members::reset_passphrase))
        .routes(routes!(teams::list_teams, teams::add_team))
        .routes(routes!(teams::get_team, teams::remove_team))
        .routes(routes!(teams::get_team_details))
        .routes(routes!(teams::export_teams))
        .routes(routes!(teams::list_team_members, teams::change_team_members))
        .routes(routes!(members::preview))
        .routes(routes!(guard::get_guard, guard::put_guard, guard::delete_guard))
        .routes(routes!(guard::list_held))
        .routes(routes!(guard::decide_held))
        .routes(routes!(logs::search_logs))
        .routes(routes!(audit::search_audit))
        .routes(routes!(audit::search_operator_audit))
        .routes(routes!(logs::export_logs))
        .routes(routes!(retention::get_retention, retention::put_retention))
        .routes(routes!(schemas::get_schemas, schemas::put_schemas, schemas::delete_schemas))
        .routes(routes!(events::list_events))
        .routes(routes!(events::get_webhook, events::put_webhook, events::delete_webhook))
        .routes(routes!(events::test_webhook))
        .routes(routes!(events::list_deliveries))
        .routes(routes!(events::retry_deliveries))
        .routes(routes!(events::dismiss_deliveries))
        .routes(routes!(events::readdress_email))
        .routes(routes!(streams::list_streams, streams::add_stream))
        .routes(routes!(streams::get_stream, streams::remove_stream))
        .routes(routes!(streams::rotate_stream_token))
        .routes(routes!(streams::rotate_signing_key))
        .routes(routes!(api_keys::list_api_keys, api_keys::create_api_key))
        .routes(routes!(api_keys::revoke_api_key))
        .routes(routes!(api_keys::list_operator_keys, api_keys::create_operator_key))
        .routes(routes!(api_keys::revoke_operator_key))
}
