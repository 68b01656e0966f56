//! The metadata document of the authorization server (RFC 8414).

use serde_json::json;

use super::jwks::Algorithm;

/// The metadata as JSON, for this issuer: `https://…/oauth/{organization}`, without a slash at its end.
#[must_use]
pub fn metadata(issuer: &str) -> String {
    let methods = ["client_secret_basic", "client_secret_post", "private_key_jwt", "none"];
    let document = json!({
        "issuer": issuer,
        "authorization_endpoint": format!("{issuer}/authorize"),
        "token_endpoint": format!("{issuer}/token"),
        "revocation_endpoint": format!("{issuer}/revoke"),
        "scopes_supported": [super::SCOPE],
        "response_types_supported": ["code"],
        "response_modes_supported": ["query"],
        "grant_types_supported": ["authorization_code", "refresh_token", "client_credentials"],
        "token_endpoint_auth_methods_supported": methods,
        "token_endpoint_auth_signing_alg_values_supported": Algorithm::NAMES,
        "revocation_endpoint_auth_methods_supported": methods,
        "revocation_endpoint_auth_signing_alg_values_supported": Algorithm::NAMES,
        "code_challenge_methods_supported": ["S256"],
    });
    document.to_string()
}
