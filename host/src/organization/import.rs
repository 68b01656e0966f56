//! Imports members from a backend, with the ids by which the backend knows them.

use super::Organization;
use crate::directory::{ImportOutcome, ImportedMember};
use crate::error::ActionError;

/// How many members the component takes in one call, and adds in one commit.
pub(crate) const AT_ONCE: usize = 500;

impl Organization {
    /// Imports members of the backend, with the ids by which it knows them. Returns the outcome for each, in their order.
    /// Nobody is mailed, and no passphrase is made: the members sign in by the backend's sessions, or ask for a link that sets
    /// a passphrase. They are manual until the identity provider adopts them. Each of them has an event `member.created`.
    ///
    /// Ids are UUIDs in lower case. A backend with ids of another form derives a UUID from each, such as a UUID of
    /// version 5. A member whose id exists already stays as it is, even if its data differs, so an import that was interrupted
    /// can be repeated. But members who were removed meanwhile, also by the identity provider, and those who were
    /// erased are added again. So call this once, when the organization moves in, and not at every start. Each part of
    /// 500 members takes effect by itself, in order.
    ///
    /// # Errors
    /// [`ActionError::Invalid`] if an id occurs twice. Otherwise the error of the first part that failed; the parts before it
    /// have taken effect.
    pub async fn import_members(&self, members: &[ImportedMember]) -> Result<Vec<ImportOutcome>, ActionError> {
        let mut ids: Vec<&str> = members.iter().map(|member| member.id.as_str()).collect();
        ids.sort_unstable();
        let twice = |pair: &[&str]| matches!(pair, [one, next] if one == next);
        if let Some(id) = ids.windows(2).find(|pair| twice(pair)).and_then(|pair| pair.first()) {
            return Err(ActionError::Invalid(format!("the id '{id}' occurs twice")));
        }
        let mut outcomes = Vec::with_capacity(members.len());
        for part in members.chunks(AT_ONCE) {
            outcomes.extend(self.import_part(part).await?);
        }
        Ok(outcomes)
    }

    async fn import_part(&self, members: &[ImportedMember]) -> Result<Vec<ImportOutcome>, ActionError> {
        let members = serde_json::to_string(members).map_err(|error| ActionError::Other(error.to_string()))?;
        let by = self.by.clone();
        act!(self.insomnia_scim_directory.call_import_members(&by, &members))
    }
}
