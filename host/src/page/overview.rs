//! The first view: whether SCIM is enabled, what is missing for it, the state of the token, and the use of licences.

use askama::Template;
use axum::response::Html;
use insomnia_scim_contract::Overview;
use serde::Deserialize;

use super::entry::LogRow;
use super::identity_provider as names;
use super::query::Query;
use super::refusal::Refusal;
use super::shell::Shell;
use super::visit::{Visit, Visitor};
use super::when::{When, distance};
use super::words::{NO_MAIL, grouped, renewal};
use crate::condition::Trouble;
use crate::connector::{ConnectorStatus, TokenStatus};
use crate::directory::{Licences, MarkedMembers, Plan, Requirement};
use crate::event::Webhook;
use crate::oauth::RefreshState;
use crate::organization::record;

/// How many log lines are shown here.
const RECENT: u32 = 6;

#[derive(Template)]
#[template(path = "overview.html")]
struct OverviewPage {
    shell: Shell,
    notice: Option<&'static str>,
    banners: Vec<Banner>,
    badge: Badge,
    enabled: bool,
    requirements: Vec<Check>,
    unmet: usize,
    connector_url: String,
    token: Token,
    renewal: String,
    licences: Seats,
    /// Sentences about marked members, with their numbers.
    marks: Vec<String>,
    recent: Vec<String>,
}

/// An important message.
struct Banner {
    tone: &'static str,
    title: &'static str,
    text: String,
    /// The path and the label of the link that helps.
    action: Option<(String, &'static str)>,
}

/// The state as a word.
struct Badge {
    tone: &'static str,
    text: &'static str,
}

/// A requirement, and how to meet it.
struct Check {
    met: bool,
    title: &'static str,
    now: String,
    to_do: &'static str,
}

#[derive(Default)]
struct Token {
    identity_provider: String,
    window: &'static str,
    created: Option<When>,
    expires: Option<When>,
    left: String,
    last_used: Option<When>,
    used_ago: String,
    overlap_until: Option<When>,
    generation: u32,
}

/// The seats and who takes them; widths are thousandths of the bar.
struct Seats {
    seats: String,
    used: String,
    free: String,
    over: Option<String>,
    manual: String,
    scim: String,
    manual_width: u64,
    scim_width: u64,
}

/// The query.
#[derive(Deserialize)]
pub(super) struct OverviewQuery {
    done: Option<String>,
}

/// `GET …/scim`.
pub(super) async fn show(Query(wanted): Query<OverviewQuery>, visitor: Visitor) -> Result<Html<String>, Refusal> {
    // This call also tells who the visitor is, so it is the only view that asks for everything at once.
    let mut overview = visitor.organization.overview(&visitor.session.actor, RECENT).await?;
    let visit = visitor.admit(overview.member.take(), overview.organization.take().map(record).transpose()?)?;
    let (now, home) = (visit.state.now(), visit.home());
    let notice = match wanted.done.as_deref() {
        Some("disabled") => Some("SCIM is disabled. No member and no team was changed."),
        Some("stored") => Some("The new token is in use. Requests with it appear in the log."),
        _ => None,
    };
    let trouble = visit.state.provisioner.trouble().await;
    // The rest of the view is useful without these numbers.
    let marked = visit.organization.marked_members().await.unwrap_or_default();
    let rows = LogRow::all(&home, &overview.log);
    let view = OverviewPage {
        shell: visit.shell("SCIM", ""),
        notice,
        banners: banners(&visit, &overview, trouble, now),
        badge: badge(&overview.connector),
        enabled: overview.connector.enabled,
        requirements: requirements(&visit, &overview.unmet_requirements),
        unmet: overview.unmet_requirements.len(),
        connector_url: visit.organization.connector_url(),
        renewal: renewal(&overview.refresh, now),
        token: token(&overview.connector, now),
        licences: seats(overview.licences),
        marks: marks(marked),
        recent: rows.iter().map(Template::render).collect::<Result<_, _>>()?,
    };
    Ok(Html(view.render()?))
}

fn badge(status: &ConnectorStatus) -> Badge {
    let (tone, text) = match status.status {
        TokenStatus::Valid => ("good", "Enabled"),
        TokenStatus::ExpiringSoon => ("warn", "Token expires soon"),
        TokenStatus::Expired => ("bad", "Token expired"),
        TokenStatus::Disabled => ("off", "Disabled"),
    };
    Badge { tone, text }
}

fn banners(visit: &Visit, overview: &Overview, trouble: Option<Trouble>, now: u64) -> Vec<Banner> {
    let (status, licences, refresh_status) = (&overview.connector, overview.licences, &overview.refresh);
    let refresh = || Some((visit.path("refresh"), "Refresh token"));
    let mut banners = Vec::new();
    if let Some(trouble) = trouble {
        let text = match trouble {
            Trouble::StorageFull => {
                "The server's storage is full. Stored data can still be read, but every change is refused until the \
                 operator of this server makes room."
            }
            _ => "The operator of this server finds the reason in its log. Until then changes may be refused.",
        };
        banners.push(Banner { tone: "bad", title: "This server can't save changes", text: text.into(), action: None });
    }
    if status.status == TokenStatus::Expired {
        let text = "Every request of your identity provider is refused. Nobody loses access because of it, but nothing \
                    is provisioned or deprovisioned until the token is refreshed.";
        banners.push(Banner { tone: "bad", title: "Syncing has stopped", text: text.into(), action: refresh() });
    }
    if status.status == TokenStatus::ExpiringSoon {
        let left = status.expires.map_or_else(String::new, |expires| distance(now, expires));
        let text = format!("It expires in {left}. Syncing stops then, until a new token is in your identity provider.");
        banners.push(Banner { tone: "warn", title: "The token expires soon", text, action: refresh() });
    }
    if licences.manual + licences.scim >= u64::from(licences.seats) && !visit.record.options.allow_overage {
        let text = "New members from your identity provider are refused until a seat is free. Deactivate members, or \
                    add seats to your plan.";
        let action = Some((visit.path("members/without-seat"), "People without a seat"));
        banners.push(Banner { tone: "warn", title: "No seats left", text: text.into(), action });
    }
    let used = licences.manual + licences.scim;
    if used > u64::from(licences.seats) && visit.record.options.allow_overage {
        let over = grouped(used - u64::from(licences.seats));
        let text = format!("{over} more than your plan has. New members are still accepted, and counted.");
        let action = Some((visit.path("members"), "Show members"));
        banners.push(Banner { tone: "warn", title: "More seats are taken than you have", text, action });
    }
    if overview.holding_since.is_some() {
        let text = "Your identity provider wants to deactivate or delete many members at once. Decide whether it may.";
        let action = Some((visit.path("guard"), "Decide"));
        banners.push(Banner { tone: "warn", title: "Removals are held", text: text.into(), action });
    }
    for (parked, title) in [
        (overview.emails_parked, "Some emails could not be sent"),
        (overview.events_parked, "The webhook did not accept some events"),
    ] {
        if parked {
            let text = "They were tried for three days, or can’t be tried at all. You can send them again.";
            let action = Some((visit.path("deliveries"), "Show them"));
            banners.push(Banner { tone: "warn", title, text: text.into(), action });
        }
    }
    let failing = |hook: &&Webhook| !overview.events_parked && hook.failing_since.is_some();
    if let Some(hook) = overview.webhook.as_ref().filter(failing) {
        let why = hook.error.as_deref().unwrap_or("no answer");
        let text = format!("Your system does not accept events ({why}). Each is kept and sent again for three days.");
        let action = Some((visit.path("deliveries"), "Show them"));
        banners.push(Banner { tone: "warn", title: "The webhook fails", text, action });
    }
    if overview.streams_failing {
        let text = "It accepts no tokens, has refused some, or has not polled for three days. Its tokens wait.";
        let action = Some((visit.path("deliveries"), "Show it"));
        let title = "A receiver of SCIM events needs attention";
        banners.push(Banner { tone: "warn", title, text: text.into(), action });
    }
    if !visit.state.provisioner.delivers_mail() {
        banners.push(Banner { tone: "warn", title: "Emails are not sent", text: NO_MAIL.into(), action: None });
    }
    if refresh_status.state == RefreshState::NeedsAttention {
        let problem = refresh_status.problem.as_deref().unwrap_or_default();
        let text = format!("{problem} The token works until it expires; refresh it by hand until this is corrected.");
        let action = Some((visit.path("automatic"), "Correct it"));
        banners.push(Banner { tone: "warn", title: "The automatic refresh fails", text, action });
    }
    banners
}

/// Sentences about members who are allowed, but may be a mistake.
fn marks(marked: MarkedMembers) -> Vec<String> {
    let sentence = |count: u64, one: &str, many: &str| {
        let at_least = if marked.complete { "" } else { "At least " };
        match count {
            0 => None,
            1 => Some(format!("{at_least}1 active member {one}.")),
            count => Some(format!("{at_least}{} active members {many}.", grouped(count))),
        }
    };
    let no_address = "can’t sign in: no email address";
    let mut marks: Vec<String> = [
        sentence(marked.no_address, no_address, no_address),
        sentence(marked.foreign_domain, "is outside your verified domains", "are outside your verified domains"),
    ]
    .into_iter()
    .flatten()
    .collect();
    if !marked.complete {
        marks.push("Members are being counted.".into());
    }
    marks
}

fn requirements(visit: &Visit, unmet: &[Requirement]) -> Vec<Check> {
    let record = &visit.record;
    let verified: Vec<&str> =
        record.domains.iter().filter(|domain| domain.verified).map(|domain| domain.name.as_str()).collect();
    let plan = match record.plan {
        Plan::Free => "Free",
        Plan::Team => "Team",
        Plan::Enterprise => "Enterprise",
    };
    let check = |requirement, title, now, to_do| Check { met: !unmet.contains(&requirement), title, now, to_do };
    let or = |text: String, otherwise: &str| if text.is_empty() { otherwise.to_owned() } else { text };
    vec![
        check(
            Requirement::EnterprisePlan,
            "Enterprise plan",
            format!("The organization is on the {plan} plan."),
            "Change the plan in your subscription settings, or ask your account team.",
        ),
        check(
            Requirement::OwnerOrCoOwner,
            "Owner or co-owner",
            format!("You are signed in as {}.", visit.member.email),
            "Ask the owner to make you a co-owner.",
        ),
        check(
            Requirement::VerifiedDomain,
            "Verified domain",
            or(verified.join(", "), "No domain is verified yet."),
            "Add your email domain under Enterprise Controls > Domains and prove that it is yours with the DNS record \
             shown there.",
        ),
        check(
            Requirement::SingleSignOn,
            "Single sign-on",
            or(record.single_sign_on.clone().unwrap_or_default(), "Not configured yet."),
            "Connect your identity provider under Enterprise Controls > SSO. SCIM provisions the people who then sign \
             in through it.",
        ),
    ]
}

fn token(status: &ConnectorStatus, now: u64) -> Token {
    Token {
        identity_provider: status.identity_provider.as_ref().map(names::name).unwrap_or_default(),
        window: status.window.map_or("", names::window_name),
        created: status.created.map(When::minute),
        expires: status.expires.map(When::minute),
        left: status.expires.map_or_else(String::new, |expires| match expires > now {
            true => format!("in {}", distance(now, expires)),
            false => format!("{} ago", distance(now, expires)),
        }),
        last_used: status.last_used.map(When::minute),
        used_ago: status.last_used.map_or_else(String::new, |used| format!("{} ago", distance(now, used))),
        overlap_until: status.overlap_until.filter(|until| *until > now).map(When::minute),
        generation: status.generation,
    }
}

fn seats(licences: Licences) -> Seats {
    let (seats, used) = (u64::from(licences.seats), licences.manual + licences.scim);
    // Even a small number stays visible in the bar.
    let whole = seats.max(used).max(1);
    let width = |count: u64| if count == 0 { 0 } else { (count.saturating_mul(1000) / whole).max(6) };
    Seats {
        seats: grouped(seats),
        used: grouped(used),
        free: grouped(seats.saturating_sub(used)),
        over: (used > seats).then(|| grouped(used - seats)),
        manual: grouped(licences.manual),
        scim: grouped(licences.scim),
        manual_width: width(licences.manual),
        scim_width: width(licences.scim),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a13_marked_members_are_counted_in_sentences_and_not_more_exactly_than_is_known() {
        let marked = |no_address, foreign_domain, complete| MarkedMembers { no_address, foreign_domain, complete };
        assert!(marks(marked(0, 0, true)).is_empty());
        let both = marks(marked(1, 1_200, true));
        assert_eq!(both[0], "1 active member can’t sign in: no email address.");
        assert_eq!(both[1], "1,200 active members are outside your verified domains.");
        assert_eq!(marks(marked(0, 2, false))[0], "At least 2 active members are outside your verified domains.");
    }

    #[test]
    fn the_bar_shows_overage_and_one_member_of_a_million() {
        let few = seats(Licences { seats: 1_000_000, manual: 1, scim: 0 });
        assert_eq!((few.manual_width, few.scim_width), (6, 0));
        let over = seats(Licences { seats: 10, manual: 5, scim: 15 });
        assert_eq!((over.manual_width, over.scim_width, over.over.as_deref()), (250, 750, Some("10")));
        let none = seats(Licences { seats: 0, manual: 0, scim: 0 });
        assert_eq!((none.manual_width, none.scim_width), (0, 0));
    }
}
