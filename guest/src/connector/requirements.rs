//! The requirements for enabling SCIM: the Enterprise plan, an owner or co-owner as the actor, a verified domain, and
//! single sign-on (rule P1). All unmet requirements are reported together.

use insomnia_scim_contract::{Actor, Requirement};

use super::actor::administrator;
use super::error::ConnectorError;
use crate::provisioning::administrators;
use crate::store::{OrganizationRecord, Plan, Store, StoreError};

/// The requirements that are not met for this actor.
///
/// # Errors
/// [`ConnectorError::NoOwner`] if the actor is the owner and no owner is active.
pub fn unmet_requirements(store: &Store, actor: impl Into<Actor>) -> Result<Vec<Requirement>, ConnectorError> {
    let actor = actor.into();
    if actor == Actor::Owner {
        administrator(store, &actor)?;
    }
    Ok(unmet(store, &actor)?)
}

/// Like [`unmet_requirements`], but a missing active owner is reported as one of the requirements.
///
/// # Errors
/// If the store can't answer.
pub fn unmet(store: &Store, actor: &Actor) -> Result<Vec<Requirement>, StoreError> {
    let organization = store.organization()?.map(|stored| stored.record).unwrap_or_default();
    Ok(unmet_by(&organization, administrators::administrator(store, actor)?.is_some()))
}

fn unmet_by(organization: &OrganizationRecord, by_administrator: bool) -> Vec<Requirement> {
    let checks = [
        (organization.plan == Plan::Enterprise, Requirement::EnterprisePlan),
        (by_administrator, Requirement::OwnerOrCoOwner),
        (organization.domains.iter().any(|domain| domain.verified), Requirement::VerifiedDomain),
        (organization.single_sign_on.is_some(), Requirement::SingleSignOn),
    ];
    checks.into_iter().filter(|(holds, _)| !holds).map(|(_, requirement)| requirement).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::store::Domain;

    #[test]
    fn p1_every_requirement_that_does_not_hold_is_told_at_once() {
        use Requirement::{EnterprisePlan, OwnerOrCoOwner, SingleSignOn, VerifiedDomain};
        let domain = |verified| vec![Domain { name: "example.com".into(), verified }];
        let okta = || Some("okta".to_owned());
        // Each case: the plan, whether an administrator acts, the domains, single sign-on, and the unmet requirements.
        let cases = [
            (Plan::Enterprise, true, domain(true), okta(), vec![]),
            (Plan::Enterprise, true, domain(false), okta(), vec![VerifiedDomain]),
            (Plan::Enterprise, true, vec![], okta(), vec![VerifiedDomain]),
            (Plan::Enterprise, true, domain(true), None, vec![SingleSignOn]),
            (Plan::Enterprise, false, domain(true), okta(), vec![OwnerOrCoOwner]),
            (Plan::Team, true, domain(true), okta(), vec![EnterprisePlan]),
            (Plan::Team, false, vec![], None, vec![EnterprisePlan, OwnerOrCoOwner, VerifiedDomain, SingleSignOn]),
        ];
        for (plan, by_administrator, domains, single_sign_on, missing) in cases {
            let organization = OrganizationRecord { plan, domains, single_sign_on, ..OrganizationRecord::default() };
            assert_eq!(unmet_by(&organization, by_administrator), missing, "{organization:?}");
        }
    }
}
