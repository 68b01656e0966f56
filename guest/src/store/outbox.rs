//! The outbox: an email is written in the commit of the change that it reports, and stays here until it is sent.

use insomnia_scim_contract::TOLERANCE;
use serde::{Deserialize, Serialize};

use super::{Batch, Sealed, Store, StoreError, decode, decode_entry, encode, keys};
use crate::capability::{Key, KeyRange, Page, key_after};

/// The content of an email.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "kind", rename_all = "kebab-case", rename_all_fields = "camelCase")]
pub enum Letter {
    /// The initial passphrase of a new member.
    InitialPassphrase {
        /// The member's id.
        member: String,
        /// The member's name.
        name: String,
        /// The passphrase.
        passphrase: Sealed,
        /// The person or identity provider that added the member; absent if it was not noted.
        #[serde(skip_serializing_if = "Option::is_none", default)]
        added_by: Option<AddedBy>,
    },
    /// A link that lets a member choose a new passphrase.
    PassphraseReset {
        /// The member's name.
        name: String,
        /// The link.
        link: Sealed,
        /// Until when the link is valid, in milliseconds since the Unix epoch.
        expires: u64,
    },
    /// The token expires soon.
    TokenExpiring {
        /// The token expires within this many days.
        days: u32,
        /// In milliseconds since the Unix epoch.
        expires: u64,
    },
    /// The token has expired.
    TokenExpired {
        /// In milliseconds since the Unix epoch.
        expires: u64,
    },
    /// The secret of an OAuth client expires soon.
    ClientSecretExpiring {
        /// The name of the client.
        name: String,
        /// The secret expires within this many days.
        days: u32,
        /// In milliseconds since the Unix epoch.
        expires: u64,
    },
    /// The secret of an OAuth client has expired.
    ClientSecretExpired {
        /// The name of the client.
        name: String,
        /// In milliseconds since the Unix epoch.
        expires: u64,
    },
    /// Somebody was not provisioned because no seat was free.
    NoFreeSeat {
        /// How many seats there are.
        seats: u32,
    },
    /// The guard holds removals. Their number and the members' names are read when the email is sent.
    GuardHeld,
}

/// The person or identity provider that added a member.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum AddedBy {
    /// The organization's identity provider, which has this name.
    IdentityProvider(String),
    /// The administrator, who has this name.
    Administrator(String),
}

impl Letter {
    /// The name of the kind of email in listings.
    #[must_use]
    pub fn name(&self) -> &'static str {
        match self {
            Self::InitialPassphrase { .. } => "initial-passphrase",
            Self::PassphraseReset { .. } => "passphrase-reset",
            Self::TokenExpiring { .. } => "token-expiring",
            Self::TokenExpired { .. } => "token-expired",
            Self::ClientSecretExpiring { .. } => "client-secret-expiring",
            Self::ClientSecretExpired { .. } => "client-secret-expired",
            Self::NoFreeSeat { .. } => "no-free-seat",
            Self::GuardHeld => "guard-held",
        }
    }
}

/// An email to one recipient. Stored as JSON under `outbox/{due}{id}`, or `outbox-parked/{id}`.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct OutboxRecord {
    /// A UUID, the left part of the Message-ID.
    pub id: String,
    /// When it was written, in milliseconds since the Unix epoch: its Date.
    pub created: u64,
    /// The start of the three days after which the email is parked, in milliseconds since the Unix epoch: the first
    /// try, moved later by each downtime of the hosts.
    pub since: u64,
    /// The recipient's address.
    pub to: String,
    /// The content of the email.
    pub letter: Letter,
    /// How many attempts to send it there were.
    #[serde(default)]
    pub attempts: u32,
    /// The reason why the last attempt failed.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub error: Option<String>,
}

/// An email of the outbox with its key.
#[derive(Clone, Debug)]
pub struct StoredEmail {
    /// The email's key.
    pub key: Key,
    /// The version of its key.
    pub version: u64,
    /// The email.
    pub record: OutboxRecord,
}

impl Store<'_> {
    /// Adds an email to the batch, to be sent at once.
    ///
    /// # Errors
    /// If it can't be encoded.
    pub fn add_email(&self, batch: &mut Batch, to: &str, letter: Letter) -> Result<(), StoreError> {
        self.add_email_due(batch, to, letter, self.now())
    }

    /// Adds an email to the batch, to be sent at `due` (milliseconds since the Unix epoch).
    ///
    /// # Errors
    /// If it can't be encoded.
    pub fn add_email_due(&self, batch: &mut Batch, to: &str, letter: Letter, due: u64) -> Result<(), StoreError> {
        let (id, to) = (self.new_ordered_id(), to.to_owned());
        let key = keys::outbox(due, &id);
        let record = OutboxRecord { id, created: due, since: due, to, letter, attempts: 0, error: None };
        batch.put(key, encode(&record)?);
        batch.wake_at(due);
        Ok(())
    }

    /// A page of the emails that wait to be sent, in the order in which they are due: all, or those due before `time`.
    ///
    /// # Errors
    /// If the storage can't answer.
    pub fn outbox(
        &self,
        before: Option<u64>,
        after: Option<&str>,
        limit: u32,
    ) -> Result<(Vec<StoredEmail>, bool), StoreError> {
        let range = keys::outboxes(before);
        self.emails(range, after.map(|after| format!("outbox/{after}").into_bytes()), limit)
    }

    /// The first emails that are due at `now`, at most `limit`. An email planned further ahead than `longest` was
    /// planned by a wrong clock: it counts as due.
    ///
    /// # Errors
    /// If the storage can't answer.
    pub fn due_emails(&self, now: u64, longest: u64, limit: u32) -> Result<Vec<StoredEmail>, StoreError> {
        let (mut emails, _) = self.emails(keys::outboxes(Some(now.saturating_add(1))), None, limit)?;
        let left = limit.saturating_sub(u32::try_from(emails.len()).unwrap_or(limit));
        if left > 0 {
            emails.extend(self.emails(beyond(now, longest), None, left)?.0);
        }
        Ok(emails)
    }

    /// When the next email is due, by the rules of [`Store::due_emails`]: `now` or earlier if one is due already.
    ///
    /// # Errors
    /// If the storage can't answer.
    pub fn next_email(&self, now: u64, longest: u64) -> Result<Option<u64>, StoreError> {
        if self.nth_key(&beyond(now, longest), 0)?.is_some() {
            return Ok(Some(now));
        }
        let first = self.nth_key(&keys::outboxes(None), 0)?;
        Ok(first.and_then(|key| keys::time_of(&key, "outbox/")))
    }

    /// A page of the emails that could not be sent.
    ///
    /// # Errors
    /// If the storage can't answer.
    pub fn parked_emails(&self, after: Option<&str>, limit: u32) -> Result<(Vec<StoredEmail>, bool), StoreError> {
        self.emails(keys::outboxes_parked(), after.map(keys::outbox_parked), limit)
    }

    /// Those of the unsendable emails that have these ids, or the first of all unsendable emails; at most `limit`.
    ///
    /// # Errors
    /// If the storage can't answer.
    pub fn parked_emails_of(&self, ids: &[String], limit: u32) -> Result<Vec<StoredEmail>, StoreError> {
        if ids.is_empty() {
            return Ok(self.parked_emails(None, limit)?.0);
        }
        let ids = ids.iter().filter(|id| keys::is_id(id)).take(limit as usize);
        let keys: Vec<Key> = ids.map(|id| keys::outbox_parked(id)).collect();
        let items = if keys.is_empty() { Vec::new() } else { self.items(&keys)? };
        let mut emails = Vec::with_capacity(keys.len());
        for (key, item) in keys.into_iter().zip(items) {
            if let Some(item) = item {
                let read = decode(&key, &item)?;
                emails.push(StoredEmail { key, version: read.version, record: read.record });
            }
        }
        Ok(emails)
    }

    fn emails(&self, range: KeyRange, after: Option<Key>, limit: u32) -> Result<(Vec<StoredEmail>, bool), StoreError> {
        let range = KeyRange { start: after.map_or(range.start, key_after), end: range.end };
        let scanned = self.scan_page(Page::first(range, limit))?;
        let mut emails = Vec::with_capacity(scanned.entries.len());
        for entry in scanned.entries {
            let read = decode_entry(&entry)?;
            emails.push(StoredEmail { key: entry.key, version: read.version, record: read.record });
        }
        Ok((emails, scanned.more))
    }
}

/// The emails that are planned further ahead than `longest`.
fn beyond(now: u64, longest: u64) -> KeyRange {
    let all = keys::outboxes(None);
    let latest = now.saturating_add(longest).saturating_add(TOLERANCE);
    KeyRange { start: keys::outboxes(Some(latest.saturating_add(1))).end, end: all.end }
}
