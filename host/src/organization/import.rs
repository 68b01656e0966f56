//! Members whom a backend takes over, with the ids that it knows them by.

use super::Organization;
use crate::directory::{ImportOutcome, ImportedMember};
use crate::error::ActionError;

/// How many members the component takes in one call, and adds in one commit.
pub(crate) const AT_ONCE: usize = 500;

impl Organization {
    /// Takes over members whom the backend has already, with the ids that it knows them by; what became of each, in their order.
    /// Nobody is mailed, and no passphrase is made: they sign in by the backend's sessions, or ask for a link that sets one. They
    /// are manual until the identity provider adopts them, and each has an event `member.created`.
    ///
    /// Ids are UUIDs in small letters. A backend with ids of another form derives a UUID from each, such as one of version 5.
    /// Who is there by the id stays as he or she is, whatever differs, so that an import that was broken off is done again as a
    /// whole. Whoever was removed meanwhile, also by the identity provider, and whoever was erased is added again: call this once,
    /// when the organization moves in, and not at each start. Of lists of more than 500 each part takes effect by itself, in
    /// their order.
    ///
    /// # Errors
    /// [`ActionError::Invalid`] if an id comes twice. Otherwise those of the first part that failed; the parts before it have
    /// taken effect.
    pub async fn import_members(&self, members: &[ImportedMember]) -> Result<Vec<ImportOutcome>, ActionError> {
        let mut ids: Vec<&str> = members.iter().map(|member| member.id.as_str()).collect();
        ids.sort_unstable();
        let twice = |pair: &[&str]| matches!(pair, [one, next] if one == next);
        if let Some(id) = ids.windows(2).find(|pair| twice(pair)).and_then(|pair| pair.first()) {
            return Err(ActionError::Invalid(format!("the id '{id}' comes twice")));
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
