//! The mass-deprovisioning guard: its thresholds, and the removals that it holds until an owner decides.

use askama::Template;
use axum::http::StatusCode;
use axum::response::{Html, IntoResponse, Redirect, Response};
use serde::Deserialize;

use super::confirm::{GUARD, Question};
use super::form::Posted;
use super::paging::Paging;
use super::query::{Query, query};
use super::refusal::Refusal;
use super::shell::Shell;
use super::visit::Visit;
use super::when::When;
use super::words::{counted, grouped};
use crate::guard::{Decision, Guard, HeldCounts, HeldMember, HeldRemoval, Removal};

/// How many rows a page has.
const ROWS: u32 = 100;

#[derive(Template)]
#[template(path = "guard.html")]
struct GuardPage {
    shell: Shell,
    error: Option<&'static str>,
    notice: Option<String>,
    on: bool,
    number: String,
    share: String,
    since: Option<When>,
    /// The numbers of waiting and decided removals, as a text.
    counts: Option<String>,
    /// Whether any removal waits.
    waiting: bool,
    held: Vec<Row>,
    paging: Paging,
}

struct Row {
    removal: HeldRemoval,
    email: String,
    user_name: String,
    what: &'static str,
    state: &'static str,
    when: When,
}

/// The query.
#[derive(Deserialize)]
pub(super) struct GuardQuery {
    after: Option<String>,
    done: Option<String>,
    /// How many removals the action concerned.
    count: Option<u64>,
}

/// `GET …/guard`.
pub(super) async fn show(Query(wanted): Query<GuardQuery>, visit: Visit) -> Result<Html<String>, Refusal> {
    let notice = wanted.done.as_deref().and_then(|what| done(what, wanted.count.unwrap_or(0)));
    Ok(Html(page(&visit, wanted.after.as_deref(), None, notice).await?))
}

/// The notice about what was done.
fn done(what: &str, count: u64) -> Option<String> {
    let removals = if count == 1 { "1 removal".to_owned() } else { format!("{} removals", grouped(count)) };
    Some(match what {
        "allowed" => format!("{removals} allowed. Your identity provider’s next try succeeds."),
        "refused" => {
            format!("{removals} refused. Those members keep their access, and your identity provider is told so.")
        }
        "set" => "The guard is on with these thresholds.".into(),
        "off" => "The guard is off. Held removals were dropped, and every removal is allowed.".into(),
        _ => return None,
    })
}

async fn page(
    visit: &Visit,
    after: Option<&str>,
    error: Option<&'static str>,
    notice: Option<String>,
) -> Result<String, Refusal> {
    let status = visit.organization.guard(None, 1).await?;
    let held = visit.organization.held(after, ROWS).await?;
    let path = visit.path("guard");
    let row = |HeldMember { removal, email, user_name }: HeldMember| Row {
        what: match removal.removal {
            Removal::Deactivate => "Deactivate",
            Removal::Delete => "Delete",
        },
        state: match removal.decision {
            None => "Waiting",
            Some(Decision::Allowed) => "Allowed",
            Some(Decision::Refused) => "Refused",
        },
        when: When::minute(removal.time),
        removal,
        email,
        user_name,
    };
    let text = |number: Option<u32>| number.map(|number| number.to_string()).unwrap_or_default();
    let guard = status.guard.as_ref();
    let page = GuardPage {
        shell: visit.shell("Guard", "guard"),
        error,
        notice,
        on: guard.is_some(),
        number: text(guard.and_then(|guard| guard.number)),
        share: text(guard.and_then(|guard| guard.share.map(u32::from))),
        since: status.holding_since.map(When::minute),
        counts: counts(held.counts),
        waiting: held.counts.deactivations + held.counts.deletions > 0,
        held: held.items.into_iter().map(row).collect(),
        paging: Paging {
            first: after.map(|_| path.clone()),
            previous: None,
            next: held.next.map(|next| format!("{path}{}", query(&[("after", Some(&next))]))),
        },
    };
    Ok(page.render()?)
}

/// A text such as `3 deactivations and 1 deletion wait. 2 let through, 1 refused.`; `None` if nothing is held.
pub(super) fn counts(counts: HeldCounts) -> Option<String> {
    let HeldCounts { deactivations, deletions, allowed, refused, at_least } = counts;
    let number = |count: u32| grouped(u64::from(count));
    let counted = |count: u32, what: &str| match count {
        0 => None,
        1 => Some(format!("1 {what}")),
        count => Some(format!("{} {what}s", number(count))),
    };
    let waiting: Vec<String> =
        [counted(deactivations, "deactivation"), counted(deletions, "deletion")].into_iter().flatten().collect();
    let verb = if deactivations + deletions == 1 { "waits" } else { "wait" };
    let waiting = (!waiting.is_empty()).then(|| format!("{} {verb}.", waiting.join(" and ")));
    let decided = (allowed + refused > 0).then(|| format!("{} allowed, {} refused.", number(allowed), number(refused)));
    let more = at_least.then(|| "There are more than these.".to_owned());
    let parts: Vec<String> = [waiting, decided, more].into_iter().flatten().collect();
    (!parts.is_empty()).then(|| parts.join(" "))
}

/// `POST …/guard`: sets the thresholds; no threshold switches the guard off.
pub(super) async fn set(Posted { visit, fields }: Posted) -> Result<Response, Refusal> {
    let number = fields.typed("number").map(|text| text.parse::<u32>().ok().filter(|number| *number > 0));
    let share = fields.typed("share").map(|text| text.parse::<u8>().ok().filter(|share| (1..100).contains(share)));
    if number == Some(None) || share == Some(None) {
        let error = "Enter a number of at least 1, and a share of 1 to 99 percent.";
        return Ok(
            (StatusCode::UNPROCESSABLE_ENTITY, Html(page(&visit, None, Some(error), None).await?)).into_response()
        );
    }
    let (number, share) = (number.flatten(), share.flatten());
    let guard = (number.is_some() || share.is_some()).then_some(Guard { number, share });
    if guard.is_none() && fields.raw("off") != "yes" {
        return ask_off(&visit).await;
    }
    visit.organization.set_guard(guard).await?;
    let done = if guard.is_some() { "guard?done=set" } else { "guard?done=off" };
    Ok(Redirect::to(&visit.path(done)).into_response())
}

/// Empty fields switch the guard off. That may be a mistake, so the view asks first.
async fn ask_off(visit: &Visit) -> Result<Response, Refusal> {
    let status = visit.organization.guard(None, 1).await?;
    if status.guard.is_none() {
        let error = "Enter a number, a share, or both. The guard is off.";
        return Ok(
            (StatusCode::UNPROCESSABLE_ENTITY, Html(page(visit, None, Some(error), None).await?)).into_response()
        );
    }
    let counts = visit.organization.held(None, 1).await?.counts;
    let waiting = usize::try_from(counts.deactivations + counts.deletions).unwrap_or(usize::MAX);
    let held = match counted(waiting, counts.at_least, "removal") {
        None => "Nothing is held now.".to_owned(),
        Some(count) => format!(
            "{count} that it holds are dropped: they succeed at your identity provider’s next \
            try."
        ),
    };
    let question = Question {
        fields: vec![("off", "yes".into())],
        points: vec![
            "Both fields are empty. From now on every deactivation and deletion is allowed, however many there are."
                .into(),
            held,
        ],
        no: "Keep it on",
        ..Question::new(GUARD, "guard", "Switch the guard off")
    };
    Ok(Html(question.page(visit, "Switch the guard off?")?).into_response())
}

/// `POST …/guard/decide`: for one member, or for all that wait.
pub(super) async fn decide(Posted { visit, fields }: Posted) -> Result<Redirect, Refusal> {
    let decision = if fields.raw("decision") == "allow" { Decision::Allowed } else { Decision::Refused };
    let members: Vec<String> = fields.typed("member").map(str::to_owned).into_iter().collect();
    let count = visit.organization.decide_held(&visit.member.id, decision, &members).await?;
    let done = if decision == Decision::Allowed { "allowed" } else { "refused" };
    Ok(Redirect::to(&visit.path(&format!("guard?done={done}&count={count}"))))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn c24_held_removals_are_counted_in_words() {
        let held = HeldCounts { deactivations: 1_200, deletions: 1, allowed: 2, ..HeldCounts::default() };
        let expected = "1,200 deactivations and 1 deletion wait. 2 allowed, 0 refused.";
        assert_eq!(counts(held).as_deref(), Some(expected));
        let one = HeldCounts { deletions: 1, at_least: true, ..HeldCounts::default() };
        assert_eq!(counts(one).as_deref(), Some("1 deletion waits. There are more than these."));
        assert_eq!(counts(HeldCounts::default()), None);
    }
}
