//! Further keys of members, beside those of [`super::Kind`]: their indexes, their passphrases, and the counters of
//! seats.

use super::parts::{below, fold, indexed, many, of_many};
use crate::capability::{Key, KeyRange};
use crate::secret::sha256;

/// The counter of active members, each of whom takes a seat.
pub const SEATS: &[u8] = b"count/seats";
/// The counter of active members whom SCIM manages.
pub const SEATS_SCIM: &[u8] = b"count/seats-scim";
/// The counter of active owners. Once there is one, it never falls below one.
pub const OWNERS: &[u8] = b"count/owners";
/// The counter of active members without an email address.
pub const NO_ADDRESS: &[u8] = b"count/no-address";
/// The counter of active members of a domain that is not verified.
pub const FOREIGN: &[u8] = b"count/foreign";

keys! {
    /// The member's own name as a JSON string, or `""`. It is only rewritten when the name changes, and deleted with
    /// the member.
    pub fn card(id: &str) -> Key = "user-card/{id}";
    /// The hash of the member's passphrase.
    pub fn passphrase(id: &str) -> Key = "user-passphrase/{id}";
    /// The hashes of the member's reset links: `provisioning::reset::ResetRecord`.
    pub fn reset(id: &str) -> Key = "user-reset/{id}";
    /// Marks a member who gets the initial passphrase by email when first activated. The value is empty.
    pub fn welcome(id: &str) -> Key = "user-welcome/{id}";
    /// Marks an active owner or co-owner. The value is empty.
    pub fn administrator(id: &str) -> Key = "administrator/{id}";
    /// All active owners and co-owners.
    pub fn administrators() -> KeyRange = "administrator/";
    /// All notes about people who got no seat.
    pub fn all_without_seat() -> KeyRange = "without-seat/";
}

/// A note that the person with this userName got no seat: `provisioning::without_seat::WithoutSeatRecord`.
pub fn without_seat(user_name: &str) -> Key {
    format!("without-seat/{}", sha256(&fold(user_name))).into_bytes()
}

/// The id of the member with this email address: the primary one, which is unique in the organization.
pub fn member_by_email(address: &str) -> Key {
    indexed("user-email/", &fold(address))
}

/// Marks a member who has this email address, primary or not. The value is empty.
pub fn member_by_any_email(address: &str, id: &str) -> Key {
    of_many(indexed("user-mail/", &fold(address)), id)
}

/// The members who have this email address.
pub fn members_by_any_email(address: &str) -> KeyRange {
    many(indexed("user-mail/", &fold(address)))
}

/// Marks a member who has this display name. The value is empty.
pub fn display(name: &str, id: &str) -> Key {
    of_many(indexed("user-display/", &fold(name)), id)
}

/// The members who have this display name.
pub fn displays(name: &str) -> KeyRange {
    many(indexed("user-display/", &fold(name)))
}

/// The members whose display name begins with `prefix`, which is no longer than [`super::INDEXED_PREFIX`].
pub fn displays_from(prefix: &str) -> KeyRange {
    below(format!("user-display/{}", fold(prefix)).into_bytes())
}

/// Marks a member who has this manager, according to the enterprise extension. The value is empty.
pub fn manager(manager: &str, id: &str) -> Key {
    of_many(indexed("user-manager/", manager), id)
}

/// The members who have this manager.
pub fn managed_by(manager: &str) -> KeyRange {
    many(indexed("user-manager/", manager))
}
