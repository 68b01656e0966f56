//! Warns of a token that expires: 20, 10, 5, 2 and 1 days before, and when it has expired (rule P2).
//!
//! Each is told once a token. After a downtime over several thresholds only the nearest is told.

use insomnia_scim_contract::{RefreshMethod, TOLERANCE};
use serde::{Deserialize, Serialize};
use serde_json::json;

use super::Budget;
use crate::capability::Host;
use crate::connector::refresh;
use crate::protocol::timestamp;
use crate::provisioning::letters;
use crate::store::{Batch, EventKind, EventSubject, Letter, Store, StoreError, TokenRecord, encode, keys};

const DAY: u64 = 24 * 60 * 60 * 1_000;
/// So many days before the expiry, nearest first.
const THRESHOLDS: [u32; 5] = [1, 2, 5, 10, 20];
/// From so many days on, people are warned although the automatic refresh has no trouble yet.
const ANYHOW: u32 = 2;
/// Under which name it is kept what was told.
const JOB: &str = "expiry";

/// What was told. JSON under `job/expiry`.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
struct Told {
    /// Of which of the connector's tokens.
    generation: u32,
    /// The nearest threshold that was told, in days.
    days: Option<u32>,
    /// Whether it was told that the token has expired.
    expired: bool,
}

impl Told {
    /// What a clock that was ahead has told too early is told again in its time.
    fn as_far_as_it_can_be(self, left: u64) -> Self {
        let is_early = |days: &u32| left > u64::from(*days) * DAY + TOLERANCE;
        Self { days: self.days.filter(|days| !is_early(days)), expired: self.expired && left <= TOLERANCE, ..self }
    }
}

/// Warns if a threshold was passed; returns when the next one will be.
pub(super) fn run(_: Host<'_>, store: &Store<'_>, _: &Budget<'_>) -> Result<Option<u64>, StoreError> {
    store.transact(|| {
        let Some(connector) = store.connector()?.filter(|connector| connector.record.enabled) else { return Ok(None) };
        let Some(token) = &connector.record.token else { return Ok(None) };
        let Some(expires) = token.expires else { return Ok(None) };
        let stored = store.document::<Told>(&keys::job(JOB))?;
        let seen = stored.as_ref().map(|stored| stored.version);
        let fresh = Told { generation: token.generation, ..Told::default() };
        let told =
            stored.map(|stored| stored.record).filter(|told| told.generation == fresh.generation).unwrap_or(fresh);

        let now = store.now();
        let left = expires.saturating_sub(now);
        let told = told.as_far_as_it_can_be(left);
        let passed = THRESHOLDS.into_iter().find(|days| left <= u64::from(*days) * DAY);
        let next_threshold = THRESHOLDS.into_iter().rev().map(|days| expires.saturating_sub(u64::from(days) * DAY));
        let next = next_threshold.chain([expires]).find(|time| *time > now);

        let mut batch = Batch::new();
        batch.require_unchanged(keys::CONNECTOR.to_vec(), Some(connector.version));
        batch.require_unchanged(keys::job(JOB), seen);
        if left == 0 {
            if told.expired {
                return Ok(None);
            }
            if !counts(store)? {
                return Ok(Some(now + DAY));
            }
            let data = json!({"expires": timestamp::format(expires)});
            store.add_event(&mut batch, EventKind::TokenExpired, EventSubject::token(token.generation), data)?;
            letters::to_administrators(store, &mut batch, &Letter::TokenExpired { expires })?;
            batch.put(keys::job(JOB), encode(&Told { expired: true, ..told })?);
            store.commit(batch)?;
            return Ok(None);
        }
        let Some(days) = passed.filter(|days| told.days.is_none_or(|told| *days < told)) else { return Ok(next) };
        if !counts(store)? || (days > ANYHOW && refresh::will_refresh(store)?) {
            // Should the refresh fail, people hear of it a day later.
            return Ok(next.map(|next| next.min(now + DAY)));
        }
        // After a downtime, or a refresh that failed, fewer days are left than the threshold says.
        let days_left = u32::try_from(left.div_ceil(DAY)).unwrap_or(days);
        warn(store, &mut batch, token, days_left, expires)?;
        batch.put(keys::job(JOB), encode(&Told { days: Some(days), ..told })?);
        store.commit(batch)?;
        Ok(next)
    })
}

fn warn(store: &Store, batch: &mut Batch, token: &TokenRecord, days: u32, expires: u64) -> Result<(), StoreError> {
    let data = json!({"expires": timestamp::format(expires), "daysLeft": days});
    store.add_event(batch, EventKind::TokenExpiring, EventSubject::token(token.generation), data)?;
    letters::to_administrators(store, batch, &Letter::TokenExpiring { days, expires })
}

/// Whether the identity provider relies on the token, and not on access tokens that it renews by itself.
fn counts(store: &Store) -> Result<bool, StoreError> {
    Ok(refresh::status(store)?.method != RefreshMethod::OAuth)
}
