//! The preview: the results of the first sync so far, and what provisioning a list of users would do.

use askama::Template;
use axum::http::StatusCode;
use axum::response::{Html, IntoResponse, Response};
use serde_json::{Value, json};

use super::event::{Event, PART, before};
use super::form::Posted;
use super::refusal::Refusal;
use super::shell::Shell;
use super::visit::Visit;
use super::words::grouped;
use crate::directory::Member;
use crate::error::ActionError;
use crate::guard::{Preview, PreviewOutcome, PreviewedUser};

/// The largest form with a list, in bytes.
pub(super) const MAX_LIST: usize = 1 << 20;
/// How many rows a table has.
const ROWS: usize = 200;
/// How many calls may read events in search of adopted members.
const PARTS: usize = 20;

#[derive(Template)]
#[template(path = "preview.html")]
struct PreviewPage {
    shell: Shell,
    error: Option<String>,
    list: String,
    /// The preview of the list; `None` if there is no list.
    result: Option<Outcome>,
    so_far: Option<SoFar>,
    /// The members who stay manual; `None` if there are too many to count.
    left: Option<Left>,
}

/// The preview of a list.
struct Outcome {
    creates: String,
    adopts: String,
    exists: String,
    refuses: String,
    refused: bool,
    seats: String,
    taken: String,
    after: String,
    /// How many seats are missing, as a sentence.
    missing: Option<String>,
    rows: Vec<Row>,
    more: Option<String>,
}

struct Row {
    user: PreviewedUser,
    what: (&'static str, &'static str),
}

/// The results so far.
struct SoFar {
    matched: String,
    created: String,
    /// Whether there are more events than were read.
    at_least: bool,
    rows: Vec<Event>,
}

/// Active members whom people manage.
struct Left {
    count: String,
    members: Vec<Member>,
    more: Option<String>,
}

/// `GET …/preview`.
pub(super) async fn show(visit: Visit) -> Result<Html<String>, Refusal> {
    Ok(Html(so_far(&visit, "", None).await?))
}

/// `POST …/preview`: changes nothing.
pub(super) async fn preview(Posted { visit, fields }: Posted) -> Result<Response, Refusal> {
    let list = fields.raw("users");
    let error = match users(list) {
        None => "Paste a list first.".to_owned(),
        Some(users) => match visit.organization.preview(users).await {
            Ok(preview) => return Ok(Html(outcome(&visit, list, preview)?).into_response()),
            Err(ActionError::Invalid(text)) => format!("The list can’t be read: {text}."),
            Err(ActionError::Call(_)) => "This took too long. Preview a part of the list.".to_owned(),
            Err(error) => return Err(error.into()),
        },
    };
    Ok((StatusCode::UNPROCESSABLE_ENTITY, Html(so_far(&visit, list, Some(error)).await?)).into_response())
}

/// The list in the component's form: JSON stays as it is, other text has one email address in each line.
fn users(list: &str) -> Option<String> {
    let list = list.trim();
    if list.is_empty() {
        return None;
    }
    if list.starts_with(['[', '{']) {
        return Some(list.to_owned());
    }
    let entries = list.split(['\n', ',', ';']).map(str::trim).filter(|entry| !entry.is_empty());
    let user = |entry: &str| {
        let address = entry.rsplit_once('<').map_or(entry, |(_, address)| address.trim_end_matches('>')).trim();
        json!({ "userName": address, "emails": [{ "value": address, "primary": true }] })
    };
    serde_json::to_string(&entries.map(user).collect::<Vec<Value>>()).ok()
}

fn outcome(visit: &Visit, list: &str, preview: Preview) -> Result<String, Refusal> {
    let count = |outcome: PreviewOutcome| preview.users.iter().filter(|user| user.outcome == outcome).count();
    let refused = count(PreviewOutcome::Refuses);
    let seats = u64::from(preview.seats);
    let result = Outcome {
        creates: number(count(PreviewOutcome::Creates)),
        adopts: number(count(PreviewOutcome::Adopts)),
        exists: number(count(PreviewOutcome::Exists)),
        refuses: number(refused),
        refused: refused > 0,
        seats: grouped(seats),
        taken: grouped(preview.taken),
        after: grouped(preview.taken_after),
        missing: (preview.seats_missing > 0).then(|| grouped(preview.seats_missing)),
        more: rest(preview.users.len()),
        rows: Vec::new(),
    };
    let left = Some(left(preview.left_manual, preview.left_manual_count));
    let row = |user: PreviewedUser| Row {
        what: match user.outcome {
            PreviewOutcome::Creates => ("Created", "good"),
            PreviewOutcome::Adopts => ("Matched", "accent"),
            PreviewOutcome::Exists => ("Managed already", "off"),
            PreviewOutcome::Refuses => ("Refused", "bad"),
        },
        user,
    };
    let result = Outcome { rows: preview.users.into_iter().take(ROWS).map(row).collect(), ..result };
    let shell = visit.shell("Preview", "preview");
    let page = PreviewPage { shell, error: None, list: list.to_owned(), result: Some(result), so_far: None, left };
    Ok(page.render()?)
}

async fn so_far(visit: &Visit, list: &str, error: Option<String>) -> Result<String, Refusal> {
    let left = match visit.organization.preview("[]".to_owned()).await {
        Ok(nobody) => Some(left(nobody.left_manual, nobody.left_manual_count)),
        // The rest of the view is shown even if the members are too many to be listed.
        Err(ActionError::Call(error)) => {
            tracing::warn!("the members who stay manual can't be listed: {error}");
            None
        }
        Err(error) => return Err(error.into()),
    };
    let (mut matched, mut created, mut rows) = (0, 0, Vec::new());
    let mut after = before(0);
    let mut at_least = true;
    for _ in 0..PARTS {
        let page = visit.organization.events(Some(&after), PART).await?;
        for event in page.items.iter().filter_map(Event::parse) {
            match event.kind() {
                "member.created" if event.is_by_scim() => created += 1,
                "member.adopted" => {
                    matched += 1;
                    if rows.len() < ROWS {
                        rows.push(event);
                    }
                }
                _ => {}
            }
        }
        let Some(next) = page.next else {
            at_least = false;
            break;
        };
        after = next;
    }
    let so_far = SoFar { matched: number(matched), created: number(created), at_least, rows };
    let shell = visit.shell("Preview", "preview");
    Ok(PreviewPage { shell, error, list: list.to_owned(), result: None, so_far: Some(so_far), left }.render()?)
}

fn left(members: Vec<Member>, count: u64) -> Left {
    let more = rest(usize::try_from(count).unwrap_or(usize::MAX));
    Left { count: grouped(count), members: members.into_iter().take(ROWS).collect(), more }
}

/// How many rows are left out.
fn rest(count: usize) -> Option<String> {
    (count > ROWS).then(|| number(count - ROWS))
}

fn number(count: usize) -> String {
    grouped(u64::try_from(count).unwrap_or(u64::MAX))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_list_is_json_or_an_address_on_every_line() {
        let read = |list: &str| users(list).map(|json| serde_json::from_str::<Value>(&json).unwrap());
        let user = |address: &str| json!({ "userName": address, "emails": [{ "value": address, "primary": true }] });
        let both = json!([user("a@x.example"), user("b@x.example")]);
        assert_eq!(read("a@x.example\r\n\r\n Bee <b@x.example> \n"), Some(both.clone()));
        assert_eq!(read("a@x.example, b@x.example;"), Some(both));
        assert_eq!(read(" [{\"userName\": \"c\"}] "), Some(json!([{ "userName": "c" }])));
        assert_eq!(read(" \n "), None);
    }
}
