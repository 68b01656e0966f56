//! The keys that sign tokens: the newest one signs, and the public part of older ones stays in the key set for a while.

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use insomnia_scim_contract::{SigningKey, lasts};
use serde_json::{Value, json};
use thiserror::Error;

use super::error::StreamError;
use crate::capability::{Secrets, SecretsError};
use crate::jws::{Coordinates, PRIVATE, PrivateKey};
use crate::store::{Batch, EventSubject, SigningKeyRecord, SigningKeysRecord, Store, StoreError, keys};

/// How long the public part of a key is kept after another one signs, in milliseconds. By then receivers have verified
/// the tokens that the old key has signed.
const KEPT: u64 = 30 * 24 * 60 * 60 * 1_000;
/// How many keys are kept at the most.
const MOST: usize = 8;

/// The reason why nothing can be signed.
#[derive(Clone, Debug, PartialEq, Eq, Error)]
pub(crate) enum SignerError {
    /// The private key can't be decrypted.
    #[error("the key that signs can't be decrypted: {0}")]
    Sealed(String),
    /// The store can't answer.
    #[error(transparent)]
    Store(#[from] StoreError),
}

/// The key that signs now.
pub(crate) struct Signer {
    /// Its `kid`.
    pub(super) id: String,
    pub(super) key: PrivateKey,
}

impl Signer {
    /// Decrypts the key that signs now.
    ///
    /// # Errors
    /// [`SignerError`] says why it can't be decrypted.
    pub(crate) fn open(store: &Store, secrets: &dyn Secrets) -> Result<Self, SignerError> {
        let none = || SignerError::Sealed("there is none".to_owned());
        let mut keys = store.signing_keys()?.map(|stored| stored.record.keys).unwrap_or_default();
        let newest = keys.pop().ok_or_else(none)?;
        let sealed = STANDARD.decode(newest.sealed.ok_or_else(none)?).map_err(|error| no(&error))?;
        let bytes = secrets.open(&sealed).map_err(|error| no(&error))?;
        Ok(Self { id: newest.id, key: PrivateKey::from_bytes(&bytes).ok_or_else(none)? })
    }
}

fn no(error: &dyn std::fmt::Display) -> SignerError {
    SignerError::Sealed(error.to_string())
}

/// A new key, with its private part encrypted.
fn new_key(store: &Store, secrets: &dyn Secrets) -> Result<SigningKeyRecord, StreamError> {
    // Only one in 2^32 random numbers is not a valid key.
    let drawn = (0..8).find_map(|_| {
        let bytes = store.random::<PRIVATE>();
        let public = PrivateKey::from_bytes(&bytes)?.public()?;
        Some((bytes, public))
    });
    let (bytes, public) = drawn.ok_or_else(|| StoreError::Broken("no random number is a key".to_owned()))?;
    let sealed = Some(STANDARD.encode(secrets.seal(&bytes)?));
    let id = public.thumbprint();
    let Coordinates { x, y } = public;
    Ok(SigningKeyRecord { id, x, y, sealed, created: store.now(), replaced: None })
}

/// Makes the first key, if there is none.
pub(super) fn make_first(store: &Store, secrets: &dyn Secrets) -> Result<(), StreamError> {
    store.transact(|| {
        if store.signing_keys()?.is_some() {
            // This makes sure that the key can be decrypted before anybody relies on it.
            return Signer::open(store, secrets).map(drop).map_err(|error| match error {
                SignerError::Sealed(_) => StreamError::Secrets(SecretsError::Other(error.to_string())),
                SignerError::Store(error) => error.into(),
            });
        }
        put(store, None, vec![new_key(store, secrets)?]).map_err(StreamError::from)
    })
}

fn put(store: &Store, seen: Option<u64>, all: Vec<SigningKeyRecord>) -> Result<(), StoreError> {
    let mut batch = Batch::new();
    batch.replace(keys::SIGNING_KEYS.to_vec(), seen, &SigningKeysRecord { keys: all })?;
    store.commit(batch).map(drop)
}

/// Makes a new key that signs from now on. The private part of the old one is deleted at once.
///
/// # Errors
/// [`StreamError::NoKey`] if there was none before.
pub fn rotate_signing_key(store: &Store, secrets: &dyn Secrets) -> Result<SigningKey, StreamError> {
    store.transact(|| {
        let stored = store.signing_keys()?.ok_or(StreamError::NoKey)?;
        let (now, new) = (store.now(), new_key(store, secrets)?);
        let mut all = stored.record.keys;
        let before = all.last().map(|key| json!({"signingKey": key.id}));
        for key in &mut all {
            key.sealed = None;
            key.replaced.get_or_insert(now);
        }
        all.retain(|key| is_kept(key, now));
        if all.len() >= MOST {
            let text = format!(
                "{MOST} keys were made within 30 days, and receivers still need them: wait before you \
                make another one"
            );
            return Err(StreamError::Invalid(text));
        }
        let made = SigningKey { id: new.id.clone(), created: new.created };
        all.push(new);
        store.note(EventSubject::only("signing-key"), before, Some(json!({"signingKey": made.id})));
        put(store, Some(stored.version), all)?;
        Ok(made)
    })
}

fn is_kept(key: &SigningKeyRecord, now: u64) -> bool {
    key.replaced.is_none_or(|replaced| lasts(replaced.saturating_add(KEPT), now, KEPT))
}

/// The key set (RFC 7517) as JSON for the receiver of this stream: all keys that may have signed its tokens. For an
/// unknown stream the set is empty, so that it does not reveal which organizations exist.
///
/// # Errors
/// If the store can't answer.
pub fn key_set(store: &Store, stream: &str) -> Result<String, StoreError> {
    let mut set: Vec<Value> = Vec::new();
    if store.stream(stream)?.is_some()
        && let Some(stored) = store.signing_keys()?
    {
        let kept = stored.record.keys.into_iter().filter(|key| is_kept(key, store.now()));
        set.extend(kept.map(|SigningKeyRecord { id, x, y, .. }| {
            json!({"kty": "EC", "crv": "P-256", "x": x, "y": y, "kid": id, "use": "sig", "alg": "ES256"})
        }));
    }
    Ok(json!({ "keys": set }).to_string())
}
