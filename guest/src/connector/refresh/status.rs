//! The status of the automatic refresh, for the SCIM page.

use insomnia_scim_contract::{RefreshMethod, RefreshState, RefreshStatus, lasts};

use super::{DAY, schedule};
use crate::store::{Store, StoreError, Trouble};

/// A credential counts as in use for this long after its last use, in milliseconds.
const IN_USE: u64 = 30 * DAY;

/// The status of the automatic refresh.
///
/// # Errors
/// If the store can't answer.
pub fn status(store: &Store) -> Result<RefreshStatus, StoreError> {
    let view = store.refresh_view()?;
    let (oauth_last_used, bearer_last_used) = (store.oauth_used()?, store.connector_used()?);
    let is_in_use =
        |used: Option<u64>| used.is_some_and(|used| lasts(used.saturating_add(IN_USE), store.now(), IN_USE));
    // A client that uses the token stops syncing when it expires, even if other clients use access tokens.
    let by_oauth = is_in_use(oauth_last_used) && !is_in_use(bearer_last_used);
    let method = match &view.api {
        Some(_) => RefreshMethod::IdpApi,
        None if by_oauth => RefreshMethod::OAuth,
        None => RefreshMethod::Manual,
    };
    let refresh = &view.refresh;
    let pending = view.pending();
    let installed = pending.is_some_and(|pending| pending.installed.is_some());
    let state = match (method, refresh.problem.as_ref().map(|problem| problem.trouble)) {
        _ if !view.connector.enabled => RefreshState::Off,
        (RefreshMethod::Manual, _) => RefreshState::Off,
        (RefreshMethod::OAuth, _) => RefreshState::Scheduled,
        (_, Some(Trouble::Attention)) => RefreshState::NeedsAttention,
        (_, Some(Trouble::Unconfirmed)) => RefreshState::Unconfirmed,
        (_, Some(Trouble::Passing)) => RefreshState::Retrying,
        (_, None) if installed => RefreshState::Verifying,
        (_, None) if pending.is_some() => RefreshState::Installing,
        (_, None) => RefreshState::Scheduled,
    };
    let due = match &view.connector.token {
        _ if refresh.forced || pending.is_some() => Some(0),
        Some(token) => Some(schedule::due(token, view.connector.window)),
        None => None,
    };
    let planned = !installed && view.api.is_some() && state != RefreshState::Off;
    Ok(RefreshStatus {
        method,
        state,
        next_attempt: due.filter(|_| planned).map(|due| due.max(refresh.retry_at).max(store.now())),
        last_attempt: refresh.last_attempt,
        last_success: refresh.last_success,
        failures: refresh.failures,
        problem: refresh.problem.as_ref().filter(|_| view.api.is_some()).map(|problem| problem.text.clone()),
        oauth_last_used,
        idp_api: view.api.map(|api| api.api),
    })
}

/// Whether the credentials will be renewed without anybody's help. Then no warning about the token's expiry is needed.
///
/// The answer is no after two failures, or if an administrator must correct the configuration.
///
/// # Errors
/// If the store can't answer.
pub fn will_refresh(store: &Store) -> Result<bool, StoreError> {
    let status = status(store)?;
    Ok(match status.state {
        RefreshState::Scheduled | RefreshState::Installing | RefreshState::Verifying => true,
        RefreshState::Retrying => status.failures < 2,
        RefreshState::Off | RefreshState::Unconfirmed | RefreshState::NeedsAttention => false,
    })
}
