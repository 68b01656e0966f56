//! The automatic refresh as it stands, for the SCIM page.

use super::{DAY, schedule};
use crate::moment::lasts;
use crate::store::{IdpApi, Problem, Store, StoreError, Trouble};

/// How long after its last use a credential is taken for in use, in milliseconds.
const IN_USE: u64 = 30 * DAY;

/// By what the credentials are renewed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum RefreshMethod {
    /// By nothing: the token is refreshed by hand.
    Manual,
    /// The identity provider renews its OAuth access tokens by itself.
    OAuth,
    /// A new token is installed over Microsoft Graph.
    Entra,
    /// A new token is installed over Okta's API.
    Okta,
}

/// How far the refresh has come.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum RefreshState {
    /// SCIM is disabled, or there is nothing that would refresh.
    Off,
    /// Nothing to do before the planned time.
    Scheduled,
    /// A new token is about to be installed.
    Installing,
    /// The identity provider has accepted the new token; its first request with it is awaited.
    Verifying,
    /// The last attempt failed in a way that passes; it is tried again.
    Retrying,
    /// The identity provider accepted a token and never came with it; it is installed again.
    Unconfirmed,
    /// Somebody must correct what is configured; it is tried again, too.
    NeedsAttention,
}

/// The automatic refresh as it stands. Times are in milliseconds since the Unix epoch.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RefreshStatus {
    /// By what.
    pub method: RefreshMethod,
    /// How far.
    pub state: RefreshState,
    /// The API that is configured: nothing of it is secret.
    pub api: Option<IdpApi>,
    /// When the next attempt is planned.
    pub next_attempt: Option<u64>,
    /// When the last attempt began.
    pub last_attempt: Option<u64>,
    /// When a new token was last verified.
    pub last_success: Option<u64>,
    /// Failed attempts since.
    pub failures: u32,
    /// Why the last one failed.
    pub problem: Option<Problem>,
    /// When a request was last authenticated by an OAuth access token.
    pub oauth_last_used: Option<u64>,
}

/// The automatic refresh as it stands.
///
/// # Errors
/// If the store can't answer.
pub fn status(store: &Store) -> Result<RefreshStatus, StoreError> {
    let view = store.refresh_view()?;
    let (oauth_last_used, bearer_last_used) = (store.oauth_used()?, store.connector_used()?);
    let is_in_use =
        |used: Option<u64>| used.is_some_and(|used| lasts(used.saturating_add(IN_USE), store.now(), IN_USE));
    // Whoever comes with the token stops syncing when it expires, whatever else comes with access tokens.
    let by_oauth = is_in_use(oauth_last_used) && !is_in_use(bearer_last_used);
    let method = match &view.api {
        Some(api) => match &api.api {
            IdpApi::Entra { .. } => RefreshMethod::Entra,
            IdpApi::Okta { .. } => RefreshMethod::Okta,
        },
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
        Some(token) => Some(schedule::due(token, view.connector.window.as_deref())),
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
        problem: refresh.problem.clone().filter(|_| view.api.is_some()),
        oauth_last_used,
        api: view.api.map(|api| api.api),
    })
}

/// Whether the credentials will be renewed without anybody's help: then no warning about the token's expiry is due.
///
/// It will not be relied upon after two failures, or if somebody must correct the configuration.
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
