//! Links that let a member choose a new passphrase: single-use, mailed, good for 24 hours (rule P4).
//!
//! Anybody may ask for a link, so asking takes nothing away: a link that was mailed stays good for its 24 hours, whatever
//! is asked for after it, until one of them is used. Whoever asks again at once, or asks often, gets no further link.

use insomnia_scim_contract::lasts;
use serde::{Deserialize, Serialize};
use subtle::ConstantTimeEq;

use super::passphrase::{self, PassphraseError};
use crate::secret::{self, Token};
use crate::store::{Batch, EventSubject, Letter, Store, Versioned, keys};
use crate::url;

/// How long a link works, in milliseconds.
const WORKS: u64 = 24 * 60 * 60 * 1_000;
/// A member gets one link in this time at the most, in milliseconds.
const PAUSE: u64 = 10 * 60_000;
/// A member has so many links at a time at the most, and so gets no more in 24 hours.
const MOST: usize = 5;
/// What the secret of a link begins with.
const PREFIX: &str = "insm_reset_";

/// The links of a member that may still be used, oldest first. JSON under `user-reset/{id}`.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct ResetRecord {
    links: Vec<Link>,
}

/// A link, as far as it is stored.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
struct Link {
    /// SHA-256 of the secret, in hexadecimal digits.
    sha256: String,
    /// In milliseconds since the Unix epoch.
    created: u64,
    /// In milliseconds since the Unix epoch.
    expires: u64,
}

impl Link {
    /// A link works for 24 hours, also where a clock was ahead when it was mailed.
    fn works(&self, now: u64) -> bool {
        lasts(self.expires, now, WORKS)
    }
}

/// Mails a link to the member with this id, userName or email address: `page_url` with a parameter `token`.
///
/// Nobody learns whether there is such a member: it succeeds for unknown and deactivated ones too, and where a link was
/// mailed less than ten minutes ago, or five within 24 hours.
///
/// # Errors
/// [`PassphraseError::Unfit`] if `page_url` is not a URL.
pub fn request(store: &Store, member: &str, page_url: &str) -> Result<(), PassphraseError> {
    if !url::is_linkable(page_url) {
        return Err(PassphraseError::Unfit("the page's address is an http or https URL".into()));
    }
    store.transact(|| {
        let mut batch = Batch::new();
        let now = store.now();
        let found = store.find_member(member)?.filter(|found| found.record.is_active());
        let to = found.as_ref().and_then(|found| Some((found.record.id(), found.record.mail_address()?)));
        let (Some(found), Some((id, email))) = (&found, to) else {
            // A commit as for somebody who is known, so that the time does not tell.
            batch.put(keys::job("no-reset"), now.to_string().into_bytes());
            return Ok(store.commit(batch).map(drop)?);
        };
        let (version, mut record) = Versioned::or_default(store.document::<ResetRecord>(&keys::reset(id))?);
        record.links.retain(|link| link.works(now));
        let is_recent = |link: &Link| lasts(link.created.saturating_add(PAUSE), now, PAUSE);
        if record.links.len() >= MOST || record.links.last().is_some_and(is_recent) {
            return Ok(());
        }
        let token = Token::of_kind(PREFIX, store.random());
        let expires = now + WORKS;
        record.links.push(Link { sha256: token.sha256(), created: now, expires });
        let separator = if page_url.contains('?') { '&' } else { '?' };
        let link = store.seal(&format!("{page_url}{separator}token={id}.{}", token.reveal()))?;
        let letter = Letter::PassphraseReset { name: found.record.display_name(), link, expires };
        batch.require_exists(keys::Kind::User.document(id));
        batch.replace(keys::reset(id), version, &record)?;
        store.add_email(&mut batch, email, letter)?;
        Ok(store.commit(batch).map(drop)?)
    })
}

/// Sets the passphrase of the member whose link this is the token of; returns the member's id.
///
/// # Errors
/// [`PassphraseError::Link`]; [`PassphraseError::Unfit`] if the passphrase is, and then the link still works.
pub fn redeem(store: &Store, token: &str, chosen: &str) -> Result<String, PassphraseError> {
    let (id, secret) = token.split_once('.').ok_or(PassphraseError::Link)?;
    if !keys::is_id(id) || !Token::is_of_kind(PREFIX, secret) {
        return Err(PassphraseError::Link);
    }
    let sha256 = secret::sha256(secret);
    store.transact(|| {
        let stored = store.document::<ResetRecord>(&keys::reset(id))?.ok_or(PassphraseError::Link)?;
        let is_right = |link: &Link| -> bool { link.sha256.as_bytes().ct_eq(sha256.as_bytes()).into() };
        if !stored.record.links.iter().any(|link| is_right(link) && link.works(store.now())) {
            return Err(PassphraseError::Link);
        }
        let member = store.member(id)?.filter(|member| member.record.is_active()).ok_or(PassphraseError::Link)?;
        let mut batch = Batch::new();
        batch.require_unchanged(keys::Kind::User.document(id), Some(member.version));
        batch.require_unchanged(keys::reset(id), Some(stored.version));
        passphrase::set(store, &mut batch, id, chosen, false)?;
        store.note_member(id);
        store.note(EventSubject::member(id), None, None);
        store.commit(batch)?;
        Ok(id.to_owned())
    })
}
