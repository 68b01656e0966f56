//! The connector's token (rule P2): issues a new one by hand, keeps the old one valid for a while, and shows the
//! status.

use insomnia_scim_contract::{Actor, ExpiryWindow, IssuedToken, TokenStatus};
use serde_json::Value;

use super::actor::{administrator, prove};
use super::error::ConnectorError;
use super::record::{put, shown};
use crate::secret::Token;
use crate::store::{Batch, ConnectorRecord, Store, TokenRecord, Versioned};

const DAY: u64 = 24 * 60 * 60 * 1_000;
/// A token or a client's secret counts as expiring soon from this long before its expiry, in milliseconds.
pub const SOON: u64 = 20 * DAY;
/// The longest time that a replaced token stays valid, in seconds.
pub(super) const LONGEST_OVERLAP: u32 = 86_400;

/// When a token that is generated now expires, in milliseconds since the Unix epoch; `None` if it never does.
pub(super) fn expires(window: ExpiryWindow, now: u64) -> Option<u64> {
    window.days().map(|days| now + u64::from(days) * DAY)
}

/// Issues a new token. A member must give the passphrase; the operator needs none.
///
/// # Errors
/// [`ConnectorError`] says why not.
pub fn refresh(
    store: &Store,
    actor: impl Into<Actor>,
    given: Option<&str>,
    window: Option<ExpiryWindow>,
    overlap: u32,
) -> Result<IssuedToken, ConnectorError> {
    prove(store, &actor.into(), given)?;
    replace(store, window, overlap)
}

/// Like [`refresh`], if the host has authenticated the actor by itself.
///
/// # Errors
/// [`ConnectorError`] says why not.
pub fn refresh_verified(
    store: &Store,
    actor: impl Into<Actor>,
    window: Option<ExpiryWindow>,
    overlap: u32,
) -> Result<IssuedToken, ConnectorError> {
    administrator(store, &actor.into())?;
    replace(store, window, overlap)
}

fn replace(store: &Store, window: Option<ExpiryWindow>, overlap: u32) -> Result<IssuedToken, ConnectorError> {
    if overlap > LONGEST_OVERLAP {
        return Err(ConnectorError::Invalid(format!("the overlap may last {LONGEST_OVERLAP} seconds at the most")));
    }
    store.transact(|| {
        let (seen, connector) = Versioned::or_default(store.connector()?);
        if !connector.enabled {
            return Err(ConnectorError::Disabled);
        }
        let window = window.or(connector.window).unwrap_or(ExpiryWindow::Year1);
        issue(store, Batch::new(), seen, shown(&connector), connector, window, overlap)
    })
}

/// The status of the token at the time `now`, for administrators.
pub(super) fn status(connector: &ConnectorRecord, now: u64) -> TokenStatus {
    match connector.token.as_ref().and_then(|token| token.expires) {
        _ if !connector.enabled => TokenStatus::Disabled,
        Some(expires) if expires <= now => TokenStatus::Expired,
        Some(expires) if expires - now <= SOON => TokenStatus::ExpiringSoon,
        _ => TokenStatus::Valid,
    }
}

/// Issues a token in the commit of the batch.
pub(super) fn issue(
    store: &Store,
    batch: Batch,
    seen: Option<u64>,
    before: Value,
    mut connector: ConnectorRecord,
    window: ExpiryWindow,
    overlap: u32,
) -> Result<IssuedToken, ConnectorError> {
    let now = store.now();
    let token = Token::from_bits(store.random());
    let expires = expires(window, now);
    let generation = connector.newest_generation().saturating_add(1);
    // A token that is being installed in the identity provider is replaced by this one.
    connector.next = None;
    connector.previous = connector.token.take().map(|mut old| {
        // Even without an overlap the old token's record is kept, so that the log can name the token of refused
        // requests. Its `expires` is then 0, so that it has expired by every host's clock.
        let end = if overlap == 0 { 0 } else { now + u64::from(overlap) * 1_000 };
        old.expires = Some(old.expires.map_or(end, |expires| expires.min(end)));
        old
    });
    connector.token = Some(TokenRecord { sha256: token.sha256(), generation, created: now, expires });
    connector.window = Some(window);
    put(store, batch, seen, before, &connector)?;
    Ok(IssuedToken { token: token.reveal(), expires })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn p2_a_token_expires_soon_within_twenty_days_and_has_expired_to_the_millisecond() {
        let now = 1_000 * DAY;
        // Each case: whether SCIM is enabled, when the token expires, and the expected status.
        let cases = [
            (true, None, TokenStatus::Valid),
            (true, Some(now + SOON + 1), TokenStatus::Valid),
            (true, Some(now + SOON), TokenStatus::ExpiringSoon),
            (true, Some(now + 1), TokenStatus::ExpiringSoon),
            (true, Some(now), TokenStatus::Expired),
            (true, Some(0), TokenStatus::Expired),
            (false, None, TokenStatus::Disabled),
            (false, Some(now), TokenStatus::Disabled),
        ];
        for (enabled, expires, expected) in cases {
            let token = TokenRecord { sha256: String::new(), generation: 1, created: 0, expires };
            let connector = ConnectorRecord { enabled, token: Some(token), ..ConnectorRecord::default() };
            assert_eq!(status(&connector, now), expected, "{enabled} {expires:?}");
        }
    }
}
