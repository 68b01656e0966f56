//! Changing some of what is known about an organization.

use std::collections::BTreeMap;

use serde::{Deserialize, Deserializer};
use serde_json::{Map, Value};
use utoipa::openapi::{RefOr, Schema};
use utoipa::{PartialSchema, ToSchema};

use super::Organization;
use crate::directory::{Domain, Options, OrganizationRecord, Plan};
use crate::error::ActionError;

/// The changes to an organization. A member that is absent leaves its value unchanged (RFC 7396).
#[derive(Clone, Debug, Default, PartialEq, Eq, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct OrganizationChange {
    /// Its name, as people call it: 1 to 1,000 bytes.
    #[serde(default, deserialize_with = "present")]
    #[schema(nullable = false, min_length = 1, max_length = 1_000)]
    pub name: Option<String>,
    /// The plan that it pays for.
    #[serde(default, deserialize_with = "present")]
    #[schema(nullable = false)]
    pub plan: Option<Plan>,
    /// How many active members the plan allows.
    #[serde(default, deserialize_with = "present")]
    #[schema(nullable = false)]
    pub seats: Option<u32>,
    /// Its domains. They replace those that are known.
    #[serde(default, deserialize_with = "present")]
    #[schema(nullable = false, max_items = 1_000)]
    pub domains: Option<Vec<Domain>>,
    /// The identity provider that single sign-on is configured for; `null` for none.
    #[serde(default, deserialize_with = "named")]
    #[schema(value_type = Option<String>)]
    pub single_sign_on: Option<Option<String>>,
    /// The options to change, by name.
    #[serde(default)]
    #[schema(value_type = OptionChanges, required = false)]
    pub options: OptionChanges,
}

impl OrganizationChange {
    /// The record after the change.
    ///
    /// # Errors
    /// [`ActionError::Invalid`] if an option can't have this value.
    pub(crate) fn apply(self, mut record: OrganizationRecord) -> Result<OrganizationRecord, ActionError> {
        record.name = self.name.unwrap_or(record.name);
        record.plan = self.plan.unwrap_or(record.plan);
        record.seats = self.seats.unwrap_or(record.seats);
        record.domains = self.domains.unwrap_or(record.domains);
        record.single_sign_on = self.single_sign_on.unwrap_or(record.single_sign_on);
        let options = self.options.apply(&record.options);
        record.options = options.map_err(|error| ActionError::Invalid(error.to_string()))?;
        Ok(record)
    }
}

/// Refuses `null` for a member that can't be removed.
fn present<'de, T: Deserialize<'de>, D: Deserializer<'de>>(deserializer: D) -> Result<Option<T>, D::Error> {
    T::deserialize(deserializer).map(Some)
}

/// Reads `null` as a value, which removes the member.
fn named<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Option<Option<String>>, D::Error> {
    Option::deserialize(deserializer).map(Some)
}

/// Options of an organization to turn on or off, by the names that they have in JSON.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct OptionChanges(Map<String, Value>);

/// Describes the options for the API's document: the properties of [`Options`], none of which is required or has a default.
/// With defaults, a generated client would send the default of each option that nobody named, and so undo other choices.
impl PartialSchema for OptionChanges {
    fn schema() -> RefOr<Schema> {
        let mut schema = <Options as PartialSchema>::schema();
        if let RefOr::T(Schema::Object(object)) = &mut schema {
            object.description = Some("Options to change, by name; the others stay as they are.".into());
            object.required.clear();
            object.default = None;
            for property in object.properties.values_mut() {
                if let RefOr::T(Schema::Object(property)) = property {
                    property.default = None;
                }
            }
        }
        schema
    }
}

impl ToSchema for OptionChanges {}

/// There is no option of this name.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("there is no option {0:?}; there are {all}", all = names().join(", "))]
pub struct UnknownOption(pub String);

/// The names of all options.
fn names() -> Vec<String> {
    let known = serde_json::to_value(Options::default()).unwrap_or_default();
    known.as_object().into_iter().flatten().map(|(name, _)| name.clone()).collect()
}

impl OptionChanges {
    /// Turns an option on or off.
    ///
    /// # Errors
    /// [`UnknownOption`] if no option has this name.
    pub fn set(&mut self, name: &str, on: bool) -> Result<(), UnknownOption> {
        let known = serde_json::to_value(Options::default()).unwrap_or_default();
        if known.get(name).is_none() {
            return Err(UnknownOption(name.to_owned()));
        }
        self.0.insert(name.to_owned(), on.into());
        Ok(())
    }

    /// Goes through the options' JSON form, so that a new option needs no code here.
    fn apply(self, options: &Options) -> Result<Options, serde_json::Error> {
        let mut value = serde_json::to_value(options)?;
        if let Some(value) = value.as_object_mut() {
            value.extend(self.0);
        }
        serde_json::from_value(value)
    }
}

impl<'de> Deserialize<'de> for OptionChanges {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let mut changes = Self::default();
        for (name, on) in BTreeMap::<String, bool>::deserialize(deserializer)? {
            changes.set(&name, on).map_err(serde::de::Error::custom)?;
        }
        Ok(changes)
    }
}

impl Organization {
    /// Changes some of the organization's data, and returns all of it. If two changes come at the same time, the later one may
    /// undo the other.
    ///
    /// # Errors
    /// [`ActionError::Conflict`] if nothing is known about the organization yet: call [`Organization::put`] first.
    pub async fn change(&self, change: OrganizationChange) -> Result<OrganizationRecord, ActionError> {
        let unknown =
            || ActionError::Conflict("there is no data about the organization yet: send all of it first".into());
        let before = self.get().await?.ok_or_else(unknown)?;
        let record = change.apply(before.clone())?;
        // A change that changes nothing is no act.
        if record != before {
            self.put(record.clone()).await?;
        }
        Ok(record)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn options_are_changed_by_name_and_unknown_ones_refused() {
        let mut changes = OptionChanges::default();
        changes.set("strict", true).unwrap();
        changes.set("passphrase-emails", false).unwrap();
        assert_eq!(changes.set("stric", true), Err(UnknownOption("stric".into())));
        let changed = changes.apply(&Options { list_manual: true, ..Options::default() }).unwrap();
        let expected = Options { strict: true, passphrase_emails: false, list_manual: true, ..Options::default() };
        assert_eq!(changed, expected);
    }
}
