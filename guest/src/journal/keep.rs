//! Writes the log. The number of entries per hour is limited for unauthenticated callers without a known credential
//! ("strangers"), who could otherwise fill the storage.

use serde::{Deserialize, Serialize};

use super::entry::{Entry, Standing};
use crate::capability::Key;
use crate::sentence::Sentence;
use crate::store::{Batch, Store, StoreError, decode, encode, keys, number};

/// The most entries about strangers in an hour.
const MOST: u32 = 600;
/// An hour in milliseconds.
const HOUR: u64 = 60 * 60 * 1_000;
/// How often writing an entry about a stranger is tried when others conflict with it.
const ATTEMPTS: u32 = 3;

/// How many entries about strangers were written. JSON under `log-strangers`.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
struct Strangers {
    /// The hour, counted since the Unix epoch.
    hour: u64,
    /// How many entries were written in this hour.
    kept: u32,
}

/// Makes the first commit of the request also write the entry, as far as it is known. For this reason a crash loses no
/// entry of a request that has changed something. [`keep`] later replaces it by the complete entry.
///
/// # Errors
/// If the entry can't be encoded.
pub fn keep_with_change(store: &Store, key: Key, entry: &Entry) -> Result<(), StoreError> {
    store.put_with_first_commit(key, encode(entry)?);
    Ok(())
}

/// Writes an entry of the log under its key. An error here never makes the request fail (rule P5).
pub fn keep(store: &Store, key: Key, mut entry: Entry, standing: Standing) {
    let kept = match standing {
        Standing::Stranger => keep_stranger(store, key, &mut entry),
        Standing::Admitted | Standing::Refused => encode(&entry).and_then(|json| store.append(key, json)),
    };
    if let Err(error) = kept {
        eprintln!("the SCIM log could not be written: {error}");
    }
}

/// Writes the entry if the hour's limit allows it; otherwise only counts it. The next entry that is written says how
/// many were left out.
///
/// The count is committed first, because appended entries can't be counted before they are written. Once the limit is
/// reached, which is when the cost matters, there is no such commit any more.
fn keep_stranger(store: &Store, key: Key, entry: &mut Entry) -> Result<(), StoreError> {
    let hour = entry.time / HOUR;
    let counters = [keys::LOG_STRANGERS.to_vec(), keys::LOG_LEFT_OUT.to_vec()];
    let mut left_out = 0;
    for _ in 0..ATTEMPTS {
        let mut items = store.items(&counters)?.into_iter();
        let stored = items.next().flatten().map(|item| decode::<Strangers>(keys::LOG_STRANGERS, &item)).transpose()?;
        left_out = items.next().flatten().and_then(|item| number(&item.value)).unwrap_or(0);
        let seen = stored.as_ref().map(|stored| stored.version);
        let same_hour = stored.map(|stored| stored.record).filter(|strangers| strangers.hour == hour);
        let kept = same_hour.map_or(0, |strangers| strangers.kept);
        if kept >= MOST {
            break;
        }
        let mut batch = Batch::new();
        batch.replace(keys::LOG_STRANGERS.to_vec(), seen, &Strangers { hour, kept: kept + 1 })?;
        let because = entry.because.len();
        if left_out > 0 {
            entry.because.push(Sentence::StrangersLeftOut { count: left_out }.into());
            batch.delete(keys::LOG_LEFT_OUT.to_vec());
        }
        batch.put(key.clone(), encode(entry)?);
        match store.commit(batch) {
            Err(StoreError::Conflict) => entry.because.truncate(because),
            result => return result.map(drop),
        }
    }
    store.append(keys::LOG_LEFT_OUT.to_vec(), left_out.saturating_add(1).to_string().into_bytes())
}
