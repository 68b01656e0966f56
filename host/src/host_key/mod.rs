//! The rotation of the host key, which seals what must be replayed to others.
//!
//! The key file may hold several keys, newest first; the database's note says which one seals, and which older ones are still
//! needed. A rotation goes so:
//!
//! 1. A new key is put into the file. With several servers on one database, the file is copied to each of them.
//! 2. The note is changed: the new key seals, and the one before is needed as well. Every server looks at the note, and seals
//!    with the new key from then on ([`Keeper`]).
//! 3. What is sealed with the older key is sealed again ([`reseal()`]), by every server a part: each item is replaced only where
//!    it is as it was read, so two servers do no harm to each other, and one that is killed in the middle has lost nothing.
//! 4. When nothing needs the older key, and no server seals with it, it is retired: the note no longer names it, and the file
//!    no longer holds it.
//!
//! A server starts only with the key that seals and those that are needed.

mod keeper;
mod keyring;
mod note;
mod places;
mod reseal;
#[cfg(test)]
mod tests;

pub(crate) use self::keeper::Keeper;
pub(crate) use self::keyring::Keyring;
pub(crate) use self::note::{NOTE, Note};
pub(crate) use self::reseal::{count, reseal};
