//! The audit trail: what people, API keys and the operator did, newest first.

use askama::Template;
use axum::response::Html;
use serde::Deserialize;
use serde_json::Value;

use super::event::Subject;
use super::paging::Paging;
use super::query::{Query, query, typed};
use super::refusal::Refusal;
use super::shell::Shell;
use super::visit::Visit;
use super::when::{When, parse};
use super::words::visible;
use crate::journal::AuditQuery;

/// How many rows a page has.
const ROWS: u32 = 50;

/// An entry. Absent values are empty.
#[derive(Default, Deserialize)]
#[serde(default, rename_all = "camelCase")]
struct Entry {
    time: String,
    act: String,
    by: Person,
    face: String,
    address: Option<String>,
    credential: Option<String>,
    subject: Option<Subject>,
    before: Option<Value>,
    after: Option<Value>,
    refused: Option<String>,
}

#[derive(Default, Deserialize)]
#[serde(default)]
struct Person {
    #[serde(rename = "type")]
    kind: String,
    id: Option<String>,
}

impl Entry {
    fn when(&self) -> When {
        When::bare(parse(&self.time).unwrap_or(0))
    }

    /// The actor, for people.
    fn who(&self) -> String {
        let who = match (self.by.kind.as_str(), &self.by.id) {
            ("member", Some(id)) => visible(id),
            ("operator", _) => "the operator".to_owned(),
            // The act needs an owner, as enabling SCIM does.
            _ if self.face == "command-line" => "the operator, for the owner".to_owned(),
            _ => "the owner’s backend".to_owned(),
        };
        match &self.credential {
            Some(key) => format!("{who}, API key {}", visible(key)),
            None => who,
        }
    }

    /// The source of the act, for people.
    fn from(&self) -> String {
        let face = match self.face.as_str() {
            "page" => "SCIM page",
            "api" => "API",
            "command-line" => "command line",
            _ => "backend",
        };
        match &self.address {
            Some(address) => format!("{face}, {}", visible(address)),
            None => face.to_owned(),
        }
    }

    /// The object of the act.
    fn concerns(&self) -> String {
        let Some(subject) = &self.subject else { return String::new() };
        visible(subject.name.as_deref().or(subject.id.as_deref()).unwrap_or(&subject.kind))
    }

    fn before(&self) -> String {
        changed(self.before.as_ref())
    }

    fn after(&self) -> String {
        changed(self.after.as_ref())
    }
}

/// The value as JSON; empty if there is none.
fn changed(value: Option<&Value>) -> String {
    match value {
        None | Some(Value::Null) => String::new(),
        Some(Value::Object(object)) if object.is_empty() => String::new(),
        Some(value) => visible(&value.to_string()),
    }
}

#[derive(Template)]
#[template(path = "audit.html")]
struct AuditView {
    shell: Shell,
    text: String,
    entries: Vec<Entry>,
    paging: Paging,
}

/// The query.
#[derive(Deserialize)]
pub(super) struct AuditSearch {
    text: Option<String>,
    after: Option<String>,
}

/// `GET …/audit`.
pub(super) async fn list(Query(wanted): Query<AuditSearch>, visit: Visit) -> Result<Html<String>, Refusal> {
    let text = typed(wanted.text.as_ref()).filter(|text| !text.is_empty());
    let asked =
        AuditQuery { text: text.map(str::to_owned), after: wanted.after.clone(), limit: ROWS, ..AuditQuery::default() };
    let found = visit.organization.audit(asked).await?;
    let path = visit.path("audit");
    let page = AuditView {
        shell: visit.shell("Audit trail", "audit"),
        entries: found.entries.iter().filter_map(|json| serde_json::from_str(json).ok()).collect(),
        paging: Paging {
            first: wanted.after.as_ref().map(|_| format!("{path}{}", query(&[("text", text)]))),
            previous: None,
            next: found.next.map(|next| format!("{path}{}", query(&[("text", text), ("after", Some(&next))]))),
        },
        text: text.unwrap_or_default().to_owned(),
    };
    Ok(Html(page.render()?))
}
