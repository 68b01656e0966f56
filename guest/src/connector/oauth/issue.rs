//! Issues tokens, and revokes them.

use serde_json::{Map, Value};

use super::{ACCESS_PREFIX, DEFAULT_ACCESS_MINUTES, MINUTE, REFRESH_PREFIX, SCOPE};
use crate::secret::{Token, base62, body, sha256, signed};
use crate::store::{AccessRecord, Batch, ClientRecord, GrantRecord, LiveToken, Store, StoreError, Versioned, keys};

/// How many characters name the grant: 62^22 is above 2^128.
const SELECTOR: usize = 22;
/// How many characters are the secret: 62^43 is above 2^256.
const VERIFIER: usize = 43;

/// The client and the grant that an access token is issued for.
pub(super) struct Holder<'a> {
    /// The client.
    pub(super) client: &'a ClientRecord,
    /// The grant; `None` for client credentials.
    pub(super) grant: Option<&'a str>,
    /// The connector's token generation.
    pub(super) generation: u32,
    /// How many access tokens may be valid at a time. One more makes the oldest one invalid.
    pub(super) most: usize,
}

/// For how many minutes the client's access tokens are valid.
pub(super) fn access_minutes(client: &ClientRecord) -> u32 {
    client.access_minutes.unwrap_or(DEFAULT_ACCESS_MINUTES)
}

/// Adds a new access token to `batch` and to `live`. Expired tokens and the oldest beyond the limit are deleted.
pub(super) fn access_token(
    store: &Store,
    batch: &mut Batch,
    live: &mut Vec<LiveToken>,
    holder: &Holder<'_>,
) -> Result<String, StoreError> {
    let now = store.now();
    let token = Token::of_kind(ACCESS_PREFIX, store.random());
    let (sha256, expires) = (token.sha256(), now + u64::from(access_minutes(holder.client)) * MINUTE);
    let over = (live.len() + 1).saturating_sub(holder.most);
    let mut index = 0;
    live.retain(|old| {
        index += 1;
        let stays = old.expires > now && index > over;
        if !stays {
            batch.delete(keys::oauth_access(&old.sha256));
        }
        stays
    });
    live.push(LiveToken { sha256: sha256.clone(), expires });
    batch.put_oauth_access(&AccessRecord {
        sha256,
        client: holder.client.id.clone(),
        grant: holder.grant.map(str::to_owned),
        generation: holder.generation,
        created: now,
        expires,
    })?;
    Ok(token.reveal())
}

/// A parsed refresh token.
pub(super) struct RefreshToken {
    /// The id under which the grant is stored.
    pub(super) grant: String,
    /// The hash of the whole token.
    pub(super) sha256: String,
    selector: String,
}

impl RefreshToken {
    /// Parses a token that a client presents; `None` if it is no refresh token.
    pub(super) fn parse(text: &str) -> Option<Self> {
        let body = body(REFRESH_PREFIX, text)?;
        let (selector, verifier) = body.split_at_checked(SELECTOR)?;
        (verifier.len() == VERIFIER).then(|| Self {
            grant: sha256(selector),
            sha256: sha256(text),
            selector: selector.to_owned(),
        })
    }

    /// The first token of a new grant, and the token itself.
    pub(super) fn first(store: &Store) -> Option<(Self, String)> {
        let mut selector = String::new();
        base62(&store.random::<16>(), SELECTOR, &mut selector);
        Self::with_selector(store, &selector)
    }

    /// The next token of the same grant, and the token itself.
    pub(super) fn next(&self, store: &Store) -> Option<(Self, String)> {
        Self::with_selector(store, &self.selector)
    }

    fn with_selector(store: &Store, selector: &str) -> Option<(Self, String)> {
        let mut text = format!("{REFRESH_PREFIX}{selector}");
        base62(&store.random::<32>(), VERIFIER, &mut text);
        let text = signed(text);
        Some((Self::parse(&text)?, text))
    }
}

/// Adds to `batch` that the grant and all its tokens are deleted.
pub(super) fn take_back(batch: &mut Batch, client: &str, id: &str, grant: &Versioned<GrantRecord>) {
    let key = keys::oauth_grant(client, id);
    batch.remove(key, Some(grant.version));
    for token in &grant.record.access {
        batch.delete(keys::oauth_access(&token.sha256));
    }
}

/// The body of a successful answer (RFC 6749 §5.1).
pub(super) fn granted(client: &ClientRecord, access: String, refresh: Option<String>) -> Map<String, Value> {
    let mut object = Map::new();
    object.insert("access_token".into(), access.into());
    object.insert("token_type".into(), "Bearer".into());
    object.insert("expires_in".into(), (access_minutes(client) * 60).into());
    if let Some(refresh) = refresh {
        object.insert("refresh_token".into(), refresh.into());
    }
    object.insert("scope".into(), SCOPE.into());
    object
}
