//! `org set`: changes settings of one organization, or of all that meet conditions.

use anyhow::{Context as _, ensure};
use serde_json::{Value, json};

use super::component::{self, Chosen};
use super::config::Settings;
use super::{host, output};
use crate::capability::storage::OrganizationId;
use crate::fleet::FleetFilter;
use crate::organization::{Organization, OrganizationChange};
use crate::provisioner::Provisioner;
use crate::quota::Quota;
use crate::registry::ComponentId;

/// How many organizations are read at a time.
const PAGE: u32 = 100;

/// The settings to be set.
#[derive(Clone)]
pub(super) struct Wanted {
    pub(super) change: OrganizationChange,
    /// Quotas and their new limits; `None` for the default limit.
    pub(super) quotas: Vec<(Quota, Option<u64>)>,
    pub(super) retention: Option<u32>,
    pub(super) component: Option<Pinned>,
}

/// The component to which an organization is to be pinned.
#[derive(Clone)]
pub(super) enum Pinned {
    Default,
    Former,
    Stored(ComponentId),
}

impl Pinned {
    /// Stores the chosen file, if it is one, once for all organizations.
    pub(super) async fn of(provisioner: &Provisioner, chosen: Chosen) -> anyhow::Result<Self> {
        Ok(match chosen {
            Chosen::Default => Self::Default,
            Chosen::Former => Self::Former,
            Chosen::File(file) => Self::Stored(component::store(provisioner, &file).await?),
        })
    }

    fn shown(&self) -> String {
        match self {
            Self::Default => "default".into(),
            Self::Former => "former".into(),
            Self::Stored(id) => id.to_string(),
        }
    }
}

impl Wanted {
    /// Sets all of these settings for the organization.
    pub(super) async fn set(self, organization: &Organization) -> anyhow::Result<()> {
        // The component is set first: if the present one is broken, the organization answers no other call.
        match self.component {
            Some(Pinned::Default) => drop(organization.set_pin(None).await?),
            Some(Pinned::Former) => drop(organization.roll_back().await?),
            Some(Pinned::Stored(component)) => drop(organization.set_pin(Some(component)).await?),
            None => {}
        }
        for (quota, limit) in self.quotas {
            organization.set_quota(quota, limit).await?;
        }
        if let Some(days) = self.retention {
            organization.set_retention(days).await?;
        }
        if self.change != OrganizationChange::default() {
            organization.change(self.change).await?;
        }
        Ok(())
    }

    /// The settings whose value would change: the name, the present value, and the new one.
    async fn differences(&self, organization: &Organization) -> anyhow::Result<Vec<(String, Value, Value)>> {
        let mut differences = Vec::new();
        if self.change != OrganizationChange::default() {
            let before = organization.get().await?.context("nothing is known about the organization yet")?;
            let after = self.change.clone().apply(before.clone())?;
            differ("", &serde_json::to_value(before)?, &serde_json::to_value(after)?, &mut differences);
        }
        let limits = organization.quotas().await?;
        for (quota, limit) in &self.quotas {
            let (is, becomes) = (limits.limit(*quota), limit.map_or(json!("default"), Value::from));
            if becomes != json!(is) {
                differences.push((format!("quota {quota}"), json!(is), becomes));
            }
        }
        if let Some(days) = self.retention {
            let is = organization.retention().await?;
            if days != is {
                differences.push(("retention".into(), json!(is), json!(days)));
            }
        }
        if let Some(component) = &self.component {
            let is = organization.pin().await?.component.map_or("default".to_owned(), |id| id.to_string());
            if component.shown() != is {
                differences.push(("component".into(), json!(is), json!(component.shown())));
            }
        }
        Ok(differences)
    }
}

/// Adds the fields that differ. A field of an object has the name of the object before its own.
fn differ(name: &str, before: &Value, after: &Value, differences: &mut Vec<(String, Value, Value)>) {
    match (before, after) {
        (Value::Object(before), Value::Object(after)) => {
            for (field, value) in after {
                let name = if name.is_empty() { field.clone() } else { format!("{name} {field}") };
                differ(&name, before.get(field).unwrap_or(&Value::Null), value, differences);
            }
        }
        (before, after) if before != after => differences.push((name.to_owned(), before.clone(), after.clone())),
        _ => {}
    }
}

/// Sets these settings for all organizations that the filter lets through, or shows what that would change. If one
/// organization can't be changed, the others are changed nevertheless.
pub(super) async fn set_many(
    provisioner: &Provisioner,
    settings: &Settings,
    filter: FleetFilter,
    wanted: &Wanted,
    applies: bool,
) -> anyhow::Result<()> {
    let (mut lines, mut failed, mut changed) = (Vec::new(), 0_usize, 0_usize);
    let mut after = None::<OrganizationId>;
    loop {
        let page = provisioner.fleet(after.as_ref(), PAGE).await?;
        let Some(last) = page.last() else { break };
        after = Some(OrganizationId::parse(&last.id)?);
        for standing in page.iter().filter(|standing| filter.lets_through(standing)) {
            let line =
                |(setting, from, to)| json!({"organization": standing.id, "setting": setting, "from": from, "to": to});
            let outcome = async {
                let organization = host::organization(provisioner, &standing.id).await?;
                let differences = wanted.differences(&organization).await?;
                let differs = !differences.is_empty();
                lines.extend(differences.into_iter().map(line));
                if applies && differs {
                    wanted.clone().set(&organization).await?;
                }
                Ok::<_, anyhow::Error>(differs)
            };
            match outcome.await {
                Ok(differs) => changed += usize::from(differs),
                Err(error) => {
                    failed += 1;
                    lines.push(json!({"organization": standing.id, "setting": "error", "to": format!("{error:#}")}));
                }
            }
        }
    }
    output::table(settings.json, &lines, &["organization", "setting", "from", "to"]);
    if !applies {
        ensure!(
            failed == 0,
            "{failed} organizations could not be looked at; of the others, {changed} would be changed"
        );
        output::complain(&format!(
            "{changed} organizations would be changed, and nothing was; add --apply to change them\n"
        ));
    }
    ensure!(failed == 0, "{failed} organizations could not be changed, and {changed} were");
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn p9_a_dry_run_names_each_setting_that_differs_and_no_other() {
        let before = json!({"seats": 5, "name": "Acme", "options": {"strict": false, "list-manual": true}});
        let after = json!({"seats": 9, "name": "Acme", "options": {"strict": true, "list-manual": true}});
        let mut differences = Vec::new();
        differ("", &before, &after, &mut differences);
        let expected = [("seats", json!(5), json!(9)), ("options strict", json!(false), json!(true))];
        assert_eq!(differences, expected.map(|(name, from, to)| (name.to_owned(), from, to)));
    }
}
