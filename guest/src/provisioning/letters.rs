//! Decides who gets which email and when: new members get their initial passphrase, administrators what needs their
//! attention (rule P4).

use insomnia_scim_contract::{Actor, IdentityProvider};

use super::passphrase;
use crate::capability::Page;
use crate::store::{AddedBy, Batch, Letter, MemberRecord, Store, StoreError, keys};

/// The most recipients of one notice.
const MOST_ADMINISTRATORS: u32 = 200;

/// Adds to the batch an email to each active owner and co-owner who has an address.
///
/// # Errors
/// If the storage can't answer.
pub fn to_administrators(store: &Store, batch: &mut Batch, letter: &Letter) -> Result<(), StoreError> {
    to_administrators_at(store, batch, letter, store.now())
}

/// Like [`to_administrators`], but the email is sent at `due` (milliseconds since the Unix epoch).
///
/// # Errors
/// If the storage can't answer.
pub(super) fn to_administrators_at(
    store: &Store,
    batch: &mut Batch,
    letter: &Letter,
    due: u64,
) -> Result<(), StoreError> {
    let page = Page::first(keys::administrators(), MOST_ADMINISTRATORS);
    let scanned = store.scan_page(page)?;
    let ids: Vec<String> = scanned.entries.iter().filter_map(|entry| keys::id_of(&entry.key)).collect();
    for member in store.members(&ids)?.into_iter().flatten() {
        if let Some(address) = member.record.mail_address() {
            store.add_email_due(batch, address, letter.clone(), due)?;
        }
    }
    Ok(())
}

/// When a new member gets the email with the initial passphrase.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Welcome {
    /// Never: the organization does not want it, the member has no address, or the member was welcomed before.
    Never,
    /// In the commit of the change itself.
    Now,
    /// When the member first becomes active.
    AtActivation,
}

impl Welcome {
    /// When a new member gets the welcome email. `is_wanted` says whether the organization wants such emails.
    #[must_use]
    pub fn of_new(member: &MemberRecord, is_wanted: bool) -> Self {
        match (is_wanted && member.mail_address().is_some(), member.is_active()) {
            (false, _) => Self::Never,
            (true, true) => Self::Now,
            (true, false) => Self::AtActivation,
        }
    }
}

/// The person or program that added the member, as the welcome email names it: the connector's identity provider, or
/// the administrator who acts.
///
/// # Errors
/// If the storage can't answer.
pub fn added_by(store: &Store, by: Option<&Actor>) -> Result<Option<AddedBy>, StoreError> {
    match by {
        None => {
            let connector = store.connector()?.map(|stored| stored.record).unwrap_or_default();
            Ok(connector.identity_provider.map(|provider| AddedBy::IdentityProvider(provider_name(provider))))
        }
        Some(Actor::Member(name)) => {
            let member = store.find_member(name)?;
            Ok(member.map(|member| AddedBy::Administrator(member.record.display_name())))
        }
        // These actors are no person with a name.
        Some(Actor::Owner | Actor::Operator) => Ok(None),
    }
}

/// The product name that people know.
fn provider_name(provider: IdentityProvider) -> String {
    match provider {
        IdentityProvider::Okta => "Okta".into(),
        IdentityProvider::Azure => "Microsoft Entra ID".into(),
        IdentityProvider::PingFederate => "PingFederate".into(),
        IdentityProvider::Other(name) => name,
    }
}

/// Adds a welcome to the batch: the hashed initial passphrase and the email with the passphrase, or the mark that both
/// follow later. `by` is who adds the member; `None` is the identity provider.
///
/// # Errors
/// If the storage can't answer.
pub fn welcome(
    store: &Store,
    batch: &mut Batch,
    member: &MemberRecord,
    when: Welcome,
    by: Option<&Actor>,
) -> Result<(), StoreError> {
    let Some(address) = member.mail_address() else { return Ok(()) };
    match when {
        Welcome::Never => Ok(()),
        Welcome::AtActivation => {
            batch.put(keys::welcome(member.id()), Vec::new());
            Ok(())
        }
        Welcome::Now => {
            let passphrase = store.seal(&passphrase::set_generated(store, batch, member.id())?)?;
            let (member, name, added_by) = (member.id().to_owned(), member.display_name(), added_by(store, by)?);
            store.add_email(batch, address, Letter::InitialPassphrase { member, name, passphrase, added_by })
        }
    }
}
