//! The erasure of a person.

#[cfg(feature = "host")]
use wasmtime::component::{ComponentType, Lift, Lower};

/// How far the erasure of a person has come.
#[derive(Clone, PartialEq, Eq)]
#[cfg_attr(feature = "host", derive(ComponentType, Lift, Lower), component(record))]
pub struct Erasure {
    /// The member's id, which remains. A person who never was a member gets an id of their own.
    pub id: String,
    /// The person's addresses, names, and other texts that identify only this person, in lower case.
    pub names: Vec<String>,
    /// Whether `names` is complete, and no email to the person waits any more.
    pub ready: bool,
    /// Whether the organization's data contains nothing about the person any more.
    pub done: bool,
    /// How many entries, events and emails have been changed or deleted so far.
    pub erased: u64,
}

/// Omits the names, because debugging output ends up in logs.
impl std::fmt::Debug for Erasure {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let mut shown = f.debug_struct("Erasure");
        shown.field("id", &self.id).field("ready", &self.ready).field("done", &self.done);
        shown.field("erased", &self.erased).finish_non_exhaustive()
    }
}
