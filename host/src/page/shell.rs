//! The frame of all views: the title, the navigation, and who is signed in.

use super::assets;
use super::state::PageState;
use crate::capability::storage::OrganizationId;

/// The frame of a view.
pub(super) struct Shell {
    pub(super) title: String,
    /// The path of the organization's page.
    pub(super) home: String,
    pub(super) stylesheet: String,
    pub(super) script: String,
    /// The organization's name.
    pub(super) organization: String,
    /// The email address of the person who is signed in. Without it there is no navigation.
    pub(super) actor: Option<String>,
    /// The token for forms; empty if nobody is signed in.
    pub(super) csrf: String,
    /// The path of the page's own form to sign out.
    pub(super) sign_out_form: Option<String>,
    /// The URL of the backend's link to sign out.
    pub(super) sign_out_link: Option<String>,
    /// The view's place in the navigation.
    pub(super) here: &'static str,
}

/// The places of the navigation: the path below the page, and the name.
pub(super) const PLACES: [(&str, &str); 12] = [
    ("", "Overview"),
    ("setup", "Set up"),
    ("preview", "Preview"),
    ("members", "Members"),
    ("teams", "Teams"),
    ("logs", "Logs"),
    ("events", "Events"),
    ("audit", "Audit trail"),
    ("deliveries", "Deliveries"),
    ("automatic", "Automatic refresh"),
    ("guard", "Guard"),
    ("settings", "Settings"),
];

impl Shell {
    /// The frame for a visitor who is not signed in.
    pub(super) fn outside(state: &PageState, organization: Option<&OrganizationId>, title: &str) -> Self {
        let own = state.sessions.own().is_some();
        let home = organization.map(|id| state.home(id)).unwrap_or_default();
        Self {
            title: title.to_owned(),
            stylesheet: assets::STYLESHEET.path(state.root()),
            script: assets::SCRIPT.path(state.root()),
            organization: organization.map(ToString::to_string).unwrap_or_default(),
            actor: None,
            csrf: String::new(),
            sign_out_form: own.then(|| format!("{home}/sign-out")),
            sign_out_link: organization.and_then(|id| state.sessions.provider().sign_out_url(id)),
            here: "",
            home,
        }
    }

    /// The navigation: the path, the name, and whether it is the current place.
    pub(super) fn places(&self) -> Vec<(String, &'static str, bool)> {
        let place = |(path, name): &(&str, &'static str)| {
            let full = if path.is_empty() { self.home.clone() } else { format!("{}/{path}", self.home) };
            (full, *name, *path == self.here)
        };
        PLACES.iter().map(place).collect()
    }
}
