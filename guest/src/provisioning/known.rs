//! The questions that the rules of members ask before they decide. The store answers them, or a preview.

use super::Refusal;
use super::guard::{self, Admission, Removal};
use crate::store::{Actor, MemberRecord, Store, StoreError, Stored, keys};

/// The questions that [`MemberRules`](super::decide::MemberRules) ask about an organization.
pub trait Known {
    /// The id of the member with this userName.
    ///
    /// # Errors
    /// If the storage can't answer.
    fn id_by_user_name(&self, name: &str) -> Result<Option<String>, StoreError>;

    /// The ids of the members with these email addresses, in the order of the addresses. An address is unique in the
    /// organization.
    ///
    /// # Errors
    /// If the storage can't answer.
    fn ids_by_email(&self, addresses: &[&str]) -> Result<Vec<Option<String>>, StoreError>;

    /// The member with this id.
    ///
    /// # Errors
    /// If the storage can't answer.
    fn member(&self, id: &str) -> Result<Option<Stored<MemberRecord>>, StoreError>;

    /// How many seats are taken.
    ///
    /// # Errors
    /// If the storage can't answer.
    fn seats_taken(&self) -> Result<u64, StoreError>;

    /// How many active owners there are.
    ///
    /// # Errors
    /// If the storage can't answer.
    fn owners(&self) -> Result<u64, StoreError>;

    /// Whether the member gets the welcome email when first activated.
    ///
    /// # Errors
    /// If the storage can't answer.
    fn awaits_welcome(&self, id: &str) -> Result<bool, StoreError>;

    /// Asks the mass-deprovisioning guard about the member's deactivation or deletion; `None` if the guard is off.
    ///
    /// # Errors
    /// [`Refusal::Held`] and [`Refusal::RemovalRefused`].
    fn pass_guard(&self, member: &Stored<MemberRecord>, removal: Removal) -> Result<Option<Admission>, Refusal>;

    /// An id for a new member.
    fn new_id(&self) -> String;

    /// The time in milliseconds since the Unix epoch.
    fn now(&self) -> u64;
}

/// The store answers with what is stored.
impl Known for Store<'_> {
    fn id_by_user_name(&self, name: &str) -> Result<Option<String>, StoreError> {
        self.id_by_user_name(name)
    }

    fn ids_by_email(&self, addresses: &[&str]) -> Result<Vec<Option<String>>, StoreError> {
        self.ids_by_email(addresses)
    }

    fn member(&self, id: &str) -> Result<Option<Stored<MemberRecord>>, StoreError> {
        self.member(id)
    }

    fn seats_taken(&self) -> Result<u64, StoreError> {
        self.seats_counted()
    }

    fn owners(&self) -> Result<u64, StoreError> {
        self.counter(keys::OWNERS.to_vec())
    }

    fn awaits_welcome(&self, id: &str) -> Result<bool, StoreError> {
        Ok(self.item(keys::welcome(id))?.is_some())
    }

    /// The guard checks what the identity provider does, not what people do.
    fn pass_guard(&self, member: &Stored<MemberRecord>, removal: Removal) -> Result<Option<Admission>, Refusal> {
        match self.actor() {
            Actor::Scim => guard::admit(self, member, removal, guard::Ahead::default()),
            Actor::Admin | Actor::System => Ok(None),
        }
    }

    fn new_id(&self) -> String {
        self.new_id()
    }

    fn now(&self) -> u64 {
        self.now()
    }
}
