//! The types of an organization's SCIM connector: enabling, tokens, status.

pub use insomnia_scim_contract::{
    ConnectorStatus, ExpiryWindow, IdentityProvider, IssuedSetupLink, IssuedToken, NewSetupLink, SetupLink, TokenStatus,
};

/// The identity provider that single sign-on is configured for, as far as its name tells; `None` if it has no name.
pub(crate) fn guessed(single_sign_on: &str) -> Option<IdentityProvider> {
    let name = single_sign_on.to_lowercase();
    let is = |words: &[&str]| words.iter().any(|word| name.contains(word));
    match () {
        () if is(&["okta"]) => Some(IdentityProvider::Okta),
        () if is(&["azure", "entra", "microsoft"]) => Some(IdentityProvider::Azure),
        () if is(&["ping"]) => Some(IdentityProvider::PingFederate),
        () if name.trim().is_empty() => None,
        () => Some(IdentityProvider::Other(single_sign_on.to_owned())),
    }
}

/// How long a token is valid if nobody has chosen: the same on the SCIM page, in the admin API and on the command line.
pub const DEFAULT_EXPIRY: ExpiryWindow = ExpiryWindow::Days180;
