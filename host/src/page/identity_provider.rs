//! Identity providers and expiry windows as forms name them and people read them.

use crate::connector::{ExpiryWindow, IdentityProvider, guessed};

/// The identity providers to choose from: value, name, what it says beside it.
pub(super) const PROVIDERS: [(&str, &str, &str); 4] = [
    ("okta", "Okta", "An app integration with SCIM provisioning"),
    ("azure", "Azure (Entra ID)", "An enterprise application with provisioning"),
    ("ping-federate", "PingFederate", "An SP connection with outbound provisioning"),
    ("other", "Other", "Any client that speaks SCIM 2.0 (RFC 7644)"),
];

/// The expiry windows to choose from: value, name.
pub(super) const WINDOWS: [(&str, &str, ExpiryWindow); 6] = [
    ("30d", "30 days", ExpiryWindow::Days30),
    ("90d", "90 days", ExpiryWindow::Days90),
    ("180d", "180 days", ExpiryWindow::Days180),
    ("1y", "1 year", ExpiryWindow::Year1),
    ("2y", "2 years", ExpiryWindow::Years2),
    ("never", "Never", ExpiryWindow::Never),
];

/// The name that people know.
pub(super) fn name(provider: &IdentityProvider) -> String {
    match provider {
        IdentityProvider::Okta => "Okta".into(),
        IdentityProvider::Azure => "Azure (Microsoft Entra ID)".into(),
        IdentityProvider::PingFederate => "PingFederate".into(),
        IdentityProvider::Other(name) => name.clone(),
    }
}

/// The value in forms and links.
pub(super) fn value(provider: &IdentityProvider) -> &'static str {
    match provider {
        IdentityProvider::Okta => "okta",
        IdentityProvider::Azure => "azure",
        IdentityProvider::PingFederate => "ping-federate",
        IdentityProvider::Other(_) => "other",
    }
}

/// The provider that was chosen; one of another name needs that name.
pub(super) fn chosen(value: &str, other: Option<&str>) -> Result<IdentityProvider, &'static str> {
    match (value, other) {
        ("okta", _) => Ok(IdentityProvider::Okta),
        ("azure", _) => Ok(IdentityProvider::Azure),
        ("ping-federate", _) => Ok(IdentityProvider::PingFederate),
        ("other", Some(name)) if name.len() <= 100 => Ok(IdentityProvider::Other(name.to_owned())),
        ("other", Some(_)) => Err("The name of the identity provider is longer than 100 bytes."),
        ("other", None) => Err("Name your identity provider, so that others know what this connector is for."),
        _ => Err("Confirm your identity provider."),
    }
}

/// The one that single sign-on is configured for, as far as its name tells.
pub(super) fn guess(single_sign_on: Option<&str>) -> &'static str {
    guessed(single_sign_on.unwrap_or_default()).as_ref().map_or("", value)
}

/// The window of a value.
pub(super) fn window(value: &str) -> Option<ExpiryWindow> {
    WINDOWS.iter().find(|(known, ..)| *known == value).map(|(_, _, window)| *window)
}

/// The window's name.
pub(super) fn window_name(window: ExpiryWindow) -> &'static str {
    WINDOWS.iter().find(|(_, _, known)| *known == window).map_or("", |(_, name, _)| name)
}
