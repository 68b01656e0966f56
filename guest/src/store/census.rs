//! How far a count of members has come.

use serde::{Deserialize, Serialize};

/// How far the count of marked members has come. It is stored in the document of the organization, because who is
/// marked depends on the verified domains there: a change of a member requires that document unchanged.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Census {
    /// Members up to this id are counted, and those behind it are not yet; absent when all are counted.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub counted_to: Option<String>,
}

impl Census {
    /// Nobody is counted yet.
    #[must_use]
    pub fn begun() -> Self {
        Self { counted_to: Some(String::new()) }
    }

    /// Whether the member with this id is counted.
    #[must_use]
    pub fn counts(&self, id: &str) -> bool {
        self.counted_to.as_deref().is_none_or(|to| id <= to)
    }
}
