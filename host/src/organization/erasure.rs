//! Erasing a person: the component does it in its data, and here what the host keeps itself is removed.

use std::time::{Duration, Instant};

use insomnia_scim_contract::Erasure;
use serde::Serialize;
use utoipa::ToSchema;

use super::Organization;
use crate::capability::storage::StorageError;
use crate::error::ActionError;
use crate::provisioner::{SETTLED, SETTLED_LATE};

/// How long somebody waits for an erasure; what is not done then is done by the jobs.
const PATIENCE: Duration = Duration::from_secs(20);

/// What became of a person who was to be erased.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, ToSchema)]
pub struct ErasedPerson {
    /// The member's id. It remains, so that histories still add up. Somebody who never was a member gets an id of its own.
    pub id: String,
    /// How many entries of the log and of the audit trail, events and waiting emails were changed or deleted until now.
    pub erased: u64,
    /// How many emails were removed that this server keeps.
    pub emails: u64,
    /// Whether all of it is done. If not, the rest is done in the background; whoever asks for the same id again may wait for
    /// it.
    pub done: bool,
}

impl Organization {
    /// Erases a person: the member with this id, userName or email address, who is removed from the organization; a deleted
    /// member, by the id; or anybody else, by a name or an address of at least five bytes. `known_as` are other names and
    /// addresses of the same person, at most 20, each of at least five bytes.
    ///
    /// What tells of the person goes from log, events, audit trail, waiting emails and the emails to the person that the mailer
    /// keeps; the id remains. It may be called again, also after an error; by a name it answers, once all is done, that nothing
    /// names this person. The storage's files have nothing of it some time later.
    ///
    /// # Errors
    /// [`ActionError::NotFound`] if a name or an address stands nowhere; [`ActionError::Forbidden`] of the last active owner;
    /// [`ActionError::Invalid`] if a name is too short, is a word that stands in what is kept of everybody, or is that of another
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
        // Also where the history may tell of more names: what is known goes now.
        let emails = self.erase_own_copies(&id, &names).await?;
        if ready {
            let id = id.clone();
            act!(self.insomnia_scim_directory.call_end_erasure(&id))?;
        }
        // Of an id nobody can tell whether it was erased before.
        if done && erased == 0 && emails == 0 && id != person.trim() {
            let text = format!(
                "nothing here names {:?}; check the spelling (who was erased before is not named any more)",
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
        removed.map_err(|error| ActionError::Unavailable(format!("emails of the person are left; try again: {error}")))
    }
}
