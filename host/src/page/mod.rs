//! The SCIM page, "Enterprise Controls > SCIM": rendered here, for the owner and the co-owners of an organization.
//!
//! Everything but the copy buttons and the live log works without JavaScript. A backend that has sessions of its own
//! mounts the page with its own [`SessionProvider`], and with a [`StepUp`] if it verifies who acts in another way than
//! by the passphrase; the standalone server signs people in by email and passphrase.

mod api_keys;
mod assets;
mod attributes;
mod audit;
mod confirm;
mod connector;
mod consent;
mod credentials;
mod deliveries;
mod devices;
mod entry;
mod event;
mod events;
mod export;
mod fallback;
mod form;
mod guard;
mod history;
mod identity_provider;
mod kept_proofs;
mod log_filter;
mod logs;
mod member_row;
mod members;
mod oauth_clients;
mod overview;
mod paging;
mod passphrase;
mod passphrase_sessions;
mod preview;
mod proof;
mod query;
mod readdress;
mod refusal;
mod rotation;
mod search;
mod security_headers;
mod session;
mod sessions;
mod set_up;
mod settings;
mod setup;
mod setup_links;
mod shell;
mod sign_in;
mod state;
mod step_up;
mod stream_row;
mod streams;
mod tail;
mod teams;
#[cfg(test)]
mod tests;
mod tries;
mod visit;
mod when;
mod words;

pub use session::{Session, SessionError, SessionProvider};
pub use step_up::{StepUp, StepUpQuestion, StepUpVerdict};

use std::sync::Arc;

use axum::Router;
use axum::extract::DefaultBodyLimit;
use axum::middleware::from_fn_with_state;
use axum::routing::{get, post};

use self::passphrase_sessions::PassphraseSessions;
use self::sessions::Sessions;
use self::state::PageState;
use crate::provisioner::Provisioner;

/// The largest form, in bytes.
const MAX_FORM: usize = 16 << 10;

/// The SCIM page of all organizations, to be mounted.
pub struct Page {
    provisioner: Provisioner,
    sessions: Sessions,
    step_up: Option<Arc<dyn StepUp>>,
    stopping: Arc<dyn Fn() -> bool + Send + Sync>,
}

/// The routes of the SCIM page, with sign-in by email and passphrase. [`Page`] takes a backend's own sessions.
pub fn router(provisioner: &Provisioner) -> Router {
    Page::new(provisioner).router()
}

impl Page {
    /// The page with sign-in by email and passphrase.
    pub fn new(provisioner: &Provisioner) -> Self {
        let sessions = Sessions::Own(PassphraseSessions::new(provisioner.clone()));
        let of = provisioner.clone();
        Self { provisioner: provisioner.clone(), sessions, step_up: None, stopping: Arc::new(move || of.is_stopping()) }
    }

    /// Uses the backend's own sessions instead of sign-in by email and passphrase.
    #[must_use]
    pub fn sessions(mut self, provider: Arc<dyn SessionProvider>) -> Self {
        self.sessions = Sessions::Backend(provider);
        self
    }

    /// Uses the backend's own proof of who acts, instead of the passphrase. It is asked before most actions whose
    /// results outlive the session, as [`StepUpQuestion`] lists them.
    #[must_use]
    pub fn step_up(mut self, verifier: Arc<dyn StepUp>) -> Self {
        self.step_up = Some(verifier);
        self
    }

    /// Ends streams that would otherwise delay the end of the server.
    #[must_use]
    pub(crate) fn until(mut self, stopping: impl Fn() -> bool + Send + Sync + 'static) -> Self {
        self.stopping = Arc::new(stopping);
        self
    }

    /// The routes below `/organizations/<organization>/scim`, the stylesheet and the script below `/scim-page`, and OAuth's
    /// authorization endpoint, `/oauth/<organization>/authorize`, which leads to a consent screen of the page.
    pub fn router(self) -> Router {
        let own = matches!(self.sessions, Sessions::Own(_));
        let state = PageState::new(self.provisioner, self.sessions, self.step_up, self.stopping);
        let mut page = Router::new()
            .route("/", get(overview::show))
            .route("/enable", get(connector::ask_enable).post(connector::enable))
            .route("/refresh", get(connector::ask_refresh).post(connector::refresh))
            .route("/disable", get(connector::ask_disable).post(connector::disable))
            .route("/setup", get(setup::show))
            .route("/setup-links", get(setup_links::show).post(setup_links::change))
            .route("/set-up", get(set_up::ask).post(set_up::redeem))
            .route(
                "/preview",
                get(preview::show).post(preview::preview).layer(DefaultBodyLimit::max(preview::MAX_LIST)),
            )
            .route("/members", get(members::list))
            .route("/members/export.csv", get(members::csv))
            .route("/members/erase", post(members::erase))
            .route("/members/without-seat", get(members::without_seat))
            .route("/members/{member}", get(members::show))
            .route("/teams", get(teams::list))
            .route("/teams/export.csv", get(teams::csv))
            .route("/teams/{team}", get(teams::show))
            .route("/teams/{team}/members.csv", get(teams::members_csv))
            .route("/settings", get(settings::show))
            .route("/api-keys", get(api_keys::show).post(api_keys::change))
            .route("/settings/retention", post(settings::retention))
            .route("/settings/schemas", post(settings::schemas).layer(DefaultBodyLimit::max(settings::MAX_DECLARATION)))
            .route("/automatic", get(rotation::show).post(rotation::configure))
            .route("/clients", post(oauth_clients::change))
            .route("/guard", get(guard::show).post(guard::set))
            .route("/guard/decide", post(guard::decide))
            .route("/audit", get(audit::list))
            .route("/events", get(events::list))
            .route("/events/{position}", get(events::detail))
            .route("/deliveries", get(deliveries::show).post(deliveries::retry))
            .route("/deliveries/dismiss", post(deliveries::dismiss))
            .route("/deliveries/readdress", get(readdress::ask).post(readdress::readdress))
            .route("/webhook", post(deliveries::webhook))
            .route("/streams", get(streams::show).post(streams::change))
            .route("/confirm/{what}", get(confirm::ask))
            .route("/consent", get(consent::ask).post(consent::decide))
            .route("/logs", get(logs::list))
            .route("/logs/{position}", get(logs::detail))
            .route("/logs/live", get(tail::follow))
            .route("/logs/export.csv", get(export::csv))
            .route("/logs/export.jsonl", get(export::json_lines));
        if own {
            page = page
                .route("/sign-in", get(sign_in::ask).post(sign_in::sign_in))
                .route("/sign-out", post(sign_in::sign_out))
                .route("/passphrase", get(passphrase::ask_change).post(passphrase::change))
                .route("/reset", get(passphrase::ask_reset).post(passphrase::reset));
        }
        Router::new()
            .nest("/organizations/{organization}/scim", page.fallback(fallback::nothing_here))
            .route("/oauth/{organization}/authorize", get(consent::authorize))
            .layer(DefaultBodyLimit::max(MAX_FORM))
            .layer(from_fn_with_state(state.clone(), security_headers::security_headers))
            .route("/scim-page/{file}", get(assets::serve))
            .with_state(state)
    }
}
