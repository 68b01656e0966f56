//! Passphrases of members: generates, hashes and checks them, and slows down attackers who guess.

use argon2::{Algorithm, Argon2, Params, Version};
use insomnia_scim_contract::lasts;
use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};
use subtle::ConstantTimeEq;
use thiserror::Error;

use crate::secret::hexadecimal;
use crate::store::{Batch, EventSubject, Retry, Store, StoreError, encode, keys};

/// The shortest passphrase that people may choose, in characters.
const SHORTEST: usize = 12;
/// The longest passphrase, in bytes: a client must not be able to make hashing expensive.
const LONGEST: usize = 1_024;
/// How many wrong tries cause no wait.
const FREE_TRIES: u32 = 5;
/// The longest wait between tries, in seconds: an attacker who guesses must not lock the member out for long.
const LONGEST_WAIT: u32 = 900;
/// After this time without a wrong try, half of the wrong tries are forgotten, in milliseconds.
const HALF_LIFE: u64 = 60 * 60 * 1_000;
/// The characters of generated passphrases: 32 that are hard to mistake for each other (Crockford).
const ALPHABET: &[u8; 32] = b"0123456789abcdefghjkmnpqrstvwxyz";
/// A generated passphrase has this many groups of this many characters. Each character has 5 bits: 125 bits together.
const GROUPS: usize = 5;

/// The stored form of a passphrase. JSON under `user-passphrase/{id}`.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct PassphraseRecord {
    /// The hash algorithm.
    scheme: Scheme,
    /// The salt in hexadecimal digits.
    salt: String,
    /// The hash in hexadecimal digits.
    hash: String,
    /// Whether it must be changed at the next sign-in.
    #[serde(default)]
    pub must_change: bool,
    /// Wrong tries to sign in.
    #[serde(default)]
    sign_in: Tries,
    /// Wrong tries of a member who has signed in and is asked for the passphrase again. Strangers can't add to these.
    #[serde(default)]
    confirmation: Tries,
}

/// Wrong tries, and the wait that they cause.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default, rename_all = "camelCase")]
struct Tries {
    /// How many wrong tries there were since the last right one; half of them are forgotten with every hour without a
    /// wrong try.
    count: u32,
    /// The time of the last wrong try, in milliseconds since the Unix epoch.
    last: u64,
    /// Tries before this time are refused unchecked, in milliseconds since the Unix epoch.
    wait_until: u64,
}

impl Tries {
    /// The record after one more wrong try.
    fn and_one_more(self, now: u64) -> Self {
        let halvings = u32::try_from(now.saturating_sub(self.last) / HALF_LIFE).unwrap_or(u32::MAX);
        let count = self.count.checked_shr(halvings).unwrap_or(0).saturating_add(1);
        Self { count, last: now, wait_until: now + u64::from(wait_after(count)) * 1_000 }
    }
}

/// The reason why the passphrase is asked for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Purpose {
    SignIn,
    Confirmation,
}

/// The hash algorithm of a passphrase.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
enum Scheme {
    /// For passphrases that people choose: Argon2id with the parameters of RFC 9106's second choice scaled to 19 MiB
    /// (OWASP).
    Argon2id,
    /// For generated passphrases of 125 bits, which nobody can guess even with a fast hash: SHA-256 of salt and
    /// passphrase.
    Sha256,
}

impl PassphraseRecord {
    fn new(scheme: Scheme, salt: String, hash: String, must_change: bool) -> Self {
        Self { scheme, salt, hash, must_change, sign_in: Tries::default(), confirmation: Tries::default() }
    }

    fn tries(&mut self, purpose: Purpose) -> &mut Tries {
        match purpose {
            Purpose::SignIn => &mut self.sign_in,
            Purpose::Confirmation => &mut self.confirmation,
        }
    }
}

/// The reason why a passphrase was refused.
#[derive(Clone, Debug, PartialEq, Eq, Error)]
pub enum PassphraseError {
    /// The passphrase is wrong, or there is no such active member.
    #[error("the passphrase is wrong")]
    Wrong,
    /// There were too many wrong tries. The number is the seconds to wait.
    #[error("too many wrong tries; try again in {0} seconds")]
    Throttled(u32),
    /// The chosen passphrase breaks a rule, such as the shortest length.
    #[error("{0}")]
    Unfit(String),
    /// The link that resets a passphrase was used, has expired, or never existed.
    #[error("the link is not valid any more; ask for a new one")]
    Link,
    /// The store can't answer.
    #[error(transparent)]
    Store(#[from] StoreError),
}

impl Retry for PassphraseError {
    fn is_conflict(&self) -> bool {
        matches!(self, Self::Store(error) if error.is_conflict())
    }
}

/// Requires that people may choose this passphrase.
///
/// # Errors
/// [`PassphraseError::Unfit`] if it is too short or too long.
pub fn require_fit(passphrase: &str) -> Result<(), PassphraseError> {
    if passphrase.chars().count() < SHORTEST || passphrase.len() > LONGEST {
        return Err(PassphraseError::Unfit(format!(
            "a passphrase has at least {SHORTEST} characters, and at most {LONGEST} bytes"
        )));
    }
    Ok(())
}

/// Adds to `batch` that the member has this passphrase.
///
/// # Errors
/// [`PassphraseError::Unfit`] if it is too short or too long.
pub fn set(
    store: &Store,
    batch: &mut Batch,
    member: &str,
    passphrase: &str,
    must_change: bool,
) -> Result<(), PassphraseError> {
    require_fit(passphrase)?;
    let salt = hexadecimal(&store.random::<16>());
    let hash = argon2id(passphrase, &salt)?;
    let record = PassphraseRecord::new(Scheme::Argon2id, salt, hash, must_change);
    batch.put(keys::passphrase(member), encode(&record)?);
    // A link to choose a new passphrase is void once a passphrase was set in another way.
    batch.delete(keys::reset(member));
    Ok(())
}

/// Adds to `batch` that the member has a new passphrase, which must be changed at the first sign-in; returns it.
///
/// # Errors
/// If the hash can't be encoded.
pub fn set_generated(store: &Store, batch: &mut Batch, member: &str) -> Result<String, StoreError> {
    let passphrase = generate(&store.random());
    let salt = hexadecimal(&store.random::<16>());
    let hash = sha256(&passphrase, &salt);
    let record = PassphraseRecord::new(Scheme::Sha256, salt, hash, true);
    batch.put(keys::passphrase(member), encode(&record)?);
    Ok(passphrase)
}

/// Five groups of five characters: 125 random bits.
fn generate(random: &[u8; GROUPS * GROUPS]) -> String {
    let group = |bytes: &[u8]| -> String {
        bytes.iter().filter_map(|byte| ALPHABET.get(usize::from(byte & 31))).map(|byte| char::from(*byte)).collect()
    };
    random.chunks(GROUPS).map(group).collect::<Vec<_>>().join("-")
}

/// Whether the member still has the initial passphrase, so that it is useful to mail it.
///
/// # Errors
/// If the storage can't answer.
pub fn is_initial(store: &Store, member: &str) -> Result<bool, StoreError> {
    let stored = store.document::<PassphraseRecord>(&keys::passphrase(member))?;
    Ok(stored.is_some_and(|stored| stored.record.must_change && stored.record.scheme == Scheme::Sha256))
}

/// Checks the passphrase of the member with this id, userName or email address; returns the member's id.
///
/// The check takes equally long and fails in the same way for a wrong passphrase, for an unknown or deactivated member,
/// and for a member without a passphrase.
///
/// # Errors
/// [`PassphraseError::Wrong`]; [`PassphraseError::Throttled`] after five wrong tries.
pub fn verify(store: &Store, member: &str, passphrase: &str) -> Result<String, PassphraseError> {
    Ok(sign_in(store, member, passphrase)?.member)
}

/// Like [`verify`], for a member who has signed in already. Its wrong tries are counted apart from those to sign in:
/// neither slows the other down.
///
/// # Errors
/// Those of [`verify`].
pub fn confirm(store: &Store, member: &str, passphrase: &str) -> Result<String, PassphraseError> {
    Ok(check(store, member, passphrase, Purpose::Confirmation)?.member)
}

/// A member who gave the right passphrase.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SignedIn {
    /// The member's id.
    pub member: String,
    /// Whether the passphrase must be changed before anything else.
    pub must_change: bool,
}

/// Like [`verify`], and also returns whether the passphrase must be changed.
///
/// # Errors
/// Those of [`verify`].
pub fn sign_in(store: &Store, member: &str, passphrase: &str) -> Result<SignedIn, PassphraseError> {
    check(store, member, passphrase, Purpose::SignIn)
}

/// Like [`sign_in`], in a browser that the host knows as the member's. As with [`confirm`], strangers' wrong tries to
/// sign in do not slow this down.
///
/// # Errors
/// Those of [`verify`].
pub fn sign_in_where_known(store: &Store, member: &str, passphrase: &str) -> Result<SignedIn, PassphraseError> {
    check(store, member, passphrase, Purpose::Confirmation)
}

fn check(store: &Store, member: &str, passphrase: &str, purpose: Purpose) -> Result<SignedIn, PassphraseError> {
    if passphrase.len() > LONGEST {
        return Err(PassphraseError::Wrong);
    }
    store.transact(|| {
        let member = store.find_member(member)?.filter(|member| member.record.is_active());
        let id = member.map(|member| member.record.id().to_owned());
        let stored = match &id {
            Some(id) => store.document::<PassphraseRecord>(&keys::passphrase(id))?,
            None => None,
        };
        let (Some(id), Some(mut stored)) = (id, stored) else {
            argon2id(passphrase, "00000000000000000000000000000000")?;
            return Err(PassphraseError::Wrong);
        };
        store.note_member(&id);
        let now = store.now();
        let tries = *stored.record.tries(purpose);
        // A stored time that is further ahead than the longest wait comes from a clock that was wrong.
        if lasts(tries.wait_until, now, u64::from(LONGEST_WAIT) * 1_000) {
            let seconds = (tries.wait_until - now).div_ceil(1_000);
            return Err(PassphraseError::Throttled(u32::try_from(seconds).unwrap_or(LONGEST_WAIT)));
        }
        // The slow hash is computed in either case, so that the response time does not reveal who has never signed in.
        let slow = argon2id(passphrase, &stored.record.salt)?;
        let hash = match stored.record.scheme {
            Scheme::Argon2id => slow,
            Scheme::Sha256 => sha256(passphrase, &stored.record.salt),
        };
        let right = hash.as_bytes().ct_eq(stored.record.hash.as_bytes()).into();
        let signed_in = SignedIn { member: id.clone(), must_change: stored.record.must_change };
        if right && tries.count == 0 {
            return Ok(signed_in);
        }
        *stored.record.tries(purpose) = if right { Tries::default() } else { tries.and_one_more(now) };
        let mut batch = Batch::new();
        batch.replace(keys::passphrase(&id), Some(stored.version), &stored.record)?;
        if !right {
            store.note_refusal("the passphrase is wrong");
        }
        store.commit(batch)?;
        if right { Ok(signed_in) } else { Err(PassphraseError::Wrong) }
    })
}

/// Replaces the member's passphrase. The caller must give the current one.
///
/// # Errors
/// Those of [`verify`]; [`PassphraseError::Unfit`] if the new one is too short, too long, or the old one.
pub fn change(store: &Store, member: &str, current: &str, chosen: &str) -> Result<(), PassphraseError> {
    let id = confirm(store, member, current)?;
    if chosen == current {
        return Err(PassphraseError::Unfit("the new passphrase must differ from the old one".into()));
    }
    let mut batch = Batch::new();
    batch.require_exists(keys::Kind::User.document(&id));
    set(store, &mut batch, &id, chosen, false)?;
    store.note(EventSubject::member(&id), None, None);
    Ok(store.commit(batch).map(drop)?)
}

fn sha256(passphrase: &str, salt: &str) -> String {
    hexadecimal(&Sha256::new().chain_update(salt).chain_update(passphrase).finalize())
}

/// How many seconds nobody may try after this number of wrong tries: 2, 4, 8, … from the fifth on.
fn wait_after(tries: u32) -> u32 {
    match tries.checked_sub(FREE_TRIES) {
        Some(over) => 2_u32.checked_shl(over).map_or(LONGEST_WAIT, |wait| wait.clamp(2, LONGEST_WAIT)),
        None => 0,
    }
}

fn argon2id(passphrase: &str, salt: &str) -> Result<String, StoreError> {
    let mut hash = [0; 32];
    Argon2::new(Algorithm::Argon2id, Version::V0x13, Params::DEFAULT)
        .hash_password_into(passphrase.as_bytes(), salt.as_bytes(), &mut hash)
        .map_err(|error| StoreError::Broken(error.to_string()))?;
    Ok(hexadecimal(&hash))
}
