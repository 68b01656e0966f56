//! Questions before actions that can't be undone: each question is a view of its own, which works without JavaScript.
//!
//! The buttons of other views lead to these questions. The form of a question does the action, and the next view says
//! what was done.

use askama::Template;
use axum::extract::Path;
use axum::response::{Html, IntoResponse as _, Response};
use serde::Deserialize;

use super::api_keys::holder;
use super::deliveries::parked;
use super::form::Fields;
use super::identity_provider::name;
use super::members::may_erase;
use super::proof::Unproven;
use super::query::Query;
use super::refusal::Refusal;
use super::shell::Shell;
use super::step_up::StepUpQuestion;
use super::visit::Visit;
use super::words::counted;
use crate::delivery::DeliveryQueue;
use crate::directory::Origin;
use crate::event::EventStream;
use crate::oauth::OAuthClient;

/// The highest number to which something is counted.
const MOST: u32 = 500;
/// How long an old secret may stay valid beside the new one: seconds, name.
const OVERLAPS: [(&str, &str); 4] = [
    ("0", "Stop it at once"),
    ("3600", "Keep it for 1 hour"),
    ("86400", "Keep it for 1 day"),
    ("2592000", "Keep it for 30 days"),
];
/// How long the old secret stays valid by default, in seconds.
const DEFAULT_OVERLAP: &str = "3600";

#[derive(Template)]
#[template(path = "confirm.html")]
struct ConfirmPage {
    shell: Shell,
    asked: Question,
    error: Option<String>,
    /// The proof that the form asks for.
    question: StepUpQuestion,
    /// The chosen overlap of the old secret.
    chosen: String,
}

/// A view with a button that leads to a question.
pub(super) struct View {
    /// Its path below the page.
    path: &'static str,
    name: &'static str,
    /// Its place in the navigation.
    here: &'static str,
}

const AUTOMATIC: View = View { path: "automatic", name: "Automatic refresh", here: "automatic" };
const SETUP_LINKS: View = View { path: "setup-links", name: "Set-up links", here: "setup" };
const API_KEYS: View = View { path: "api-keys", name: "API keys", here: "settings" };
const STREAMS: View = View { path: "streams", name: "Event streams", here: "deliveries" };
const DELIVERIES: View = View { path: "deliveries", name: "Deliveries", here: "deliveries" };
const MEMBERS: View = View { path: "members", name: "All members", here: "members" };
pub(super) const GUARD: View = View { path: "guard", name: "Guard", here: "guard" };

/// A question, and the form that answers it.
pub(super) struct Question {
    /// The view with the button that leads to the question.
    pub(super) back: View,
    /// The path to which the form is sent, below the page.
    pub(super) to: &'static str,
    /// The hidden fields of the form.
    pub(super) fields: Vec<(&'static str, String)>,
    /// The effects of the action, and what it leaves unchanged.
    pub(super) points: Vec<String>,
    /// Whether the form asks how long the old secret stays valid.
    pub(super) overlap: bool,
    pub(super) danger: bool,
    /// The label of the button that does the action.
    pub(super) yes: &'static str,
    /// The label of the link that cancels.
    pub(super) no: &'static str,
}

impl Question {
    /// A question whose answer `yes` can't be undone.
    pub(super) fn new(back: View, to: &'static str, yes: &'static str) -> Self {
        let (fields, points) = (Vec::new(), Vec::new());
        Self { back, to, fields, points, overlap: false, danger: true, yes, no: "Keep it" }
    }

    /// The view with the question.
    pub(super) fn page(self, visit: &Visit, title: &str) -> Result<String, Refusal> {
        self.render(visit, title, StepUpQuestion::Nothing, None, DEFAULT_OVERLAP)
    }

    /// The view with the question and a proof of who acts, because the action shows a secret. `sent` is a form that
    /// came without a proof.
    async fn page_once_more(
        self,
        visit: &Visit,
        (view, action): (&str, &str),
        title: &str,
        sent: Option<(&Fields, &Unproven)>,
    ) -> Result<String, Refusal> {
        let question = visit.question(view, action).await?;
        let error = sent.map(|(_, unproven)| format!("{} Nothing was changed.", unproven.why));
        let chosen = sent.map_or(DEFAULT_OVERLAP, |(fields, _)| fields.raw("overlap"));
        self.render(visit, title, question, error, chosen)
    }

    fn render(
        self,
        visit: &Visit,
        title: &str,
        question: StepUpQuestion,
        error: Option<String>,
        chosen: &str,
    ) -> Result<String, Refusal> {
        let (shell, chosen) = (visit.shell(title, self.back.here), chosen.to_owned());
        Ok(ConfirmPage { shell, asked: self, error, question, chosen }.render()?)
    }
}

/// The query.
#[derive(Deserialize)]
pub(super) struct ConfirmQuery {
    client: Option<String>,
    link: Option<String>,
    member: Option<String>,
    queue: Option<String>,
    stream: Option<String>,
    id: Option<String>,
    key: Option<String>,
}

/// `GET …/confirm/{what}`.
pub(super) async fn ask(
    Path((_, what)): Path<(String, String)>,
    Query(wanted): Query<ConfirmQuery>,
    visit: Visit,
) -> Result<Html<String>, Refusal> {
    let asked = match what.as_str() {
        "delete-client" => delete_client(&visit, &client(&visit, wanted.client).await?),
        "new-secret" => new_secret(&visit, &client(&visit, wanted.client).await?, None).await,
        "revoke-setup-link" => revoke_setup_link(&visit, wanted).await,
        "revoke-api-key" => revoke_api_key(&visit, wanted).await,
        "remove-webhook" => remove_webhook(&visit).await,
        "remove-stream" => remove_stream(&visit, &stream(&visit, wanted.stream).await?),
        "new-stream-token" => new_stream_token(&visit, &stream(&visit, wanted.stream).await?, None).await,
        "remove-access" => remove_access(&visit).await,
        "dismiss" => dismiss(&visit, wanted).await,
        "erase-member" => erase_member(&visit, wanted).await,
        "allow-all" => decide_all(&visit, true).await,
        "refuse-all" => decide_all(&visit, false).await,
        _ => Err(Refusal::not_found("page")),
    };
    asked.map(Html)
}

/// The view that asks before a client gets another secret, and where the visitor gives the proof.
pub(super) fn new_secret_view(client: &str) -> String {
    format!("confirm/new-secret?client={client}")
}

/// The view that asks before a stream gets another token, and where the visitor gives the proof.
pub(super) fn new_stream_token_view(stream: &str) -> String {
    format!("confirm/new-stream-token?stream={stream}")
}

/// Asks for the proof, since a new secret was requested without one.
pub(super) async fn new_secret_again(visit: &Visit, fields: &Fields, unproven: Unproven) -> Result<Response, Refusal> {
    let client = client(visit, Some(fields.raw("client").to_owned())).await?;
    let page = new_secret(visit, &client, Some((fields, &unproven))).await?;
    Ok((unproven.status, Html(page)).into_response())
}

/// Asks for the proof, since a new token of a stream was requested without one.
pub(super) async fn new_stream_token_again(
    visit: &Visit,
    fields: &Fields,
    unproven: Unproven,
) -> Result<Response, Refusal> {
    let stream = stream(visit, Some(fields.raw("stream").to_owned())).await?;
    let page = new_stream_token(visit, &stream, Some((fields, &unproven))).await?;
    Ok((unproven.status, Html(page)).into_response())
}

async fn client(visit: &Visit, id: Option<String>) -> Result<OAuthClient, Refusal> {
    let id = id.unwrap_or_default();
    let found = visit.organization.oauth_clients().await?.into_iter().find(|client| client.id == id);
    found.ok_or_else(|| Refusal::not_found("OAuth client"))
}

fn delete_client(visit: &Visit, client: &OAuthClient) -> Result<String, Refusal> {
    let question = Question {
        fields: vec![("action", "delete".into()), ("client", client.id.clone())],
        points: vec![
            "Its access tokens, refresh tokens and secret stop at once.".into(),
            "If your identity provider uses it, nothing is provisioned any more until it has another client or a bearer \
             token."
                .into(),
            "No member and no team is changed, and nobody loses access.".into(),
            "This can’t be undone: a new client has another id and another secret.".into(),
        ],
        ..Question::new(AUTOMATIC, "clients", "Delete the client")
    };
    question.page(visit, &format!("Delete the OAuth client {}?", client.name))
}

async fn new_secret(
    visit: &Visit,
    client: &OAuthClient,
    sent: Option<(&Fields, &Unproven)>,
) -> Result<String, Refusal> {
    let question = Question {
        fields: vec![("action", "rotate".into()), ("client", client.id.clone())],
        points: vec![
            "The new secret is shown on the next page, once. Put it into your identity provider.".into(),
            "The old secret works for as long as you choose here. Access tokens that were issued with it stay valid \
             until they expire."
                .into(),
        ],
        overlap: true,
        danger: false,
        no: "Keep the old one",
        ..Question::new(AUTOMATIC, "clients", "Make a new secret")
    };
    let (view, title) = (new_secret_view(&client.id), format!("A new secret for {}?", client.name));
    question.page_once_more(visit, (&view, "rotate"), &title, sent).await
}

async fn revoke_setup_link(visit: &Visit, wanted: ConfirmQuery) -> Result<String, Refusal> {
    let id = wanted.link.unwrap_or_default();
    let found = visit.organization.setup_links().await?.into_iter().find(|link| link.id == id);
    let link = found.ok_or_else(|| Refusal::not_found("set-up link"))?;
    let question = Question {
        fields: vec![("action", "revoke".into()), ("link", link.id)],
        points: vec![
            "The link no longer works. Anybody who opens it is told to ask for another one.".into(),
            "SCIM and the token stay as they are.".into(),
        ],
        ..Question::new(SETUP_LINKS, "setup-links", "Revoke the link")
    };
    question.page(visit, &format!("Revoke the set-up link for {}?", name(&link.identity_provider)))
}

async fn revoke_api_key(visit: &Visit, wanted: ConfirmQuery) -> Result<String, Refusal> {
    let id = wanted.key.unwrap_or_default();
    let listed = visit.state.provisioner.api_keys().list(&holder(visit)).await?;
    let key = listed.into_iter().find(|key| key.id == id).ok_or_else(|| Refusal::not_found("API key"))?;
    let question = Question {
        fields: vec![("action", "revoke".into()), ("key", key.id)],
        points: vec![
            "Every request with the key is refused from now on.".into(),
            "This can’t be undone. If a program still uses the key, make another one for it.".into(),
        ],
        ..Question::new(API_KEYS, "api-keys", "Revoke the key")
    };
    question.page(visit, &format!("Revoke the API key {}?", key.name))
}

async fn stream(visit: &Visit, id: Option<String>) -> Result<EventStream, Refusal> {
    let id = id.unwrap_or_default();
    let found = visit.organization.streams().await?.into_iter().find(|stream| stream.id == id);
    found.ok_or_else(|| Refusal::not_found("event stream"))
}

fn remove_stream(visit: &Visit, stream: &EventStream) -> Result<String, Refusal> {
    let waiting = match counted(stream.waiting as usize, stream.waiting >= 1_000, "token") {
        None => "No token waits for its receiver.".to_owned(),
        Some(count) => format!("{count}: not delivered any more."),
    };
    let question = Question {
        fields: vec![("action", "remove".into()), ("stream", stream.id.clone())],
        points: vec![
            "The receiver gets no more events.".into(),
            waiting,
            "If you add it again, it has another URL or token, and gets no events about the time in between.".into(),
        ],
        ..Question::new(STREAMS, "streams", "Remove the stream")
    };
    question.page(visit, &format!("Remove the event stream {}?", stream.name))
}

async fn new_stream_token(
    visit: &Visit,
    stream: &EventStream,
    sent: Option<(&Fields, &Unproven)>,
) -> Result<String, Refusal> {
    let question = Question {
        fields: vec![("action", "rotate-token".into()), ("stream", stream.id.clone())],
        points: vec![
            "The old token stops working at once. Events wait until the receiver uses the new one.".into(),
            "The new token is shown on the next page, once.".into(),
        ],
        danger: false,
        no: "Keep the old one",
        ..Question::new(STREAMS, "streams", "Make a new token")
    };
    let (view, title) = (new_stream_token_view(&stream.id), format!("A new token for {}?", stream.name));
    question.page_once_more(visit, (&view, "rotate-token"), &title, sent).await
}

async fn remove_webhook(visit: &Visit) -> Result<String, Refusal> {
    let webhook = visit.organization.webhook().await?.ok_or_else(|| Refusal::not_found("webhook"))?;
    let waiting = visit.organization.deliveries(DeliveryQueue::EventsWaiting, None, MOST).await?;
    let waiting = match counted(waiting.items.len(), waiting.next.is_some(), "event") {
        None => "No event waits for it.".to_owned(),
        Some(count) => format!("{count} that wait for it are not delivered. They stay in the list of events."),
    };
    let question = Question {
        fields: vec![("action", "remove".into())],
        points: vec![
            format!("No event is posted to {} any more.", webhook.url),
            waiting,
            "If you set it again, it gets another key, and events of the time in between are not posted.".into(),
        ],
        ..Question::new(DELIVERIES, "webhook", "Remove the webhook")
    };
    question.page(visit, "Remove the webhook?")
}

/// The view that asks before one or all undelivered emails or events are dismissed.
async fn dismiss(visit: &Visit, wanted: ConfirmQuery) -> Result<String, Refusal> {
    let name = wanted.queue.unwrap_or_default();
    let (queue, what) = match name.as_str() {
        "emails-parked" => (DeliveryQueue::EmailsParked, "email"),
        "events-parked" => (DeliveryQueue::EventsParked, "event"),
        "sets-parked" => (DeliveryQueue::SetsParked, "token"),
        _ => return Err(Refusal::not_found("queue")),
    };
    let is_email = queue == DeliveryQueue::EmailsParked;
    let mut fields = vec![("queue", name)];
    let first = match wanted.id {
        Some(id) => {
            let found = parked(visit, queue, &id).await?.ok_or_else(|| Refusal::not_found("email or event here"))?;
            fields.push(("id", id));
            match found.to {
                Some(to) => format!("The {what} to {to} is deleted, and is never sent."),
                None => "The event is not delivered to the webhook.".to_owned(),
            }
        }
        None => {
            let listed = visit.organization.deliveries(queue, None, MOST).await?;
            let Some(count) = counted(listed.items.len(), listed.next.is_some(), what) else {
                return Err(Refusal::Elsewhere(visit.path("deliveries")));
            };
            fields.push(("all", "yes".into()));
            format!("{count}: given up for good.")
        }
    };
    let second = match queue {
        DeliveryQueue::EmailsParked => {
            "If it had an initial passphrase, the member can ask for a link on the page for forgotten passphrases."
        }
        DeliveryQueue::SetsParked => "The receiver can still read the user or the group over SCIM.",
        _ => "It stays in the list of events.",
    };
    let question = Question {
        fields,
        points: vec![first, second.into()],
        no: "Keep",
        ..Question::new(DELIVERIES, "deliveries/dismiss", "Give up")
    };
    question.page(
        visit,
        if is_email {
            "Give up the emails that could not be sent?"
        } else {
            "Give up the deliveries that were not accepted?"
        },
    )
}

async fn remove_access(visit: &Visit) -> Result<String, Refusal> {
    if visit.organization.refresh_status().await?.idp_api.is_none() {
        return Err(Refusal::not_found("access to an identity provider’s API"));
    }
    let question = Question {
        fields: vec![("action", "remove".into())],
        points: vec![
            "The configuration and its secret are forgotten.".into(),
            "The token that your identity provider has works until it expires. From then on you refresh it by hand; you \
             are warned before."
                .into(),
        ],
        ..Question::new(AUTOMATIC, "automatic", "Remove the access")
    };
    question.page(visit, "Remove the access to your identity provider’s API?")
}

async fn erase_member(visit: &Visit, wanted: ConfirmQuery) -> Result<String, Refusal> {
    let member = visit.organization.member(&wanted.member.unwrap_or_default()).await?;
    may_erase(&visit.member, &member)?;
    let again = match member.origin {
        Origin::Scim => {
            "If your identity provider still has this person, it adds a new member at its next sync: unassign the person \
             there first."
        }
        Origin::Manual => "Only people here manage this member.",
    };
    let question = Question {
        fields: vec![("member", member.id.clone())],
        points: vec![
            "The member is removed from the organization and every team, and loses access at once.".into(),
            "The person’s name, addresses and all other values are removed from the log, the events, the audit trail \
             and waiting emails. The history stays, under the member’s id."
                .into(),
            again.into(),
            "It can’t be undone.".into(),
        ],
        no: "Keep",
        ..Question::new(MEMBERS, "members/erase", "Erase this person")
    };
    question.page(visit, &format!("Erase {}?", member.display_name))
}

async fn decide_all(visit: &Visit, allow: bool) -> Result<String, Refusal> {
    let counts = visit.organization.held(None, 1).await?.counts;
    let waiting = usize::try_from(counts.deactivations + counts.deletions).unwrap_or(usize::MAX);
    let Some(count) = counted(waiting, counts.at_least, "removal") else {
        return Err(Refusal::Elsewhere(visit.path("guard")));
    };
    let points = if allow {
        vec![
            format!("{count}: at your identity provider’s next try these members are deactivated or deleted."),
            "Deactivated members lose access at once. Deleted members leave the organization and every team.".into(),
            "If the cause is a wrong filter in your identity provider, refuse the removals and correct the filter."
                .into(),
        ]
    } else {
        vec![
            format!("{count}: these members keep their access."),
            "For a week your identity provider gets the answer that an owner has refused this, and shows an error \
             for each member."
                .into(),
        ]
    };
    let question = Question {
        fields: vec![("decision", if allow { "allow" } else { "refuse" }.into())],
        points,
        danger: allow,
        no: "Decide later",
        ..Question::new(GUARD, "guard/decide", if allow { "Allow all" } else { "Refuse all" })
    };
    question.page(visit, if allow { "Allow all removals?" } else { "Refuse all removals?" })
}
