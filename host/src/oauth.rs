//! The types of OAuth 2.0 for identity providers, and of the automatic refresh over an identity provider's API.

pub use insomnia_scim_contract::{
    AuthorizeRefusal, ClientAssertion, Consent, EntraApi, EntraApiStatus, IdpApi, IdpApiStatus, IssuedOAuthClient,
    NewOAuthClient, OAuthClient, OAuthRequest, OAuthResponse, OktaApi, OktaApiStatus, OktaApiToken, OktaCredentials,
    OktaPrivateKey, OperatorClient, PageError, RefreshMethod, RefreshState, RefreshStatus, SecretWindow,
};

/// Okta's own test environment. Okta's review of an integration uses this unencrypted URI.
const OKTA_TEST: &str = "http://system-admin.okta1.com:1802/";

/// Checks the operator's clients before any organization is asked to accept one.
///
/// # Errors
/// The text says which client is wrong, and why.
pub(crate) fn check_operator_clients(clients: &[OperatorClient]) -> Result<(), String> {
    for (index, client) in clients.iter().enumerate() {
        let wrong = |why: &str| Err(format!("the operator's OAuth client {:?} {why}", client.id));
        if !is_uuid(&client.id) {
            return wrong("has an id that is no UUID in lower case: make one with `uuidgen`");
        }
        if clients.iter().take(index).any(|other| other.id == client.id) {
            return wrong("occurs twice");
        }
        if client.name.trim().is_empty() || client.name.len() > 200 {
            return wrong("has no name of 1 to 200 bytes");
        }
        if client.redirect_uris.is_empty() || client.redirect_uris.len() > 10 {
            return wrong("does not have 1 to 10 redirection URIs");
        }
        if let Some(uri) = client.redirect_uris.iter().find(|uri| !is_redirect_uri(uri)) {
            return wrong(&format!(
                "has the redirection URI {uri:?}, which is no absolute https: URI without a fragment"
            ));
        }
        let is_hash = |text: &String| {
            text.len() == 64 && text.bytes().all(|byte| byte.is_ascii_digit() || (b'a'..=b'f').contains(&byte))
        };
        if !(1..=2).contains(&client.secrets_sha256.len()) || !client.secrets_sha256.iter().all(is_hash) {
            return wrong("does not have one or two SHA-256 of secrets, each of 64 hexadecimal digits in lower case");
        }
    }
    Ok(())
}

/// Whether the text is a UUID in lower case, with its hyphens.
fn is_uuid(text: &str) -> bool {
    let fits = |(place, byte): (usize, u8)| match place {
        8 | 13 | 18 | 23 => byte == b'-',
        _ => byte.is_ascii_digit() || (b'a'..=b'f').contains(&byte),
    };
    text.len() == 36 && text.bytes().enumerate().all(fits)
}

/// The URI must be absolute without a fragment (RFC 6749 §3.1.2), and encrypted except for Okta's test environment.
fn is_redirect_uri(uri: &str) -> bool {
    let is_web = |url: url::Url| url.scheme() == "https" && url.has_host() && url.username().is_empty();
    let is_https = url::Url::parse(uri).is_ok_and(|url| url.password().is_none() && is_web(url));
    uri.len() <= 2_000 && !uri.contains('#') && (is_https || uri.starts_with(OKTA_TEST))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn okta() -> OperatorClient {
        OperatorClient {
            id: "0190a6f0-0000-7000-8000-00000000000a".into(),
            name: "Okta".into(),
            redirect_uris: vec![
                "https://system-admin.okta.com/admin/app/cpc/insomnia/oauth/callback".into(),
                "http://system-admin.okta1.com:1802/admin/app/cpc/insomnia/oauth/callback".into(),
            ],
            secrets_sha256: vec!["0".repeat(64)],
        }
    }

    #[test]
    fn an_operators_client_is_checked_before_anybody_is_asked_to_let_it_in() {
        assert_eq!(check_operator_clients(&[]), Ok(()));
        assert_eq!(check_operator_clients(&[okta()]), Ok(()));
        let uris = |uri: &str| OperatorClient { redirect_uris: vec![uri.into()], ..okta() };
        let bad = [
            OperatorClient { id: "okta".into(), ..okta() },
            OperatorClient { id: okta().id.to_uppercase(), ..okta() },
            OperatorClient { name: " ".into(), ..okta() },
            OperatorClient { redirect_uris: Vec::new(), ..okta() },
            OperatorClient { secrets_sha256: Vec::new(), ..okta() },
            OperatorClient { secrets_sha256: vec!["0".repeat(64); 3], ..okta() },
            OperatorClient { secrets_sha256: vec!["A".repeat(64)], ..okta() },
            OperatorClient { secrets_sha256: vec!["a secret".into()], ..okta() },
            uris("http://example.com/"),
            uris("http://system-admin.okta1.com/"),
            uris("http://system-admin.okta1.com:1802@evil.example/"),
            uris("https://example.com/#x"),
            uris("https://user@example.com/"),
            uris("example.com"),
        ];
        for bad in bad {
            assert!(check_operator_clients(std::slice::from_ref(&bad)).is_err(), "{bad:?}");
        }
        assert!(check_operator_clients(&[okta(), okta()]).is_err(), "one id, two clients");
    }
}
