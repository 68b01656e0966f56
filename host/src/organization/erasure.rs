//! Erases a person: the component erases its own data, and this module removes what the host keeps itself.

use std::time::{Duration, Instant};

use insomnia_scim_contract::Erasure;
use serde::Serialize;
use utoipa::ToSchema;

use super::Organization;
use crate::capability::storage::StorageError;
use crate::error::ActionError;
use crate::provisioner::{SETTLED, SETTLED_LATE};

/// How long a caller waits for an erasure; the jobs do the rest.
const PATIENCE: Duration = Duration::from_secs(20);

/// The result of erasing a person.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, ToSchema)]
pub struct ErasedPerson {
    /// The member's id. It remains, so that histories are still complete. A person who never was a member gets an id of their
    /// own.
    pub id: String,
    /// How many log entries, audit entries, events and waiting emails have been changed or deleted so far.
    pub erased: u64,
    /// How many emails that this server keeps have been removed.
    pub emails: u64,
    /// Whether everything is done. If not, the rest is done in the background; call again for the same id to wait for it.
    pub done: bool,
}

impl Organization {
    /// Erases a person. `person` is one of these: the id, userName or email address of a member, who is removed from the
    /// organization; the id of a deleted member; or a name or an address of anybody else, of at least five bytes. `known_as`
    /// are other names and addresses of the same person, at most 20, of at least five bytes each.
    ///
    /// Everything that tells about the person is removed from the log, the events, the audit trail, the waiting emails, and
    /// the emails to the person that the mailer keeps. The id remains. You may call this again, also after an error. A call by
    /// name answers that nothing names this person once everything is done. The storage's files contain nothing about the
    /// person some time later.
    ///
    /// # Errors
    /// [`ActionError::NotFound`] if a name or an address occurs nowhere; [`ActionError::Forbidden`] for the last active owner;
    /// [`ActionError::Invalid`] if a name is too short, is a word that occurs in the data of everybody, or belongs to another
    /// member or a team.
    pub async fn erase_person(&self, person: &str, known_as: &[String]) -> Result<ErasedPerson, ActionError> {
        let until = Instant::now() + PATIENCE;
        let (by, person, known_as) = (self.by.clone(), person.to_owned(), known_as.to_vec());
        let mut erasure: Erasure = {
            let person = person.clone();
            act!(self.insomnia_scim_directory.call_erase_person(&by, &person, &known_as))?
        };
        while !erasure.done && Instant::now() < until {
            let id = erasure.id.clone();
            erasure = act!(self.insomnia_scim_directory.call_continue_erasure(&id))?;
        }
        let Erasure { id, names, ready, done, erased } = erasure;
        // The known names are removed at once, even if the history may contain more.
        let emails = self.erase_own_copies(&id, &names).await?;
        if ready {
            let id = id.clone();
            act!(self.insomnia_scim_directory.call_end_erasure(&id))?;
        }
        // An id does not show whether it was erased before.
        if done && erased == 0 && emails == 0 && id != person.trim() {
            let text = format!(
                "no data here names {:?}; check the spelling (after an erasure, no data names the person)",
                person.trim()
            );
            return Err(ActionError::NotFound(text));
        }
        if erased > 0 || emails > 0 {
            self.provisioner.scour_after(if done { SETTLED } else { SETTLED_LATE });
        }
        Ok(ErasedPerson { id, erased, emails, done: ready && done })
    }

    /// Removes emails that the mailer keeps, and sessions of the SCIM page; returns how many emails.
    async fn erase_own_copies(&self, id: &str, names: &[String]) -> Result<u64, ActionError> {
        let unavailable = |error: StorageError| ActionError::Unavailable(error.to_string());
        let found = self.provisioner.registry().find(&self.id).await.map_err(unavailable)?;
        let organization = self.space.clone().or(found).unwrap_or_else(|| self.id.clone());
        self.provisioner.forget_sessions_of(&organization, id).await.map_err(unavailable)?;
        let removed = self.provisioner.mailer().erase(&organization, names).await;
        removed.map_err(|error| {
            ActionError::Unavailable(format!(
                "some emails of the person are left; try again: \
            {error}"
            ))
        })
    }
}
