//! The SCIM page, "Enterprise Controls > SCIM": rendered here, for the owner and the co-owners of an organization.
//!
//! Everything but the copy buttons and the live log works without JavaScript. A backend that has sessions of its own
//! mounts the page with its own [`SessionProvider`]; the standalone server signs people in by email and passphrase.

mod assets;
mod automatic;
mod connector;
mod consent;
mod deliveries;
mod entry;
mod event;
mod events;
mod export;
mod form;
mod guard;
mod held;
mod identity_provider;
mod logs;
mod overview;
mod passphrase;
mod passphrase_sessions;
mod people;
mod preview;
mod query;
mod refusal;
mod session;
mod setup;
mod shell;
mod sign_in;
mod state;
mod tail;
#[cfg(test)]
mod tests;
mod visit;
mod when;

pub(crate) use state::page_path;

pub use session::{Session, SessionError, SessionProvider};

use std::sync::Arc;

use axum::Router;
use axum::extract::DefaultBodyLimit;
use axum::middleware::from_fn_with_state;
use axum::routing::{get, post};

use self::passphrase_sessions::PassphraseSessions;
use self::session::Sessions;
use self::state::PageState;
use crate::organization::Organization;
use crate::provisioner::Provisioner;

/// The largest form, in bytes.
const MAX_FORM: usize = 16 << 10;

/// The SCIM page of all organizations, to be mounted.
pub struct Page {
    provisioner: Provisioner,
    sessions: Sessions,
    stopping: Arc<dyn Fn() -> bool + Send + Sync>,
}

impl Provisioner {
    /// The SCIM page of all organizations, with sign-in by email and passphrase.
    pub fn page(&self) -> Page {
        let sessions = Sessions::Own(PassphraseSessions::new(self.clone()));
        Page { provisioner: self.clone(), sessions, stopping: Arc::new(|| false) }
    }
}

impl Organization {
    /// Where its SCIM page is: `<base URL>/organizations/<organization>/scim`, or as
    /// [`crate::ProvisionerBuilder::page_url`] has it.
    pub fn page_url(&self) -> String {
        self.provisioner().page_url(self.id())
    }
}

impl Page {
    /// The backend's own sessions instead of sign-in by email and passphrase.
    #[must_use]
    pub fn sessions(mut self, provider: Arc<dyn SessionProvider>) -> Self {
        self.sessions = Sessions::Backend(provider);
        self
    }

    /// Ends streams that would otherwise hold up the end of the server.
    #[must_use]
    pub(crate) fn until(mut self, stopping: impl Fn() -> bool + Send + Sync + 'static) -> Self {
        self.stopping = Arc::new(stopping);
        self
    }

    /// The routes below `/organizations/<organization>/scim`, the stylesheet and the script below `/scim-page`, and OAuth's
    /// authorization endpoint, `/oauth/<organization>/authorize`, which leads to a consent screen of the page.
    pub fn router(self) -> Router {
        let own = matches!(self.sessions, Sessions::Own(_));
        let state = PageState::new(self.provisioner, self.sessions, self.stopping);
        let mut page = Router::new()
            .route("/", get(overview::show))
            .route("/enable", get(connector::ask_enable).post(connector::enable))
            .route("/refresh", get(connector::ask_refresh).post(connector::refresh))
            .route("/disable", get(connector::ask_disable).post(connector::disable))
            .route("/setup", get(setup::show))
            .route(
                "/preview",
                get(preview::show).post(preview::preview).layer(DefaultBodyLimit::max(preview::MAX_LIST)),
            )
            .route("/members", get(people::members))
            .route("/teams", get(people::teams))
            .route("/automatic", get(automatic::show).post(automatic::configure))
            .route("/clients", post(automatic::client))
            .route("/guard", get(held::show).post(held::set))
            .route("/guard/decide", post(held::decide))
            .route("/events", get(events::list))
            .route("/events/{position}", get(events::detail))
            .route("/deliveries", get(deliveries::show).post(deliveries::retry))
            .route("/webhook", post(deliveries::webhook))
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
            .nest("/organizations/{organization}/scim", page.fallback(refusal::nothing_here))
            .route("/oauth/{organization}/authorize", get(consent::authorize))
            .layer(DefaultBodyLimit::max(MAX_FORM))
            .layer(from_fn_with_state(state.clone(), guard::guard))
            .route("/scim-page/{file}", get(assets::serve))
            .with_state(state)
    }
}
