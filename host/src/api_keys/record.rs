//! What is stored of an API key.
//!
//! Before keys had scopes and an expiry, the record had neither, and its `scope` named the holder: such a key is for everything
//! and does not expire. The record of a key that may do less has a `scope` that begins with `limited:`, which an earlier version
//! takes for a holder that it does not know: it refuses the key instead of letting it do everything.

use serde::{Deserialize, Serialize};

use super::{ApiKey, ApiKeyHolder, ApiKeyStatus, ApiScope};
use crate::capability::storage::{Item, StorageError};

/// What stands before the holder's name if the key may not do everything, or expires.
const LIMITED: &str = "limited:";

/// What is stored of a key. Times are milliseconds since the Unix epoch.
#[derive(Serialize, Deserialize)]
pub(super) struct Record {
    /// The holder's name, after [`LIMITED`] if there are limits.
    scope: String,
    #[serde(default)]
    generation: u64,
    pub(super) id: String,
    name: String,
    pub(super) created: u64,
    pub(super) last_used: Option<u64>,
    pub(super) revoked: Option<u64>,
    #[serde(skip_serializing_if = "Option::is_none")]
    limits: Option<Limits>,
}

#[derive(Serialize, Deserialize)]
struct Limits {
    /// By name: of those that a later version has added, this one lets nothing be done.
    scopes: Vec<String>,
    expires: Option<u64>,
}

/// A stored key, and where.
pub(super) struct Found {
    pub(super) at: Vec<u8>,
    pub(super) record: Record,
    pub(super) version: u64,
}

impl Record {
    pub(super) fn new(
        holder: &ApiKeyHolder,
        id: String,
        name: String,
        created: u64,
        scopes: &[ApiScope],
        expires: Option<u64>,
    ) -> Self {
        let unlimited = scopes.contains(&ApiScope::EVERYTHING) && expires.is_none();
        let limits = Limits { scopes: scopes.iter().map(ToString::to_string).collect(), expires };
        let prefix = if unlimited { "" } else { LIMITED };
        Self {
            scope: format!("{prefix}{}", holder.name()),
            generation: holder.generation(),
            id,
            name,
            created,
            last_used: None,
            revoked: None,
            limits: Some(limits).filter(|_| !unlimited),
        }
    }

    /// Whose it is; `None` if this version does not know.
    pub(super) fn holder(&self) -> Option<ApiKeyHolder> {
        let name = self.scope.strip_prefix(LIMITED).unwrap_or(&self.scope);
        ApiKeyHolder::parse(name, self.generation)
    }

    /// What the key lets its user do.
    pub(super) fn scopes(&self) -> Vec<ApiScope> {
        match &self.limits {
            Some(limits) => limits.scopes.iter().filter_map(|scope| scope.parse().ok()).collect(),
            // An earlier version has written the record again, and has lost its limits.
            None if self.scope.starts_with(LIMITED) => Vec::new(),
            None => vec![ApiScope::EVERYTHING],
        }
    }

    /// When it expires; `None` for never.
    pub(super) fn expires(&self) -> Option<u64> {
        self.limits.as_ref().and_then(|limits| limits.expires)
    }

    /// Since when the key opens nothing; `None` if it is valid.
    pub(super) fn over(&self, now: u64) -> Option<u64> {
        self.revoked.or_else(|| self.expires().filter(|expires| *expires <= now))
    }

    /// As everybody may see it.
    pub(super) fn view(&self, now: u64) -> ApiKey {
        let status = match (self.revoked, self.over(now)) {
            (Some(_), _) => ApiKeyStatus::Revoked,
            (None, Some(_)) => ApiKeyStatus::Expired,
            (None, None) => ApiKeyStatus::Valid,
        };
        ApiKey {
            id: self.id.clone(),
            name: self.name.clone(),
            status,
            scopes: self.scopes(),
            created: self.created,
            expires: self.expires(),
            last_used: self.last_used,
            revoked: self.revoked,
        }
    }
}

pub(super) fn encode(record: &Record) -> Result<Vec<u8>, StorageError> {
    serde_json::to_vec(record).map_err(|error| StorageError::Other(error.to_string()))
}

pub(super) fn decode(at: Vec<u8>, item: &Item) -> Result<Found, StorageError> {
    let record = serde_json::from_slice(&item.value).map_err(|error| {
        StorageError::Other(format!("the record of an API key is not what this host wrote: {error}"))
    })?;
    Ok(Found { at, record, version: item.version })
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;
    use crate::capability::storage::OrganizationId;

    fn acme() -> ApiKeyHolder {
        ApiKeyHolder::Organization(OrganizationId::parse("acme").unwrap().with_generation(7))
    }

    fn stored(value: serde_json::Value) -> Record {
        let item = Item { value: value.to_string().into(), version: 1 };
        decode(Vec::new(), &item).unwrap().record
    }

    #[test]
    fn a_key_stored_before_there_were_scopes_is_for_everything_and_stays_as_it_is() {
        let before = json!({
            "scope": "acme", "generation": 7,
            "id": "0011223344556677", "name": "deploy", "created": 5, "last_used": 60_000, "revoked": null,
        });
        let record = stored(before.clone());
        assert_eq!((record.holder(), record.scopes()), (Some(acme()), vec![ApiScope::EVERYTHING]));
        assert_eq!((record.expires(), record.over(u64::MAX)), (None, None));
        assert_eq!(serde_json::to_value(&record).unwrap(), before);
        let made = Record::new(&acme(), "a".into(), "b".into(), 5, &[ApiScope::EVERYTHING], None);
        assert_eq!(serde_json::to_value(&made).unwrap()["scope"], "acme", "an earlier version accepts it");
    }

    #[test]
    fn an_earlier_version_does_not_know_the_holder_of_a_key_with_limits() {
        let read: ApiScope = "members:read".parse().unwrap();
        for (scopes, expires) in [(vec![read], None), (vec![ApiScope::EVERYTHING], Some(9))] {
            let record = Record::new(&acme(), "a".into(), "b".into(), 5, &scopes, expires);
            let value = serde_json::to_value(&record).unwrap();
            assert_eq!(ApiKeyHolder::parse(value["scope"].as_str().unwrap(), 7), None, "{value}");
            let again = stored(value.clone());
            assert_eq!((again.holder(), again.scopes(), again.expires()), (Some(acme()), scopes, expires));
            // It knows the rest, and may revoke the key: then the limits are gone, and nothing is open.
            let mut lost = value;
            lost.as_object_mut().unwrap().remove("limits");
            assert_eq!(stored(lost).scopes(), []);
        }
    }

    #[test]
    fn a_scope_that_is_not_known_lets_nothing_be_done() {
        let record = stored(json!({
            "scope": "limited:_operator", "id": "a", "name": "b", "created": 5, "last_used": null, "revoked": null,
            "limits": {"scopes": ["tomorrow:write", "logs:read"], "expires": null},
        }));
        assert_eq!(record.holder(), Some(ApiKeyHolder::Operator));
        assert_eq!(record.scopes(), ["logs:read".parse().unwrap()]);
    }

    #[test]
    fn a_key_is_valid_until_it_expires_or_is_revoked() {
        let mut record = Record::new(&acme(), "a".into(), "b".into(), 5, &[ApiScope::EVERYTHING], Some(9));
        assert_eq!((record.view(8).status, record.over(8)), (ApiKeyStatus::Valid, None));
        assert_eq!((record.view(9).status, record.over(9)), (ApiKeyStatus::Expired, Some(9)));
        record.revoked = Some(7);
        assert_eq!((record.view(9).status, record.over(9)), (ApiKeyStatus::Revoked, Some(7)));
    }
}
