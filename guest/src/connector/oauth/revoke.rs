//! The revocation endpoint (RFC 7009).

use insomnia_scim_contract::{OAuthRequest, OAuthResponse};

use super::answer::{self, Code, OAuthError};
use super::exchange::revoke_grant;
use super::issue::RefreshToken;
use super::{ACCESS_PREFIX, credentials};
use crate::capability::Host;
use crate::secret::{Token, sha256};
use crate::store::{Batch, keys};

/// Serves a request of the revocation endpoint.
///
/// A refresh token ends with its whole family and all access tokens of it; an access token ends alone. A token that is
/// not the client's, or none at all, is answered 200 as well (RFC 7009 §2.2).
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
