//! Identity providers and expiry windows: their values in forms, and their names for people.

use crate::connector::{ExpiryWindow, IdentityProvider, guessed};

/// The identity providers to choose from: value, name, description.
pub(super) const PROVIDERS: [(&str, &str, &str); 7] = [
    ("okta", "Okta", "An app integration with SCIM provisioning"),
    ("azure", "Azure (Entra ID)", "An enterprise application with provisioning"),
    ("ping-federate", "PingFederate", "An SP connection with outbound provisioning"),
    ("onelogin", "OneLogin", "An application “SCIM Provisioner with SAML”"),
    ("jumpcloud", "JumpCloud", "Identity Management of an SSO application"),
    ("google", "Google Workspace", "Auto-provisioning of an application; users only"),
    ("other", "Other", "Any client that supports SCIM 2.0 (RFC 7644)"),
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
        // A known name has the provider's own spelling, whatever was typed.
        IdentityProvider::Other(name) => match named(name) {
            Some((value, known)) if value.eq_ignore_ascii_case(name) => known.to_owned(),
            _ => name.clone(),
        },
    }
}

/// The provider's value in forms and links.
pub(super) fn value(provider: &IdentityProvider) -> &'static str {
    match provider {
        IdentityProvider::Okta => "okta",
        IdentityProvider::Azure => "azure",
        IdentityProvider::PingFederate => "ping-federate",
        IdentityProvider::Other(name) => named(name).map_or("other", |(value, _)| value),
    }
}

/// The value and name of a provider whose steps are known, although the contract has only its name.
fn named(name: &str) -> Option<(&'static str, &'static str)> {
    let letters: String = name.chars().filter(char::is_ascii_alphanumeric).collect::<String>().to_ascii_lowercase();
    let known = [("onelogin", "OneLogin"), ("jumpcloud", "JumpCloud"), ("google", "Google Workspace")];
    known.into_iter().find(|(value, _)| letters.contains(value))
}

/// The provider that the form chooses. Another provider must have a name.
pub(super) fn chosen(value: &str, other: Option<&str>) -> Result<IdentityProvider, &'static str> {
    match (value, other) {
        ("okta", _) => Ok(IdentityProvider::Okta),
        ("azure", _) => Ok(IdentityProvider::Azure),
        ("ping-federate", _) => Ok(IdentityProvider::PingFederate),
        ("onelogin" | "jumpcloud" | "google", _) => {
            Ok(IdentityProvider::Other(named(value).map_or(value, |(_, name)| name).to_owned()))
        }
        ("other", Some(name)) if name.len() <= 100 => Ok(IdentityProvider::Other(name.to_owned())),
        ("other", Some(_)) => Err("The name of the identity provider is longer than 100 bytes."),
        ("other", None) => Err("Enter the name of your identity provider."),
        _ => Err("Confirm your identity provider."),
    }
}

/// The value of the provider that single sign-on is configured for, if its name is known.
pub(super) fn guess(single_sign_on: Option<&str>) -> &'static str {
    guessed(single_sign_on.unwrap_or_default()).as_ref().map_or("", value)
}

/// The window with this value.
pub(super) fn window(value: &str) -> Option<ExpiryWindow> {
    WINDOWS.iter().find(|(known, ..)| *known == value).map(|(_, _, window)| *window)
}

/// The window's name.
pub(super) fn window_name(window: ExpiryWindow) -> &'static str {
    WINDOWS.iter().find(|(_, _, known)| *known == window).map_or("", |(_, name, _)| name)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn c26_providers_that_the_contract_knows_by_name_have_steps_of_their_own() {
        for (value, name, _) in PROVIDERS {
            if value != "other" {
                let provider = chosen(value, None).unwrap();
                assert_eq!(self::value(&provider), value, "{name}");
            }
        }
        for (single_sign_on, expected) in [
            ("OneLogin SAML", "onelogin"),
            ("jump-cloud", "jumpcloud"),
            ("Google", "google"),
            ("Microsoft Entra ID", "azure"),
            ("keycloak", "other"),
            ("", ""),
        ] {
            assert_eq!(guess(Some(single_sign_on)), expected);
        }
    }
}
