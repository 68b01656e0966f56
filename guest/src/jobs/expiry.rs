//! Warns about an expiring token (rule P2), unless the identity provider does not need it or the refresh is automatic.

use insomnia_scim_contract::RefreshMethod;
use serde::{Deserialize, Serialize};
use serde_json::json;

use super::Budget;
use super::warnings::{Due, due};
use crate::capability::Host;
use crate::connector::refresh;
use crate::protocol::timestamp;
use crate::provisioning::letters;
use crate::store::{Batch, EventKind, EventSubject, Letter, Store, StoreError, TokenRecord, Told, encode, keys};

const DAY: u64 = 24 * 60 * 60 * 1_000;
/// This many days before the expiry people are warned even if the automatic refresh has had no problem.
const ANYHOW: u32 = 2;
/// The name of the job under which the sent warnings are stored.
const JOB: &str = "expiry";

/// The warnings that were sent. JSON under `job/expiry`.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
struct ToldOf {
    /// The generation of the token that the warnings were about.
    generation: u32,
    #[serde(flatten)]
    told: Told,
}

/// Warns if a threshold was passed; returns when the next threshold comes.
pub(super) fn run(_: Host<'_>, store: &Store<'_>, _: &Budget<'_>) -> Result<Option<u64>, StoreError> {
    store.transact(|| {
        let Some(connector) = store.connector()?.filter(|connector| connector.record.enabled) else { return Ok(None) };
        let Some(token) = &connector.record.token else { return Ok(None) };
        let Some(expires) = token.expires else { return Ok(None) };
        let stored = store.document::<ToldOf>(&keys::job(JOB))?;
        let seen = stored.as_ref().map(|stored| stored.version);
        let generation = token.generation;
        let of_it = stored.map(|stored| stored.record).filter(|told| told.generation == generation);
        let now = store.now();

        let mut batch = Batch::new();
        batch.require_unchanged(keys::CONNECTOR.to_vec(), Some(connector.version));
        batch.require_unchanged(keys::job(JOB), seen);
        let (told, next) = match due(of_it.unwrap_or_default().told, expires, now) {
            Due::Nothing(next) => return Ok(next),
            Due::Over { .. } if !counts(store)? => return Ok(Some(now + DAY)),
            Due::Over { told } => {
                let data = json!({"expires": timestamp::format(expires)});
                store.add_event(&mut batch, EventKind::TokenExpired, EventSubject::token(generation), data)?;
                letters::to_administrators(store, &mut batch, &Letter::TokenExpired { expires })?;
                (told, None)
            }
            Due::Soon { threshold, next, .. }
                if !counts(store)? || (threshold > ANYHOW && refresh::will_refresh(store)?) =>
            {
                // If the refresh fails, people are warned a day later.
                return Ok(next.map(|next| next.min(now + DAY)));
            }
            Due::Soon { left, next, told, .. } => {
                warn(store, &mut batch, token, left, expires)?;
                (told, next)
            }
        };
        batch.put(keys::job(JOB), encode(&ToldOf { generation, told })?);
        store.commit(batch)?;
        Ok(next)
    })
}

fn warn(store: &Store, batch: &mut Batch, token: &TokenRecord, days: u32, expires: u64) -> Result<(), StoreError> {
    let data = json!({"expires": timestamp::format(expires), "daysLeft": days});
    store.add_event(batch, EventKind::TokenExpiring, EventSubject::token(token.generation), data)?;
    letters::to_administrators(store, batch, &Letter::TokenExpiring { days, expires })
}

/// Whether the identity provider uses the token, and not access tokens that it renews by itself.
fn counts(store: &Store) -> Result<bool, StoreError> {
    Ok(refresh::status(store)?.method != RefreshMethod::OAuth)
}
