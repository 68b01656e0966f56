//! Links by which a member chooses a new passphrase: they are mailed, can be used once, and are valid for 24 hours
//! (rule P4).
//!
//! Anybody may ask for a link, so a new request must not invalidate an older link: each mailed link stays valid for its
//! 24 hours, until one of the links is used. No further link is sent to a member for whom one was requested just
//! before, or often.

use insomnia_scim_contract::lasts;
use serde::{Deserialize, Serialize};
use subtle::ConstantTimeEq;

use super::passphrase::{self, PassphraseError};
use crate::secret::{self, Token};
use crate::store::{Batch, EventSubject, Letter, Store, Versioned, keys};
use crate::url;

/// How long a link is valid, in milliseconds.
const WORKS: u64 = 24 * 60 * 60 * 1_000;
/// A member gets at most one link in this time, in milliseconds.
const PAUSE: u64 = 10 * 60_000;
/// The most valid links that a member can have at a time, and therefore the most within 24 hours.
const MOST: usize = 5;
/// The prefix of a link's secret.
const PREFIX: &str = "insm_reset_";

/// The member's links that may still be used, oldest first. JSON under `user-reset/{id}`.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct ResetRecord {
    links: Vec<Link>,
}

/// The stored form of a link.
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
    /// Whether the link is still valid: 24 hours at most, even if the clock was ahead when it was mailed.
    fn works(&self, now: u64) -> bool {
        lasts(self.expires, now, WORKS)
    }
}

/// Mails a link to the member with this id, userName or email address: `page_url` with a parameter `token`.
///
/// The caller can't find out whether there is such a member. The call also succeeds for unknown and deactivated
/// members, and if a link was mailed less than ten minutes ago, or five within 24 hours.
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
            // An unknown member costs a commit too, so that the response time does not reveal who is known.
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

/// Sets the passphrase of the member to whose link this token belongs; returns the member's id.
///
/// # Errors
/// [`PassphraseError::Link`]; [`PassphraseError::Unfit`] if the passphrase is refused, and then the link stays valid.
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
