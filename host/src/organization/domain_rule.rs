//! Whether only users of verified domains may be provisioned. The person who enables SCIM is asked this.

use super::{OptionChanges, Organization, OrganizationChange};
use crate::directory::OrganizationRecord;
use crate::error::ActionError;

/// The name of the option.
const OPTION: &str = "verified-domains-only";

/// The current rule.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct DomainRule {
    /// The domains that are verified.
    pub domains: Vec<String>,
    /// Whether only users of these domains may be provisioned.
    pub only: bool,
}

impl DomainRule {
    /// The domains as a part of a sentence. If they are many, only the first ones are named.
    pub fn named(&self) -> String {
        const MOST: usize = 5;
        let first = self.domains.iter().take(MOST).cloned().collect::<Vec<_>>().join(", ");
        match self.domains.len().saturating_sub(MOST) {
            0 if first.is_empty() => "verified domains".to_owned(),
            0 => first,
            more => format!("{first} and {more} more"),
        }
    }
}

impl From<&OrganizationRecord> for DomainRule {
    fn from(record: &OrganizationRecord) -> Self {
        let verified = record.domains.iter().filter(|domain| domain.verified);
        let domains = verified.map(|domain| domain.name.clone()).collect();
        Self { domains, only: record.options.verified_domains_only }
    }
}

#[allow(clippy::missing_errors_doc, reason = "see the type")]
impl Organization {
    /// Decides whether only users of verified domains may be provisioned; `None` leaves the rule as it is. Returns the rule as
    /// it is afterwards. Members who are already there stay.
    pub async fn decide_domains(&self, only: Option<bool>) -> Result<DomainRule, ActionError> {
        let mut rule = self.get().await?.as_ref().map(DomainRule::from).unwrap_or_default();
        if let Some(only) = only.filter(|only| *only != rule.only) {
            let mut options = OptionChanges::default();
            options.set(OPTION, only).map_err(|error| ActionError::Invalid(error.to_string()))?;
            self.change(OrganizationChange { options, ..OrganizationChange::default() }).await?;
            rule.only = only;
        }
        Ok(rule)
    }
}
