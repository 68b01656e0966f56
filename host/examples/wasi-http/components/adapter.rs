//! The component `adapter`: `wasi:http/incoming-handler` for one organization.
//!
//! | path | what it is |
//! |---|---|
//! | `/scim/v2/{organization}/…` | the connector: SCIM requests |
//! | `PUT /admin/organization` | creates or changes the organization: `{"name", "seats", "domains": […], "singleSignOn", "owner": {"email", "displayName"}}` |
//! | `POST /admin/token` | enables SCIM, or replaces the token: `{"identityProvider", "days"}`; answers `{"connectorUrl", "token", "expires"}` |
//! | `POST /admin/jobs` | runs due jobs; answers `{"next"}` |
//!
//! Paths below `/admin` require the operator's token, and do not exist unless the operator has set one. `wasi:http` has no
//! timer, so due jobs are run after each answer, and by `POST /admin/jobs`, which the operator calls from a timer of the
//! system.

#![cfg(target_family = "wasm")]

use std::env;
use std::io::{Read, Write};

use serde::Deserialize;
use serde_json::{Value, json};
use subtle::ConstantTimeEq;
use wasip2::http::types::{Fields, IncomingRequest, Method, OutgoingBody, OutgoingResponse, ResponseOutparam, Scheme};

use bindings::insomnia::scim::connector_types::{ExpiryWindow, IdentityProvider};
use bindings::insomnia::scim::directory_types::{Domain, NewMember, Organization, Plan};
use bindings::insomnia::scim::jobs_types::RunContext;
use bindings::insomnia::scim::scim_types::ScimRequest;
use bindings::insomnia::scim::types::{Act, ActionError, Actor, Face, Role, Source};
use bindings::insomnia::scim::{connector, directory, jobs, scim};
use bindings::insomnia::scim_wasi_http::wake_ups;

/// The organization's name in URLs.
const ORGANIZATION: &str = "INSOMNIA_SCIM_ORGANIZATION";
/// The operator's token: at least 32 characters.
const ADMIN_TOKEN: &str = "INSOMNIA_SCIM_ADMIN_TOKEN";
const ADMIN_TOKEN_CHARACTERS: usize = 32;
/// The URL that clients see before `/scim/v2/…`, if a proxy stands in front.
const BASE_URL: &str = "INSOMNIA_SCIM_BASE_URL";

const PREFIX: &str = "/scim/v2/";
/// The largest body that the component accepts.
const BODY_BYTES: u64 = 16 << 20;
/// Larger bodies are read only from callers with a token.
const STRANGERS_BODY_BYTES: u64 = 64 << 10;
/// How often the jobs are called after one answer. Work that is due then waits for the next answer.
const ROUNDS: u32 = 8;

struct Component;

impl wasip2::exports::http::incoming_handler::Guest for Component {
    fn handle(request: IncomingRequest, out: ResponseOutparam) {
        let is_head = matches!(request.method(), Method::Head);
        if serve(request).send(out, is_head).is_err() {
            // The client has gone away.
            return;
        }
        // The client has its answer. The next request or timer will meet the fault again.
        if let Err(fault) = run_due_jobs() {
            eprintln!("the jobs: {fault}");
        }
        if let Err(fault) = wake_ups::tidy() {
            eprintln!("the storage: {fault}");
        }
    }
}

/// An answer to be sent.
struct Answer {
    status: u16,
    headers: Vec<(String, String)>,
    body: Vec<u8>,
}

impl Answer {
    fn scim_error(status: u16, detail: &str) -> Self {
        let schemas = ["urn:ietf:params:scim:api:messages:2.0:Error"];
        let body = json!({ "schemas": schemas, "status": status.to_string(), "detail": detail });
        Self::of(status, "application/scim+json", &body)
    }

    fn json(status: u16, body: &Value) -> Self {
        Self::of(status, "application/json", body)
    }

    fn of(status: u16, content_type: &str, body: &Value) -> Self {
        let headers = [("content-type", content_type), ("cache-control", "no-store")];
        let headers = headers.map(|(name, value)| (name.to_owned(), value.to_owned())).into();
        Self { status, headers, body: body.to_string().into_bytes() }
    }

    /// Sends it. The answer to `HEAD` is sent without its body.
    fn send(self, out: ResponseOutparam, is_head: bool) -> std::io::Result<()> {
        let fault = |what: &str| std::io::Error::other(what.to_owned());
        let headers = Fields::new();
        for (name, value) in self.headers {
            // A header field that the host reserves for itself, such as one that frames the message, is not set.
            let _ = headers.append(&name, value.as_bytes());
        }
        if !is_head && !matches!(self.status, 204 | 304) && !headers.has("content-length") {
            let _ = headers.append("content-length", self.body.len().to_string().as_bytes());
        }
        let response = OutgoingResponse::new(headers);
        response.set_status_code(self.status).map_err(|()| fault("the status is none"))?;
        let body = response.body().map_err(|()| fault("the response has no body"))?;
        ResponseOutparam::set(out, Ok(response));
        if !is_head && !self.body.is_empty() {
            let mut stream = body.write().map_err(|()| fault("the response has no body"))?;
            stream.write_all(&self.body)?;
            Write::flush(&mut stream)?;
        }
        OutgoingBody::finish(body, None).map_err(|code| fault(&code.to_string()))
    }
}

fn serve(request: IncomingRequest) -> Answer {
    let target = request.path_with_query().unwrap_or_default();
    let (path, query) = target.split_once('?').map_or((target.as_str(), None), |(path, query)| (path, Some(query)));
    let Some(organization) = variable(ORGANIZATION) else {
        return Answer::scim_error(500, &format!("{ORGANIZATION} is not set"));
    };
    if let Some(action) = path.strip_prefix("/admin/") {
        return administer(&request, action, &organization);
    }
    let rest = path.strip_prefix(PREFIX).and_then(|path| path.strip_prefix(organization.as_str()));
    match rest {
        Some(rest) if rest.is_empty() || rest.starts_with('/') => serve_scim(&request, rest, query, &organization),
        _ => Answer::scim_error(404, "There is no such organization."),
    }
}

fn serve_scim(request: &IncomingRequest, path: &str, query: Option<&str>, organization: &str) -> Answer {
    let headers: Vec<(String, String)> = request
        .headers()
        .entries()
        .into_iter()
        .map(|(name, value)| (name.to_ascii_lowercase(), value.iter().map(|byte| char::from(*byte)).collect()))
        .collect();
    let authorization = headers.iter().find(|(name, _)| name == "authorization").map(|(_, value)| value.as_str());
    let body = match body(request, || scim::admits(authorization)) {
        Ok(body) => body,
        Err(refusal) => return refusal,
    };
    let response = scim::handle(&ScimRequest {
        method: method(&request.method()),
        path: path.to_owned(),
        query: query.map(str::to_owned),
        body,
        base_url: connector_url(request, organization),
        request_id: request_id(),
        // `wasi:http` does not tell who has sent a request.
        sender_address: None,
        headers,
    });
    Answer { status: response.status, headers: response.headers, body: response.body }
}

/// The request's body. A large body is read only from a caller with a valid token.
fn body(request: &IncomingRequest, is_admitted: impl FnOnce() -> bool) -> Result<Vec<u8>, Answer> {
    let no_body = || Answer::scim_error(400, "The body can't be read.");
    let incoming = request.consume().map_err(|()| no_body())?;
    let mut stream = incoming.stream().map_err(|()| no_body())?;
    let mut body = Vec::new();
    stream.by_ref().take(STRANGERS_BODY_BYTES + 1).read_to_end(&mut body).map_err(|_| no_body())?;
    if body.len() as u64 > STRANGERS_BODY_BYTES {
        if !is_admitted() {
            return Err(Answer::scim_error(401, "The token is missing or not valid."));
        }
        let left = BODY_BYTES + 1 - body.len() as u64;
        stream.by_ref().take(left).read_to_end(&mut body).map_err(|_| no_body())?;
    }
    if body.len() as u64 > BODY_BYTES {
        return Err(Answer::scim_error(413, "The body is larger than 16 MiB."));
    }
    Ok(body)
}

/// The body of `PUT /admin/organization`.
#[derive(Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
struct OrganizationBody {
    name: String,
    seats: u32,
    /// The domains that are verified.
    #[serde(default)]
    domains: Vec<String>,
    /// The identity provider for which single sign-on is configured.
    single_sign_on: Option<String>,
    /// The owner. An owner who is there already stays unchanged.
    owner: Option<OwnerBody>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
struct OwnerBody {
    email: String,
    display_name: Option<String>,
}

/// The body of `POST /admin/token`.
#[derive(Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
struct TokenBody {
    /// `okta`, `azure`, `ping-federate`, or the name of another one.
    identity_provider: String,
    /// For how many days the token is valid: 30, 90, 180, 365 or 730; for ever if this is left out.
    days: Option<u32>,
}

fn administer(request: &IncomingRequest, action: &str, organization: &str) -> Answer {
    let Some(token) = variable(ADMIN_TOKEN).filter(|token| token.chars().count() >= ADMIN_TOKEN_CHARACTERS) else {
        return Answer::json(404, &json!({ "error": format!("{ADMIN_TOKEN} is not set, or too short") }));
    };
    let expected = format!("Bearer {token}");
    let given = request.headers().get("authorization").into_iter().next().unwrap_or_default();
    if !bool::from(given.ct_eq(expected.as_bytes())) {
        return Answer::json(401, &json!({ "error": "the operator's token is missing or wrong" }));
    }
    let answer = match (request.method(), action) {
        (Method::Put, "organization") => read(request).and_then(|body| put_organization(&body)),
        (Method::Post, "token") => read(request).and_then(|body| issue_token(request, organization, &body)),
        (Method::Post, "jobs") => {
            run_due_jobs().map(|next| json!({ "next": next })).map_err(|fault| refused(503, &fault))
        }
        _ => Err(refused(404, "there is no such action")),
    };
    answer.map_or_else(|refusal| refusal, |body| Answer::json(200, &body))
}

fn read<T: for<'a> Deserialize<'a>>(request: &IncomingRequest) -> Result<T, Answer> {
    let body = body(request, || true)?;
    serde_json::from_slice(&body).map_err(|error| refused(400, &error.to_string()))
}

fn put_organization(body: &OrganizationBody) -> Result<Value, Answer> {
    let before = directory::get_organization().map_err(refusal)?;
    let domain = |name: &String| Domain { name: name.clone(), verified: true };
    let organization = Organization {
        name: body.name.clone(),
        plan: Plan::Enterprise,
        seats: body.seats,
        domains: body.domains.iter().map(domain).collect(),
        single_sign_on: body.single_sign_on.clone(),
        options: before.map_or_else(|| "{}".to_owned(), |before| before.options),
    };
    directory::put_organization(&act(), &organization).map_err(refusal)?;
    if let Some(owner) = &body.owner {
        match directory::get_member(&owner.email) {
            Ok(_) => return Ok(json!({ "name": body.name, "seats": body.seats })),
            Err(ActionError::NotFound(_)) => {}
            Err(error) => return Err(refusal(error)),
        }
        let display_name = owner.display_name.clone().unwrap_or_else(|| owner.email.clone());
        let member = NewMember { email: owner.email.clone(), display_name, role: Role::Owner, passphrase: None };
        directory::add_member(&act(), &member).map_err(refusal)?;
    }
    Ok(json!({ "name": body.name, "seats": body.seats }))
}

fn issue_token(request: &IncomingRequest, organization: &str, body: &TokenBody) -> Result<Value, Answer> {
    let window = match body.days {
        None => ExpiryWindow::Never,
        Some(30) => ExpiryWindow::Days30,
        Some(90) => ExpiryWindow::Days90,
        Some(180) => ExpiryWindow::Days180,
        Some(365) => ExpiryWindow::Year1,
        Some(730) => ExpiryWindow::Years2,
        Some(_) => return Err(refused(400, "days is 30, 90, 180, 365 or 730")),
    };
    let identity_provider = match body.identity_provider.as_str() {
        "okta" => IdentityProvider::Okta,
        "azure" => IdentityProvider::Azure,
        "ping-federate" => IdentityProvider::PingFederate,
        other => IdentityProvider::Other(other.to_owned()),
    };
    let is_enabled = connector::get_status().map_err(refusal)?.enabled;
    let issued = if is_enabled {
        connector::refresh(&act(), None, Some(window), 0)
    } else {
        connector::enable(&act(), &identity_provider, window)
    };
    let issued = issued.map_err(refusal)?;
    let url = connector_url(request, organization);
    Ok(json!({ "connectorUrl": url, "token": issued.token, "expires": issued.expires }))
}

/// Runs due jobs in a bounded number of rounds, and returns when there is more to do.
fn run_due_jobs() -> Result<Option<u64>, String> {
    for _ in 0..ROUNDS {
        let Some(claim) = wake_ups::claim()? else { break };
        let next = jobs::run_due(&RunContext { page_url: None, subscribed: false });
        // After a fault the jobs are called again in a minute.
        let retry = || wake_ups::next().ok().flatten().map_or(60_000, |time| time.saturating_add(60_000));
        wake_ups::release(claim, next.as_ref().map_or_else(|_| Some(retry()), |next| *next))?;
        next.map_err(|error| format!("{error:?}"))?;
    }
    wake_ups::next()
}

fn act() -> Act {
    Act {
        actor: Actor::Operator,
        source: Source { face: Face::Backend, address: None, credential: None, request_id: None, traceparent: None },
    }
}

fn refused(status: u16, error: &str) -> Answer {
    Answer::json(status, &json!({ "error": error }))
}

fn refusal(error: ActionError) -> Answer {
    match error {
        ActionError::UnmetRequirements(unmet) => refused(409, &format!("not met: {unmet:?}")),
        ActionError::NotFound(text) => refused(404, &text),
        ActionError::Conflict(text) => refused(409, &text),
        ActionError::Invalid(text) => refused(400, &text),
        ActionError::NoFreeSeat => refused(409, "every seat is taken"),
        ActionError::NotConfigured(text) => refused(501, &text),
        ActionError::Unavailable(text) => refused(503, &text),
        other => refused(500, &format!("{other:?}")),
    }
}

fn variable(name: &str) -> Option<String> {
    env::var(name).ok().filter(|value| !value.is_empty())
}

fn connector_url(request: &IncomingRequest, organization: &str) -> String {
    let base = variable(BASE_URL).unwrap_or_else(|| {
        let scheme = if matches!(request.scheme(), Some(Scheme::Https)) { "https" } else { "http" };
        let host = || request.headers().get("host").into_iter().next().and_then(|host| String::from_utf8(host).ok());
        let authority = request.authority().or_else(host);
        format!("{scheme}://{}", authority.unwrap_or_else(|| "localhost".into()))
    });
    format!("{}{PREFIX}{organization}", base.trim_end_matches('/'))
}

fn request_id() -> String {
    let random = getrandom::u64().unwrap_or_default();
    format!("{random:016x}{:016x}", getrandom::u64().unwrap_or_default())
}

fn method(method: &Method) -> String {
    match method {
        Method::Get => "GET",
        Method::Head => "HEAD",
        Method::Post => "POST",
        Method::Put => "PUT",
        Method::Delete => "DELETE",
        Method::Connect => "CONNECT",
        Method::Options => "OPTIONS",
        Method::Trace => "TRACE",
        Method::Patch => "PATCH",
        Method::Other(name) => name,
    }
    .to_owned()
}

mod bindings {
    #![allow(missing_docs, unreachable_pub, clippy::all, reason = "generated")]

    use super::Component;

    wasip2::http::proxy::export!(Component);

    wit_bindgen::generate!({
        world: "insomnia:scim-wasi-http/adapter",
        path: ["../../../wit", "wit"],
        generate_all,
    });
}
