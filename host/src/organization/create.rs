//! Creating an organization with all that it begins with, or not at all.

use std::time::Duration;

use insomnia_scim_contract::Act;
use serde::Deserialize;
use utoipa::ToSchema;

use super::Organization;
use crate::capability::storage::OrganizationId;
use crate::directory::{Member, NewMember, OrganizationRecord, Role};
use crate::error::ActionError;
use crate::provisioner::Provisioner;
use crate::registry::RegistryError;

/// An organization to create.
#[derive(Clone)]
pub struct NewOrganization {
    /// Its name in the connector URL, which never changes.
    pub id: OrganizationId,
    /// What is known about it.
    pub record: OrganizationRecord,
    /// Its owner. Without one, nobody can enable SCIM before a member with the role `owner` is added.
    pub owner: Option<Owner>,
    /// For how many days the log of SCIM requests, events and parked emails are kept; 90 if it is not set.
    pub retention_days: Option<u32>,
    /// Who creates it, and from where: the audit trail begins with it. A passphrase of the owner that comes from the command
    /// line was shown on a terminal, so it must be changed at the first sign-in.
    pub by: Act,
}

/// The owner of a new organization.
#[derive(Clone, PartialEq, Eq, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(as = NewOwner)]
pub struct Owner {
    /// Email address.
    #[schema(format = Email)]
    pub email: String,
    /// Name; the email address if it is not named.
    pub display_name: Option<String>,
    /// What the owner signs in with: at least 12 characters. Without it one is generated and emailed to the owner.
    #[schema(min_length = 12, format = Password)]
    pub passphrase: Option<String>,
}

impl NewOrganization {
    /// An organization of which nothing more is known; an owner and the retention can be added.
    pub fn new(id: OrganizationId, record: OrganizationRecord) -> Self {
        Self { id, record, owner: None, retention_days: None, by: Act::of_backend() }
    }
}

/// An organization that was created.
pub struct CreatedOrganization {
    /// The organization.
    pub organization: Organization,
    /// Its owner, if one was to be added.
    pub owner: Option<Member>,
}

/// An organization that is there from now on, whoever created it.
pub enum EnsuredOrganization {
    /// It was not there, and was created.
    Created(CreatedOrganization),
    /// It was there already.
    Found(Organization),
}

impl EnsuredOrganization {
    /// The organization.
    #[must_use]
    pub fn organization(&self) -> &Organization {
        match self {
            Self::Created(created) => &created.organization,
            Self::Found(organization) => organization,
        }
    }
}

/// How long somebody else's creation is waited for before it is looked at again.
const AGAIN: Duration = Duration::from_millis(250);

/// Why an organization was not created. Nothing is left of it.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum CreateOrganizationError {
    /// Its name is taken or can't be used, or the host's records can't be changed.
    #[error(transparent)]
    Registry(#[from] RegistryError),
    /// What it was to begin with was refused.
    #[error(transparent)]
    Refused(#[from] ActionError),
}

impl Provisioner {
    /// Creates an organization: from now on its connector URL is served. If anything that it begins with is refused, it is
    /// not created, and nobody has seen it.
    ///
    /// # Errors
    /// [`CreateOrganizationError`] says why not.
    pub async fn create_organization(
        &self,
        new: NewOrganization,
    ) -> Result<CreatedOrganization, CreateOrganizationError> {
        let (id, now) = (new.id.clone(), self.clock().now());
        if !id.is_host()
            && let Some(generation) = self.registry().left(&id, now).await.map_err(RegistryError::from)?
        {
            self.delete(&id, Some(generation)).await?;
        }
        let organization = self.bound_organization(self.registry().begin(&id, now).await?);
        let Act { actor, source } = new.by.clone();
        let furnished = organization.clone().coming_from(source).acting_as(actor);
        let created = match furnish(&furnished, new).await {
            Ok(owner) => self.registry().complete(organization.id()).await.map(|()| owner).map_err(Into::into),
            Err(refused) => Err(refused.into()),
        };
        match created {
            Ok(owner) => Ok(CreatedOrganization { organization, owner }),
            Err(refused) => {
                // Not the one that somebody else may have created under this name meanwhile. What can't be removed now is
                // removed when an organization of this name is created again.
                if let Err(error) = self.delete(&id, Some(organization.id().generation())).await {
                    tracing::warn!(organization = %id, "what was begun of an organization is left: {error}");
                }
                Err(refused)
            }
        }
    }

    /// As [`Provisioner::create_organization`], unless the organization is there: then it is found and stays as it is, whatever
    /// `new` says. A host whose organization has to be there from its first start on calls this each time that it starts.
    ///
    /// A creation that another host has begun is waited for, which is logged. If that host was killed in the middle of it, what is
    /// left is removed five minutes after its beginning, and this call creates the organization: until then it does not return.
    ///
    /// # Errors
    /// As of [`Provisioner::create_organization`].
    pub async fn ensure_organization(
        &self,
        new: NewOrganization,
    ) -> Result<EnsuredOrganization, CreateOrganizationError> {
        let mut waits = false;
        loop {
            if let Some(found) = self.find_organization(&new.id).await.map_err(RegistryError::from)? {
                return Ok(EnsuredOrganization::Found(found));
            }
            match self.create_organization(new.clone()).await {
                Err(CreateOrganizationError::Registry(RegistryError::Exists(_))) => {
                    if !waits {
                        waits = true;
                        tracing::info!(
                            organization = %new.id,
                            "another start is creating the organization; if it was killed, what it has left is removed five \
                             minutes after it began"
                        );
                    }
                    tokio::time::sleep(AGAIN).await;
                }
                created => return created.map(EnsuredOrganization::Created),
            }
        }
    }
}

#[cfg(test)]
impl Provisioner {
    /// Registers an organization of which the component is told nothing: for components that are no real ones.
    pub(crate) async fn register(&self, id: &OrganizationId) -> Result<Organization, RegistryError> {
        let begun = self.registry().begin(id, self.clock().now()).await?;
        self.registry().complete(&begun).await?;
        Ok(self.bound_organization(begun))
    }
}

/// Tells the component all that the organization begins with.
async fn furnish(organization: &Organization, new: NewOrganization) -> Result<Option<Member>, ActionError> {
    organization.put(new.record).await?;
    if let Some(days) = new.retention_days {
        organization.set_retention(days).await?;
    }
    let Some(owner) = new.owner else { return Ok(None) };
    let owner = NewMember::new(owner.email, owner.display_name, Role::Owner, owner.passphrase);
    organization.add_member(owner).await.map(Some)
}
