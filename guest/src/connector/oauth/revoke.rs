//! The revocation endpoint (RFC 7009).

use insomnia_scim_contract::{OAuthRequest, OAuthResponse};

use super::answer::{self, Code, OAuthError};
use super::exchange::revoke_grant;
use super::issue::RefreshToken;
use super::{ACCESS_PREFIX, credentials};
use crate::capability::Host;
use crate::secret::{Token, sha256};
use crate::store::{Batch, keys};

/// Serves a request to the revocation endpoint.
///
/// Revoking a refresh token ends its whole family with all access tokens; revoking an access token ends only that one.
/// A token of another client, or text that is no token, is also answered 200 (RFC 7009 §2.2).
#[must_use]
pub fn revoke(host: Host<'_>, request: &OAuthRequest) -> OAuthResponse {
    let store = &host.store();
    let revoked = store.transact(|| {
        let (form, client) = credentials::read(host, store, request)?;
        let missing = OAuthError::Refused(Code::InvalidRequest, "The parameter token is missing");
        let token = form.get("token").ok_or(missing)?;
        let client = client.record.id;
        if let Some(refresh) = RefreshToken::parse(token) {
            return revoke_grant(store, &client, &refresh.grant);
        }
        if Token::is_of_kind(ACCESS_PREFIX, token) {
            let sha256 = sha256(token);
            if store.oauth_access(&sha256)?.is_some_and(|access| access.client == client) {
                let mut batch = Batch::new();
                batch.delete(keys::oauth_access(&sha256));
                store.commit(batch)?;
            }
        }
        Ok(())
    });
    revoked.map_or_else(Into::into, |()| answer::empty())
}
