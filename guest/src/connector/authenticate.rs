//! Authenticates callers: compares the bearer token with the connector's hashes, or checks an OAuth access token (RFC
//! 6750).

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use insomnia_scim_contract::lasts;
use subtle::ConstantTimeEq;
use thiserror::Error;

use super::oauth::{ACCESS_PREFIX, LONGEST_ACCESS};
use super::token::LONGEST_OVERLAP;
use crate::secret::{Token, sha256};
use crate::store::{AccessRecord, ConnectorRecord, Options};

/// The reason why a caller is not authenticated. The texts are for the administrator of the identity provider.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Error)]
pub enum Unauthenticated {
    /// The request has no `Authorization` header.
    #[error("The request has no Authorization header; send 'Authorization: Bearer <token>'.")]
    Missing,
    /// The scheme is not offered, or the credentials of a scheme other than `Bearer` are wrong. The text is the same in
    /// both cases, so a caller without valid credentials can't tell which applies.
    #[error("The Authorization header is not accepted; send 'Authorization: Bearer <token>'.")]
    Scheme,
    /// The token is not one of this organization.
    #[error("The token is not valid for this connector URL.")]
    Wrong,
    /// A token of this organization that has expired.
    #[error("The token has expired. Nothing is provisioned until it is refreshed on the SCIM page of Insomnia.")]
    Expired {
        /// The generation of the connector's token.
        generation: u32,
    },
    /// A token of this organization that a newer one has replaced, and whose overlap is over.
    #[error("The token was replaced by a newer one. Enter the newest token in the identity provider.")]
    Replaced {
        /// The generation of the connector's token.
        generation: u32,
    },
    /// An OAuth access token of this organization that has expired.
    #[error("The access token has expired. Get a new one from the token endpoint.")]
    AccessTokenExpired {
        /// The generation of the connector's token when the access token was issued.
        generation: u32,
    },
    /// SCIM is disabled. Only a caller with a credential of this organization is told so.
    #[error("SCIM is disabled for this organization. It can be enabled on the SCIM page of Insomnia.")]
    Disabled {
        /// The generation of the connector's token.
        generation: u32,
    },
}

impl Unauthenticated {
    /// The generation of the connector's token that the caller has presented, if it is known.
    #[must_use]
    pub fn generation(self) -> Option<u32> {
        match self {
            Self::Missing | Self::Scheme | Self::Wrong => None,
            Self::Expired { generation }
            | Self::Replaced { generation }
            | Self::AccessTokenExpired { generation }
            | Self::Disabled { generation } => Some(generation),
        }
    }
}

/// The credential that authenticates a caller.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Credential {
    /// The connector's token.
    Token,
    /// The connector's previous token, during the overlap.
    PreviousToken,
    /// The token that is being installed in the identity provider. The server must note that a request has used it.
    NextToken,
    /// An OAuth access token.
    AccessToken,
}

/// A caller who is authenticated.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Authenticated {
    /// The generation of the caller's token; of an access token, the generation of the connector's token when it was
    /// issued.
    pub generation: u32,
    /// The credential.
    pub credential: Credential,
}

/// The content of the `Authorization` header.
#[derive(Clone, Debug)]
pub struct Presented<'r> {
    header: Option<&'r str>,
    /// The hash of the token, wherever the token is in the header.
    sha256: Option<String>,
    is_access_token: bool,
}

impl<'r> Presented<'r> {
    /// Looks for a token in all places where one can be. The organization's options later decide which of the places
    /// are allowed.
    #[must_use]
    pub fn in_header(authorization: Option<&'r str>) -> Self {
        let header = authorization.map(str::trim).filter(|header| !header.is_empty());
        let anywhere = Options { bare_token: true, basic_authentication: true, ..Options::default() };
        let token = header.and_then(|header| credential(header, &anywhere).ok());
        let is_access_token = token.as_ref().is_some_and(|token| Token::is_of_kind(ACCESS_PREFIX, token));
        Self { header, sha256: token.as_deref().map(sha256), is_access_token }
    }

    /// The hash of the token, and whether it is an OAuth access token.
    #[must_use]
    pub fn token(&self) -> Option<(&str, bool)> {
        Some((self.sha256.as_deref()?, self.is_access_token))
    }

    /// The hash of the OAuth access token, if it is one. The record that is stored under this hash is an argument of
    /// [`authenticate`].
    #[must_use]
    pub fn access_token(&self) -> Option<&str> {
        self.sha256.as_deref().filter(|_| self.is_access_token)
    }
}

/// Checks the header's content at the time `now`. `access` is the record that is stored under
/// [`Presented::access_token`].
///
/// # Errors
/// [`Unauthenticated`] says why the caller is refused.
pub fn authenticate(
    connector: Option<&ConnectorRecord>,
    options: &Options,
    presented: &Presented<'_>,
    access: Option<&AccessRecord>,
    now: u64,
) -> Result<Authenticated, Unauthenticated> {
    let header = presented.header.ok_or(Unauthenticated::Missing)?;
    credential(header, options)?;
    let wrong = if is_bearer(header) { Unauthenticated::Wrong } else { Unauthenticated::Scheme };
    let connector = connector.ok_or(wrong)?;
    let token = presented.token().ok_or(wrong)?;
    by_token(connector, token, access, wrong, now)
}

/// Checks at the time `now` whether a token that was accepted before would still be accepted. The arguments are its
/// hash and whether it is an OAuth access token; `access` is the record that is stored under that hash.
///
/// # Errors
/// [`Unauthenticated`] says why the caller would be refused now.
pub fn authenticate_again(
    connector: Option<&ConnectorRecord>,
    token: (&str, bool),
    access: Option<&AccessRecord>,
    now: u64,
) -> Result<Authenticated, Unauthenticated> {
    let wrong = Unauthenticated::Wrong;
    by_token(connector.ok_or(wrong)?, token, access, wrong, now)
}

fn by_token(
    connector: &ConnectorRecord,
    (sha256, is_access_token): (&str, bool),
    access: Option<&AccessRecord>,
    wrong: Unauthenticated,
    now: u64,
) -> Result<Authenticated, Unauthenticated> {
    if is_access_token {
        let access = access.filter(|access| same(&access.sha256, sha256));
        return by_access_token(connector, access.ok_or(wrong)?, wrong, now);
    }
    // All hashes are compared in any case, so that the response time reveals nothing.
    let [current, next, previous] = [&connector.token, &connector.next, &connector.previous]
        .map(|token| token.as_ref().filter(|token| same(&token.sha256, sha256)));
    let (token, credential) = match (current, next, previous) {
        (Some(token), ..) => (token, Credential::Token),
        (_, Some(token), _) => (token, Credential::NextToken),
        (.., Some(token)) => (token, Credential::PreviousToken),
        _ => return Err(wrong),
    };
    let generation = token.generation;
    if !connector.enabled {
        return Err(Unauthenticated::Disabled { generation });
    }
    let is_over = |end: u64| match credential {
        // If a clock that was ahead has replaced the token, it is still accepted no longer than the longest overlap.
        Credential::PreviousToken => !lasts(end, now, u64::from(LONGEST_OVERLAP) * 1_000),
        _ => end <= now,
    };
    match (token.expires.is_some_and(is_over), credential) {
        (false, _) => Ok(Authenticated { generation, credential }),
        (true, Credential::PreviousToken) => Err(Unauthenticated::Replaced { generation }),
        (true, _) => Err(Unauthenticated::Expired { generation }),
    }
}

fn by_access_token(
    connector: &ConnectorRecord,
    access: &AccessRecord,
    wrong: Unauthenticated,
    now: u64,
) -> Result<Authenticated, Unauthenticated> {
    let generation = access.generation;
    if !connector.enabled {
        return Err(Unauthenticated::Disabled { generation });
    }
    if !lasts(access.expires, now, LONGEST_ACCESS) {
        return Err(Unauthenticated::AccessTokenExpired { generation });
    }
    // The token was issued before SCIM was disabled and enabled again.
    if generation < connector.enabled_generation {
        return Err(wrong);
    }
    Ok(Authenticated { generation, credential: Credential::AccessToken })
}

fn same(stored: &str, presented: &str) -> bool {
    stored.as_bytes().ct_eq(presented.as_bytes()).into()
}

fn is_bearer(header: &str) -> bool {
    header.split_whitespace().next().is_some_and(|scheme| scheme.eq_ignore_ascii_case("bearer"))
}

/// The token in the header. It follows `Bearer` in any case. If the organization allows it, the header may also be the
/// token alone, or have it as the password of `Basic` (T16).
fn credential(header: &str, options: &Options) -> Result<String, Unauthenticated> {
    match header.split_once(char::is_whitespace) {
        Some((scheme, rest)) if scheme.eq_ignore_ascii_case("bearer") => Ok(rest.trim().to_owned()),
        Some((scheme, rest)) if scheme.eq_ignore_ascii_case("basic") && options.basic_authentication => {
            let decoded = STANDARD.decode(rest.trim()).map_err(|_| Unauthenticated::Scheme)?;
            let text = String::from_utf8(decoded).map_err(|_| Unauthenticated::Scheme)?;
            text.split_once(':').map(|(_, password)| password.to_owned()).ok_or(Unauthenticated::Scheme)
        }
        None if header.eq_ignore_ascii_case("bearer") => Err(Unauthenticated::Wrong),
        None if options.bare_token => Ok(header.to_owned()),
        _ => Err(Unauthenticated::Scheme),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::secret::Token;
    use crate::store::TokenRecord;

    fn connector(expires: Option<u64>) -> (ConnectorRecord, String) {
        let token = Token::from_bits([3; 32]);
        let record = TokenRecord { sha256: token.sha256(), generation: 1, created: 0, expires };
        (ConnectorRecord { enabled: true, token: Some(record), ..ConnectorRecord::default() }, token.reveal())
    }

    fn check(connector: &ConnectorRecord, header: &str, now: u64) -> Result<Authenticated, Unauthenticated> {
        authenticate(Some(connector), &Options::default(), &Presented::in_header(Some(header)), None, now)
    }

    #[test]
    fn t16_the_scheme_is_case_insensitive_and_spaces_are_trimmed() {
        let (connector, token) = connector(None);
        for header in [format!("Bearer {token}"), format!("bearer {token}"), format!("  BEARER   {token}  ")] {
            assert_eq!(
                check(&connector, &header, 0),
                Ok(Authenticated { generation: 1, credential: Credential::Token })
            );
        }
    }

    #[test]
    fn t16_a_bare_token_and_basic_are_accepted_by_option() {
        let (connector, token) = connector(None);
        let basic = format!("Basic {}", STANDARD.encode(format!("okta:{token}")));
        assert_eq!(check(&connector, &token, 0), Err(Unauthenticated::Scheme));
        assert_eq!(check(&connector, &basic, 0), Err(Unauthenticated::Scheme));
        let options = Options { bare_token: true, basic_authentication: true, ..Options::default() };
        for header in [&token, &basic] {
            assert!(authenticate(Some(&connector), &options, &Presented::in_header(Some(header)), None, 0).is_ok());
        }
    }

    #[test]
    fn p2_an_expired_token_is_told_from_a_wrong_one() {
        let (connector, token) = connector(Some(1_000));
        let header = format!("Bearer {token}");
        assert!(check(&connector, &header, 999).is_ok());
        assert_eq!(check(&connector, &header, 1_000), Err(Unauthenticated::Expired { generation: 1 }));
        assert_eq!(check(&connector, "Bearer wrong", 1_000), Err(Unauthenticated::Wrong));
    }

    #[test]
    fn p1_a_disabled_connector_lets_nobody_in() {
        let (mut connector, token) = connector(None);
        connector.enabled = false;
        let disabled = Unauthenticated::Disabled { generation: 1 };
        assert_eq!(check(&connector, &format!("Bearer {token}"), 0), Err(disabled));
    }

    #[test]
    fn p1_only_the_right_token_learns_that_a_connector_is_disabled() {
        let (mut connector, _) = connector(None);
        connector.enabled = false;
        for header in [None, Some("Bearer wrong"), Some("Bearer"), Some("Basic eDp5"), Some("wrong")] {
            for options in
                [Options::default(), Options { bare_token: true, basic_authentication: true, ..Options::default() }]
            {
                let unknown = authenticate(None, &Options::default(), &Presented::in_header(header), None, 0);
                assert_eq!(
                    authenticate(Some(&connector), &options, &Presented::in_header(header), None, 0),
                    unknown,
                    "{header:?}"
                );
            }
        }
    }

    #[test]
    fn p2_a_replaced_token_is_told_from_an_expired_one() {
        let (mut connector, old) = connector(None);
        let previous = connector.token.take().map(|token| TokenRecord { expires: Some(1_000), ..token });
        let token = Token::from_bits([4; 32]);
        connector.previous = previous;
        connector.token = Some(TokenRecord { sha256: token.sha256(), generation: 2, created: 0, expires: None });
        let header = format!("Bearer {old}");
        let during = Authenticated { generation: 1, credential: Credential::PreviousToken };
        assert_eq!(check(&connector, &header, 999), Ok(during));
        assert_eq!(check(&connector, &header, 1_000), Err(Unauthenticated::Replaced { generation: 1 }));
    }
}
