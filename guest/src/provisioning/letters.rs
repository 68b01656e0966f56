//! Who gets which email, and when: new members their initial passphrase, administrators what they must see to (rule P4).

use super::passphrase;
use crate::capability::Page;
use crate::store::{Batch, Letter, MemberRecord, Store, StoreError, keys};

/// The most recipients of one notice.
const MOST_ADMINISTRATORS: u32 = 200;

/// Adds to the batch an email to each active owner and co-owner who has an address.
///
/// # Errors
/// If the storage can't answer.
pub fn to_administrators(store: &Store, batch: &mut Batch, letter: &Letter) -> Result<(), StoreError> {
    let page = Page { range: keys::administrators(), reverse: false, skip: 0, limit: MOST_ADMINISTRATORS };
    let scanned = store.scan_page(page)?;
    let ids: Vec<String> = scanned.entries.iter().filter_map(|entry| keys::id_of(&entry.key)).collect();
    for member in store.members(&ids)?.into_iter().flatten() {
        if let Some(address) = member.record.mail_address() {
            store.add_email(batch, address, letter.clone())?;
        }
    }
    Ok(())
}

/// When a new member's initial passphrase is mailed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Welcome {
    /// Never: the organization does not want it, or the member has no address or was welcomed before.
    Never,
    /// With the change itself.
    Now,
    /// When the member first becomes active.
    AtActivation,
}

impl Welcome {
    /// When a new member is welcomed, if the organization wants these emails.
    #[must_use]
    pub fn of_new(member: &MemberRecord, is_wanted: bool) -> Self {
        match (is_wanted && member.mail_address().is_some(), member.is_active()) {
            (false, _) => Self::Never,
            (true, true) => Self::Now,
            (true, false) => Self::AtActivation,
        }
    }
}

/// Adds to the batch what the welcome takes: the initial passphrase, hashed, and the email with it, or the mark that it is
/// still to come.
///
/// # Errors
/// If the storage can't answer.
pub fn welcome(store: &Store, batch: &mut Batch, member: &MemberRecord, when: Welcome) -> Result<(), StoreError> {
    let Some(address) = member.mail_address() else { return Ok(()) };
    match when {
        Welcome::Never => Ok(()),
        Welcome::AtActivation => {
            batch.put(keys::welcome(member.id()), Vec::new());
            Ok(())
        }
        Welcome::Now => {
            let passphrase = store.seal(&passphrase::set_generated(store, batch, member.id())?)?;
            let (member, name) = (member.id().to_owned(), member.display_name());
            store.add_email(batch, address, Letter::InitialPassphrase { member, name, passphrase })
        }
    }
}
