//! Creates an organization with everything that it begins with, or not at all.

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
    /// Its data.
    pub record: OrganizationRecord,
    /// Its owner. Without one, nobody can enable SCIM before a member with the role `owner` is added.
    pub owner: Option<Owner>,
    /// For how many days the log of SCIM requests, events and parked emails are kept. The default is 90.
    pub retention_days: Option<u32>,
    /// Its creator and the source of the act, for the first entry of its audit trail. If the command line gives the
    /// owner's passphrase, a terminal has shown it, so the owner must change it at the first sign-in.
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
    /// Name. The default is the email address.
    pub display_name: Option<String>,
    /// The passphrase for the owner's sign-in: at least 12 characters. Without it one is generated and emailed to the owner.
    #[schema(min_length = 12, format = Password)]
    pub passphrase: Option<String>,
}

impl NewOrganization {
    /// An organization with this data alone. An owner and the retention can be added.
    pub fn new(id: OrganizationId, record: OrganizationRecord) -> Self {
        Self { id, record, owner: None, retention_days: None, by: Act::of_backend() }
    }
}

/// An organization that was created.
pub struct CreatedOrganization {
    /// The organization.
    pub organization: Organization,
    /// Its owner, if [`NewOrganization::owner`] named one.
    pub owner: Option<Member>,
}

/// An organization that exists now, whoever created it.
pub enum EnsuredOrganization {
    /// It did not exist, and was created.
    Created(CreatedOrganization),
    /// It existed already.
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

/// How long to wait for another creation before checking again.
const AGAIN: Duration = Duration::from_millis(250);

/// The reason why an organization was not created. Nothing is left of it.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum CreateOrganizationError {
    /// Its name is taken or can't be used, or the host's records can't be changed.
    #[error(transparent)]
    Registry(#[from] RegistryError),
    /// A part that it was to begin with was refused.
    #[error(transparent)]
    Refused(#[from] ActionError),
}

impl Provisioner {
    /// Creates an organization and serves its connector URL from now on. If any part of `new` is refused, the organization is
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
                // Only this organization is removed, not one that somebody else may have created under this name
                // meanwhile. If something can't be removed now, it is removed when an organization of this name is
                // created again.
                if let Err(error) = self.delete(&id, Some(organization.id().generation())).await {
                    tracing::warn!(organization = %id, "an organization could not be created, and its remains could not be removed: {error}");
                }
                Err(refused)
            }
        }
    }

    /// Like [`Provisioner::create_organization`], unless the organization exists: then it is found and stays as it is,
    /// whatever `new` says. A host that needs an organization from its first start on calls this at every start.
    ///
    /// If another host has begun to create the organization, this call waits, and logs that it waits. If that host was killed
    /// during the creation, its remains are removed five minutes after it began. Then this call creates the organization and
    /// returns.
    ///
    /// # Errors
    /// Those of [`Provisioner::create_organization`].
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
    /// Registers an organization without telling the component about it: for components that are not real ones.
    pub(crate) async fn register(&self, id: &OrganizationId) -> Result<Organization, RegistryError> {
        let begun = self.registry().begin(id, self.clock().now()).await?;
        self.registry().complete(&begun).await?;
        Ok(self.bound_organization(begun))
    }
}

/// Sends the component everything with which the organization begins.
async fn furnish(organization: &Organization, new: NewOrganization) -> Result<Option<Member>, ActionError> {
    organization.put(new.record).await?;
    if let Some(days) = new.retention_days {
        organization.set_retention(days).await?;
    }
    let Some(owner) = new.owner else { return Ok(None) };
    let owner = NewMember::new(owner.email, owner.display_name, Role::Owner, owner.passphrase);
    organization.add_member(owner).await.map(Some)
}
