//! The OpenAPI document: the descriptions of the handlers, and what all operations share.

use axum::extract::State;
use axum::http::header;
use axum::response::IntoResponse;
use serde_json::{Map, Value, json};
use utoipa::OpenApi;

use super::problem::{Details, MEDIA_TYPE};
use super::state::ApiState;
use super::{PATH, idempotency, scopes};
use crate::delivery::DeliveryQueue;
use crate::quota::Quota;

const DESCRIPTION: &str = "\
Everything that the SCIM page and the command line can do, for backends and automation. Times are milliseconds since the Unix \
epoch unless they say otherwise.

**Keys.** Send an API key as `Authorization: Bearer …`. The key of an organization opens all paths below its \
`/organizations/{organization}`, except for the operations that change or delete the organization itself. For every other \
organization the answer is 403, whether that organization exists or not. An operator's key opens everything. Keys are made \
by the command `insomnia-scim api-key create`, on the SCIM page, and with this API.

**Scopes.** A key may be limited to scopes, each a resource and `read` or `write`, such as `members:read`. A scope to write \
includes the one to read; the resource `all` includes every other one. Each operation names the scope that it needs as its \
security requirement. For a key that lacks it, the answer is 403 with the problem type `insufficient-scope`, which \
names the scope. A key may have an expiry. It can't make a key with scopes that it does not have, or one that expires later.

**Actors.** Some operations are recorded as acts of an owner or co-owner. A request may name this person as its `actor`. \
If it names nobody, the key acts on behalf of the organization's owner.

**Refusals** are problems (RFC 9457) of the media type `application/problem+json`. A request that was refused has changed \
nothing, unless the problem's `type` says that the outcome is unknown.

**Lists** are answered in pages. Send `next` of a page as the parameter `after` to get the page that follows; its URL is also \
in the `Link` header field.

**Idempotency.** A POST with an `Idempotency-Key` is done once. If it is sent again within 24 hours, the answer is the \
stored one, including secrets that are shown once; stored answers are encrypted. The same key with another \
request is refused with 422, and with 409 while the first request is being served. A refusal is not stored. The server \
remembers the latest 1,000 requests of each API key.";

#[derive(OpenApi)]
#[openapi(
    info(title = "Insomnia SCIM admin API", description = DESCRIPTION),
    components(schemas(Details, DeliveryQueue)),
    tags(
        (name = "Organizations", description = "Organizations of the host."),
        (name = "Components", description = "Builds of the component besides the one with which the server was \
            started: stored, pinned to an organization, or tried as a canary."),
        (name = "Connector", description = "An organization's SCIM endpoint and its token."),
        (name = "Automatic refresh", description = "The automatic renewal of tokens."),
        (name = "OAuth clients", description = "Clients by which identity providers authenticate over OAuth 2.0."),
        (name = "Members", description = "People in an organization, and the licences they take."),
        (name = "Teams", description = "Named sets of members."),
        (name = "Schemas", description = "The schemas that an organization declares in addition to the built-in \
            ones."),
        (name = "Guard", description = "The guard holds mass deactivations and deletions until an owner decides."),
        (name = "Logs", description = "The log of SCIM requests, and the audit trails."),
        (name = "Events", description = "Changes in an organization, its webhook, and deliveries: emails, events and tokens."),
        (name = "Streams", description = "Receivers that get changes of users and groups as Security Event Tokens \
            (RFC 9967)."),
        (name = "API keys", description = "Keys for this API."),
        (name = "Documentation", description = "This document."),
    )
)]
struct Frame;

/// The document without operations.
pub(super) fn frame() -> utoipa::openapi::OpenApi {
    Frame::openapi()
}

/// Get this document
///
/// OpenAPI 3.1. It needs no key.
#[utoipa::path(get, path = "/openapi.json", tag = "Documentation",
    responses((status = 200, description = "The document.", body = Object)))]
pub(super) async fn get_document(State(state): State<ApiState>) -> impl IntoResponse {
    ([(header::CONTENT_TYPE, "application/json")], state.document.clone())
}

/// The description of a refusal, for all operations.
const REFUSALS: [(&str, &str); 12] = [
    ("400", "The path, the query, a header field or the syntax of the body is not understood."),
    ("401", "There is no API key, or it is unknown, was revoked, or has expired."),
    ("403", "The API key or the actor may not do this, or the key lacks a scope, which the problem names."),
    ("404", "There is no such organization, member, or other object."),
    ("408", "The body did not arrive in time."),
    (
        "409",
        "The request contradicts the present state: `requirements` are unmet, every seat is taken, a name is taken, \
         the server is not set up for it, or a request with this idempotency key is being served.",
    ),
    ("413", "The body is too large."),
    ("415", "The operation does not accept the media type of the body."),
    ("422", "A value is not valid, or the idempotency key belongs to another request."),
    ("429", "Too many wrong API keys, wrong passphrases, or exports."),
    ("500", "The server failed; it is logged under the request's id."),
    ("503", "The request can't be served for the moment."),
];

/// Adds to each operation what all operations share.
pub(super) fn complete(document: utoipa::openapi::OpenApi, base_url: &str) -> Value {
    let mut document = serde_json::to_value(document).unwrap_or_default();
    document["servers"] = json!([{"url": base_url}]);
    document["components"]["securitySchemes"] = json!({scopes::SCHEME: {
        "type": "http",
        "scheme": "bearer",
        "bearerFormat": "insm_api_… or insm_operator_…",
        "description": "An API key of the organization, or of the operator, with the scope that the operation names.",
    }});
    document["components"]["headers"] = headers();
    document["components"]["responses"] = refusals();
    let mut paths = Map::new();
    for (path, mut item) in std::mem::take(&mut document["paths"]).as_object().cloned().unwrap_or_default() {
        for (method, operation) in item.as_object_mut().into_iter().flatten() {
            describe(&path, method, operation);
        }
        paths.insert(format!("{PATH}{path}"), item);
    }
    document["paths"] = paths.into();
    tidy(&mut document);
    document
}

/// Adapts the schemas for generators of clients: lists refer to their items, numbers have their range, objects are in
/// one piece, and texts speak of JSON instead of Rust. Defaults are described in words, because some generators always
/// send a default that is in the schema, and others require it. The recursion is as deep as our own types.
fn tidy(value: &mut Value) {
    match value {
        Value::Object(fields) => {
            if fields.get("format") == Some(&json!("int32")) && fields.contains_key("minimum") {
                fields.insert("format".into(), "int64".into());
                fields.entry("maximum").or_insert(u32::MAX.into());
            }
            if let Some(Value::String(text)) = fields.get_mut("description") {
                *text = text.replace("[`", "`").replace("`]", "`").replace("`None`", "`null`");
                let default = fields.remove("default");
                if let (Some(default), Some(Value::String(text))) = (default, fields.get_mut("description")) {
                    *text = format!("{text} If it is left out, it is `{default}`.");
                }
            }
            for (name, value) in fields.iter_mut() {
                if let Some(listed) = name.strip_prefix("ListOf_") {
                    value["properties"]["items"]["items"] = json!({"$ref": format!("#/components/schemas/{listed}")});
                }
                tidy(value);
            }
            join(fields);
        }
        Value::Array(values) => values.iter_mut().for_each(tidy),
        _ => {}
    }
}

/// Joins the parts of an object into one schema, because some generators of clients lose parts of parts.
fn join(fields: &mut Map<String, Value>) {
    let known =
        |(name, _): (&String, &Value)| ["type", "description", "properties", "required"].contains(&name.as_str());
    let in_place =
        |part: &Value| part["type"] == "object" && part.as_object().is_some_and(|part| part.iter().all(known));
    let parts = match fields.get("allOf") {
        Some(Value::Array(parts)) if parts.iter().all(in_place) => parts.clone(),
        _ => return,
    };
    let (mut properties, mut required) = (Map::new(), Vec::new());
    for part in &parts {
        properties.extend(part["properties"].as_object().cloned().unwrap_or_default());
        required.extend(part["required"].as_array().cloned().unwrap_or_default());
    }
    fields.remove("allOf");
    fields.insert("type".into(), "object".into());
    fields.insert("required".into(), required.into());
    fields.insert("properties".into(), properties.into());
}

fn headers() -> Value {
    let text = |description: &str| json!({"description": description, "schema": {"type": "string"}});
    let required =
        |description: &str| json!({"description": description, "required": true, "schema": {"type": "string"}});
    let seconds = json!({
        "description": "The seconds to wait.", "required": true, "schema": {"type": "integer", "minimum": 1},
    });
    json!({
        "X-Request-Id": required("Names the request, in problems and in the server's log."),
        "Link": text("`rel=\"next\"`: the next page, if there is one (RFC 8288)."),
        "Location": text("The URL of the created object."),
        "Retry-After": seconds,
        "WWW-Authenticate": required("`Bearer`, with the realm."),
        "Idempotency-Replayed": text("`true` if this is the stored answer to an earlier request."),
    })
}

fn refusals() -> Value {
    let schema = json!({"$ref": "#/components/schemas/Problem"});
    let response = |(status, description): &(&str, &str)| {
        let mut headers = json!({"X-Request-Id": reference("X-Request-Id")});
        match *status {
            "401" => headers["WWW-Authenticate"] = reference("WWW-Authenticate"),
            "429" | "503" => headers["Retry-After"] = reference("Retry-After"),
            _ => {}
        }
        let content = json!({MEDIA_TYPE: {"schema": schema}});
        ((*status).to_owned(), json!({"description": description, "headers": headers, "content": content}))
    };
    Value::Object(REFUSALS.iter().map(response).collect())
}

fn reference(header: &str) -> Value {
    json!({"$ref": format!("#/components/headers/{header}")})
}

/// Completes a handler's text with what is the same for all.
fn describe(path: &str, method: &str, operation: &mut Value) {
    let is_public = path == "/openapi.json";
    let has_body = operation.get("requestBody").is_some();
    let parameters = operation["parameters"].as_array().cloned().unwrap_or_default();
    let of_path = path.split('/').filter_map(|part| part.strip_prefix('{')?.strip_suffix('}'));
    let mut all: Vec<Value> = of_path.map(path_parameter).collect();
    all.extend(parameters);
    if method == "post" {
        all.push(json!({
            "name": "Idempotency-Key",
            "in": "header",
            "required": false,
            "description": "A name of the client's choice for this request. If the request is sent again with the same key within 24 hours, it is not done again.",
            "schema": {
                "type": "string", "minLength": 1, "maxLength": idempotency::LONGEST,
                "pattern": "^[!-~]+$",
            },
        }));
    }
    let has_query = all.iter().any(|parameter| parameter["in"] == "query");
    operation["parameters"] = all.into();
    if operation["parameters"] == json!([]) {
        operation.as_object_mut().map(|operation| operation.remove("parameters"));
    }
    operation["security"] = json!([]);
    if !is_public {
        let tag = operation["tags"][0].as_str().unwrap_or_default();
        let scope = scopes::of_operation(path, method, tag);
        // Since OpenAPI 3.1, the names in a requirement of a scheme other than OAuth are roles that the caller needs.
        operation["security"] = json!([{scopes::SCHEME: [scope]}]);
        let text = operation["description"].as_str().unwrap_or_default();
        let text = if text.is_empty() { String::new() } else { format!("{text}\n\n") };
        operation["description"] = format!("{text}The API key needs the scope `{scope}`.").into();
    }
    let paged = operation["responses"]["200"]["content"]["application/json"]["schema"]["$ref"]
        .as_str()
        .is_some_and(|name| name.contains("/ListOf_"));
    let with_place = ["/organizations", "/organizations/{organization}/members"].contains(&path);
    if let Some(body) = operation.get_mut("requestBody") {
        describe_body(path, method, body);
    }
    for (status, response) in operation["responses"].as_object_mut().into_iter().flatten() {
        let mut headers = json!({"X-Request-Id": reference("X-Request-Id")});
        if paged {
            headers["Link"] = reference("Link");
        }
        if with_place && status == "201" {
            headers["Location"] = reference("Location");
        }
        if method == "post" {
            headers["Idempotency-Replayed"] = reference("Idempotency-Replayed");
        }
        response["headers"] = headers;
    }
    let with_organization = path.contains('{');
    for (status, _) in REFUSALS {
        let applies = match status {
            "400" => has_body || has_query || method == "post",
            "401" | "403" | "429" => !is_public,
            "404" => with_organization || path == "/canary" && method == "get",
            "408" | "413" | "415" => has_body,
            "409" => !is_public && method != "get" || path.ends_with("/requirements"),
            "422" => has_body || has_query || with_organization,
            "503" => !is_public,
            _ => true,
        };
        if applies {
            operation["responses"][status] = json!({"$ref": format!("#/components/responses/{status}")});
        }
    }
}

/// Gives a body one media type and no alternative, because some generators make code that does not run otherwise. Other
/// accepted forms are described in words.
fn describe_body(path: &str, method: &str, body: &mut Value) {
    let takes = match method {
        "patch" => Some(
            "A merge patch (RFC 7396). The media type `application/merge-patch+json` is accepted as \
            well.",
        ),
        _ => path.ends_with("/preview").then_some(
            "The users. The media type `application/scim+json` is accepted as \
            well.",
        ),
    };
    if let Some(takes) = takes {
        body["description"] = takes.into();
    }
    for (media, content) in body["content"].as_object_mut().into_iter().flatten() {
        if media == "application/octet-stream" {
            content["schema"] = json!({"type": "string", "format": "binary"});
        }
        // For Rust an optional body is one that may be `null`.
        let alone = match content["schema"]["oneOf"].as_array().map(Vec::as_slice) {
            Some([schema, null]) if null["type"] == "null" => Some(schema.clone()),
            _ => None,
        };
        if let Some(schema) = alone {
            content["schema"] = schema;
        }
    }
}

fn path_parameter(name: &str) -> Value {
    let (description, schema) = match name {
        "organization" => ("The organization's id.", json!({"type": "string", "pattern": "^[a-z0-9][a-z0-9-]{0,62}$"})),
        "member" => ("The member's id, userName or email address.", json!({"type": "string", "minLength": 1})),
        "team" => ("The team's id or name.", json!({"type": "string", "minLength": 1})),
        "client" => ("The `client_id`.", json!({"type": "string", "minLength": 1})),
        "link" => ("The id of the set-up link.", json!({"type": "string", "minLength": 1})),
        "key" => ("The id of the API key.", json!({"type": "string", "minLength": 1})),
        "component" => ("The SHA-256 of the component.", json!({"type": "string", "pattern": "^[0-9a-f]{64}$"})),
        "stream" => ("The id of the stream.", json!({"type": "string", "minLength": 1})),
        "quota" => ("The quota's name.", json!({"type": "string", "enum": Quota::ALL.map(Quota::name)})),
        _ => ("The queue of deliveries.", json!({"$ref": "#/components/schemas/DeliveryQueue"})),
    };
    json!({"name": name, "in": "path", "required": true, "description": description, "schema": schema})
}
