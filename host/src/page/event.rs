//! An event for people, and searches for events.

use std::collections::HashMap;

use serde::Deserialize;
use serde_json::Value;

use super::refusal::Refusal;
use super::when::{When, parse};
use super::words::{grouped, visible};
use crate::organization::Organization;

/// How many events one call reads.
pub(super) const PART: u32 = 500;
/// How many such calls may be made for the names of a list's events.
const LOOKS: usize = 8;

/// An event's document. Absent values are empty.
#[derive(Default, Deserialize)]
#[serde(default)]
struct Document {
    #[serde(rename = "type")]
    kind: String,
    time: String,
    actor: String,
    subject: Subject,
    data: Value,
}

/// The subject of an event, or the object of an act in the audit trail.
#[derive(Default, Deserialize)]
#[serde(default)]
pub(super) struct Subject {
    #[serde(rename = "type")]
    pub(super) kind: String,
    pub(super) id: Option<String>,
    pub(super) name: Option<String>,
}

/// An event.
pub(super) struct Event {
    pub(super) position: String,
    document: Document,
    pub(super) raw: String,
}

impl Event {
    /// The event; `None` if the JSON is not in the form that the component writes.
    pub(super) fn parse(event: &crate::event::Event) -> Option<Self> {
        let document = serde_json::from_str(&event.document).ok()?;
        let raw = serde_json::from_str::<Value>(&event.document).ok()?;
        let raw = visible(&serde_json::to_string_pretty(&raw).ok()?);
        Some(Self { position: event.position.clone(), document, raw })
    }

    /// The type, such as `member.created`.
    pub(super) fn kind(&self) -> &str {
        &self.document.kind
    }

    /// The title of the event, for people.
    pub(super) fn title(&self) -> String {
        match self.kind() {
            "member.created" => "Member created",
            "member.adopted" => "Member matched",
            "member.updated" => "Member updated",
            "member.deactivated" => "Member deactivated",
            "member.reactivated" => "Member reactivated",
            "member.deleted" => "Member deleted",
            "team.created" => "Team created",
            "team.updated" => "Team updated",
            "team.membership-changed" => "Team members changed",
            "team.deleted" => "Team deleted",
            "connector.enabled" => "SCIM enabled",
            "connector.disabled" => "SCIM disabled",
            "token.refreshed" => "Token refreshed",
            "token.expiring" => "Token expires soon",
            "token.expired" => "Token expired",
            "client-secret.expiring" => "OAuth client’s secret expires soon",
            "client-secret.expired" => "OAuth client’s secret expired",
            "setup-link.created" => "Set-up link made",
            "setup-link.revoked" => "Set-up link revoked",
            "setup-link.used" => "Set-up link used",
            "licences.exhausted" => "No seat was free",
            other => other,
        }
        .to_owned()
    }

    /// The name that people know for the subject.
    pub(super) fn name(&self) -> String {
        let subject = &self.document.subject;
        match (&subject.name, &subject.id, subject.kind.as_str()) {
            (Some(name), ..) => name.clone(),
            (None, Some(id), "token") => format!("Token {id}"),
            (None, Some(id), _) => id.clone(),
            (None, None, _) => String::new(),
        }
    }

    /// The id of the subject.
    pub(super) fn subject_id(&self) -> &str {
        self.document.subject.id.as_deref().unwrap_or_default()
    }

    /// The name of who made the change.
    pub(super) fn actor(&self) -> &str {
        match self.document.actor.as_str() {
            "scim" => "Identity provider",
            "admin" => "Administrator",
            "system" => "Insomnia",
            other => other,
        }
    }

    /// Whether the identity provider made the change.
    pub(super) fn is_by_scim(&self) -> bool {
        self.document.actor == "scim"
    }

    /// The look of the event.
    pub(super) fn tone(&self) -> &'static str {
        match self.kind() {
            "member.deactivated" | "token.expiring" | "client-secret.expiring" | "connector.disabled" => "warn",
            "member.deleted" | "team.deleted" | "token.expired" | "client-secret.expired" | "licences.exhausted" => {
                "bad"
            }
            "member.created" | "member.reactivated" | "team.created" | "connector.enabled" | "setup-link.used" => {
                "good"
            }
            "member.adopted" => "accent",
            _ => "off",
        }
    }

    /// A short summary of the change; empty if the title says everything.
    pub(super) fn summary(&self) -> String {
        let data = &self.document.data;
        let count = |name: &str| data.get(name).and_then(Value::as_u64).filter(|count| *count > 0);
        let names = |value: &Value| match value {
            Value::Object(changed) => changed.keys().cloned().collect::<Vec<_>>().join(", "),
            Value::Array(changed) => changed.iter().filter_map(Value::as_str).collect::<Vec<_>>().join(", "),
            _ => String::new(),
        };
        match self.kind() {
            "team.membership-changed" => {
                let added = count("addedCount").map(|count| format!("{} added", grouped(count)));
                let removed = count("removedCount").map(|count| format!("{} removed", grouped(count)));
                [added, removed].into_iter().flatten().collect::<Vec<_>>().join(", ")
            }
            "member.updated" | "team.updated" => {
                names(data.get("after").or_else(|| data.get("changed")).unwrap_or(&Value::Null))
            }
            "token.expiring" | "client-secret.expiring" => {
                count("daysLeft").map_or_else(String::new, |days| format!("{days} days left"))
            }
            "licences.exhausted" => count("seats").map_or_else(String::new, |seats| format!("of {}", grouped(seats))),
            "connector.enabled" | "setup-link.created" | "setup-link.used" => {
                data.get("identityProvider").and_then(Value::as_str).unwrap_or_default().to_owned()
            }
            _ => String::new(),
        }
    }

    /// The time at which it was written.
    pub(super) fn when(&self) -> When {
        When::bare(parse(&self.document.time).unwrap_or_else(|| time(&self.position)))
    }
}

/// The position just before all events of this moment: positions begin with the time, in sixteen hexadecimal digits,
/// and are ordered as text.
pub(super) fn before(time: u64) -> String {
    format!("{time:016x}00000000-0000-0000-0000-000000000000")
}

/// The time of a position, in milliseconds since the Unix epoch; 0 if the text is no position.
pub(super) fn time(position: &str) -> u64 {
    position.get(..16).and_then(|digits| u64::from_str_radix(digits, 16).ok()).unwrap_or(0)
}

/// The events at these positions that a few calls can find.
pub(super) async fn find(organization: &Organization, positions: &[&str]) -> Result<HashMap<String, Event>, Refusal> {
    let mut found = HashMap::new();
    let mut looks = 0;
    for position in positions {
        if found.contains_key(*position) || looks == LOOKS {
            continue;
        }
        looks += 1;
        let page = organization.events(Some(&before(time(position))), PART).await?;
        let events = page.items.iter().filter(|event| positions.contains(&event.position.as_str()));
        found.extend(events.filter_map(Event::parse).map(|event| (event.position.clone(), event)));
    }
    Ok(found)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn event(document: Value) -> Event {
        let document = document.to_string();
        Event::parse(&crate::event::Event { position: before(5), document }).unwrap()
    }

    #[test]
    fn a_position_is_found_from_its_time() {
        let position = "00000193a1b2c3d401a204d1-2f2f-743c-ba4b-9b70e99835a1";
        assert!(before(time(position)).as_str() < position);
        assert!(before(time(position) + 1).as_str() > position);
        assert_eq!(time("nonsense"), 0);
    }

    #[test]
    fn an_event_tells_in_words_what_changed() {
        let team = event(serde_json::json!({
            "type": "team.membership-changed", "actor": "scim", "subject": {"type": "team", "name": "Engineering"},
            "data": {"addedCount": 1200, "removedCount": 0},
        }));
        assert_eq!((team.name().as_str(), team.summary().as_str()), ("Engineering", "1,200 added"));
        assert_eq!(team.actor(), "Identity provider");
        let member =
            event(serde_json::json!({"type": "member.updated", "data": {"after": {"title": "x", "active": true}}}));
        assert_eq!(member.summary(), "title, active");
        assert_eq!(event(serde_json::json!({"type": "new.kind"})).title(), "new.kind");
    }
}
