//! Finds the member whom an identity provider means by a user that it creates (rule P3).

use serde_json::Value;

use super::known::Known;
use crate::protocol::document::Document;
use crate::store::{Origin, StoreError, primary_email};

/// The member who was found.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Match {
    /// The member's id.
    pub(super) id: String,
    /// The attribute that matches: `userName` or `emails`.
    pub(super) attribute: &'static str,
    /// The value that matches.
    pub(super) value: String,
}

/// The member with the user's userName, else the one with its email address, else the first one with another of its
/// addresses whom SCIM does not manage yet. Members may share an address that is not their primary one.
///
/// # Errors
/// If the storage can't answer.
pub(super) fn matched(known: &dyn Known, user: &Document) -> Result<Option<Match>, StoreError> {
    let user_name = user.get("userName").and_then(Value::as_str).unwrap_or_default();
    if let Some(id) = known.id_by_user_name(user_name)? {
        return Ok(Some(Match { id, attribute: "userName", value: user_name.to_owned() }));
    }
    let by_email = |id, address: &str| Match { id, attribute: "emails", value: address.to_owned() };
    let primary = primary_email(user);
    if let Some(address) = primary
        && let Some(id) = known.ids_by_email(&[address])?.pop().flatten()
    {
        return Ok(Some(by_email(id, address)));
    }
    let emails = user.get("emails").and_then(Value::as_array).into_iter().flatten();
    let addresses = emails.filter_map(|email| email.get("value")?.as_str());
    let others: Vec<&str> = addresses.filter(|address| Some(*address) != primary).collect();
    if others.is_empty() {
        return Ok(None);
    }
    for (id, address) in known.ids_by_email(&others)?.into_iter().zip(&others) {
        if let Some(id) = id
            && known.member(&id)?.is_some_and(|member| member.record.origin == Origin::Manual)
        {
            return Ok(Some(by_email(id, address)));
        }
    }
    Ok(None)
}
