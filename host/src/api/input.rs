//! The input of a request: its body and its query. A problem says where a mistake is.

use axum::extract::{FromRequest, FromRequestParts, Request};
use axum::http::request::Parts;
use axum::http::{HeaderMap, StatusCode, header};
use serde::de::DeserializeOwned;
use serde_json::error::Category;
use serde_path_to_error::{Path, Segment};

use super::problem::Problem;
use super::state::ApiState;
use crate::capability::storage::OrganizationId;
use crate::error::plain;
use crate::registry::MAX_COMPONENT;
use crate::server::body;

/// The largest body, in bytes.
pub(super) const MAX_BODY: usize = 64 << 10;
/// The largest body of a preview, in bytes.
pub(super) const MAX_PREVIEW: usize = 5 << 20;
/// The largest body that is a component, in bytes.
pub(super) const MAX_COMPONENT_BODY: usize = MAX_COMPONENT;

/// The largest body of an import, in bytes: 500 members with the longest names and addresses.
const MAX_IMPORT: usize = 1 << 20;

/// The largest declaration of schemas, in bytes, which is the component's limit.
pub(super) const MAX_DECLARATION: usize = 512 << 10;

/// The largest body for this path.
pub(super) fn limit(path: &str) -> usize {
    match path.rsplit('/').next() {
        Some("preview") => MAX_PREVIEW,
        Some("imports") => MAX_IMPORT,
        Some("schemas") => MAX_DECLARATION,
        _ => MAX_BODY,
    }
}

/// A body of JSON.
pub(super) struct JsonBody<T>(pub(super) T);

impl<T: DeserializeOwned> FromRequest<ApiState> for JsonBody<T> {
    type Rejection = Problem;

    async fn from_request(request: Request, state: &ApiState) -> Result<Self, Problem> {
        parse(&raw(request, state).await?).map(Self)
    }
}

/// An optional body of JSON. If it is left out or `null`, every value has its default.
pub(super) struct OptionalJsonBody<T>(pub(super) T);

impl<T: DeserializeOwned + Default> FromRequest<ApiState> for OptionalJsonBody<T> {
    type Rejection = Problem;

    async fn from_request(request: Request, state: &ApiState) -> Result<Self, Problem> {
        let (parts, body) = request.into_parts();
        let body = body::read(&parts.headers, body, limit(parts.uri.path()), &state.bill(&parts)?).await?;
        if body.is_empty() {
            return Ok(Self(T::default()));
        }
        expect_json(&parts.headers)?;
        Ok(Self(parse::<Option<T>>(&body)?.unwrap_or_default()))
    }
}

/// A body of JSON that only the component reads.
pub(super) struct TextBody(pub(super) String);

impl FromRequest<ApiState> for TextBody {
    type Rejection = Problem;

    async fn from_request(request: Request, state: &ApiState) -> Result<Self, Problem> {
        String::from_utf8(raw(request, state).await?).map(Self).map_err(|_| Problem::invalid("The body is not UTF-8."))
    }
}

/// The body of a request that declares it as JSON.
async fn raw(request: Request, state: &ApiState) -> Result<Vec<u8>, Problem> {
    let (parts, body) = request.into_parts();
    // The body is read in any case: otherwise the connection of a client that is still sending would be reset.
    let body = body::read(&parts.headers, body, limit(parts.uri.path()), &state.bill(&parts)?).await?;
    expect_json(&parts.headers)?;
    Ok(body)
}

fn expect_json(headers: &HeaderMap) -> Result<(), Problem> {
    let field = headers.get(header::CONTENT_TYPE).and_then(|value| value.to_str().ok()).unwrap_or_default();
    let essence = field.split(';').next().unwrap_or_default().trim().to_ascii_lowercase();
    if matches!(essence.as_str(), "application/json" | "application/merge-patch+json" | "application/scim+json") {
        return Ok(());
    }
    let detail = "The body must be JSON: send it with `Content-Type: application/json`.";
    Err(Problem::new(StatusCode::UNSUPPORTED_MEDIA_TYPE, "unsupported-media-type", "Unsupported media type", detail))
}

fn parse<T: DeserializeOwned>(body: &[u8]) -> Result<T, Problem> {
    let mut deserializer = serde_json::Deserializer::from_slice(body);
    let parsed = serde_path_to_error::deserialize(&mut deserializer)
        .map_err(|error| (pointer(error.path()), error.into_inner()))
        .and_then(|parsed| deserializer.end().map(|()| parsed).map_err(|error| (String::new(), error)));
    parsed.map_err(|(pointer, error)| match error.classify() {
        Category::Data => {
            let text = without_place(&error);
            Problem::invalid(format!("The body is not valid: {text}.")).at(pointer, text)
        }
        Category::Syntax | Category::Eof | Category::Io => {
            Problem::bad_request(format!("The body is not JSON: {error}.")).at(pointer, error.to_string())
        }
    })
}

/// The error without line and column, since the pointer says more.
fn without_place(error: &serde_json::Error) -> String {
    let text = error.to_string();
    plain(text.rsplit_once(" at line ").map_or(text.as_str(), |(text, _)| text))
}

/// A JSON Pointer (RFC 6901).
fn pointer(path: &Path) -> String {
    let part = |segment: &Segment| match segment {
        Segment::Seq { index } => format!("/{index}"),
        Segment::Map { key } => format!("/{}", key.replace('~', "~0").replace('/', "~1")),
        Segment::Enum { .. } | Segment::Unknown => String::new(),
    };
    path.iter().map(part).collect()
}

/// The parameters of a query. Unknown parameters are refused: a misspelt filter must not be ignored.
pub(super) struct Query<T>(pub(super) T);

impl<T: DeserializeOwned> FromRequestParts<ApiState> for Query<T> {
    type Rejection = Problem;

    async fn from_request_parts(parts: &mut Parts, _: &ApiState) -> Result<Self, Problem> {
        let query = axum::extract::Query::<T>::try_from_uri(&parts.uri);
        query.map(|query| Self(query.0)).map_err(|error| {
            let source = std::error::Error::source(&error).map_or_else(|| error.to_string(), ToString::to_string);
            Problem::parameter(None, format!("The query is not valid: {}.", plain(&source)))
        })
    }
}

/// The longest cursor, in bytes.
const LONGEST_CURSOR: usize = 100;

/// The beginning of a page.
pub(super) fn cursor(after: Option<String>) -> Result<Option<String>, Problem> {
    match after {
        Some(after) if after.is_empty() || after.len() > LONGEST_CURSOR => {
            let detail = "`after` must be the value of `next` on another page, or of `previous` where a page has one.";
            Err(Problem::parameter(Some("after"), detail))
        }
        after => Ok(after),
    }
}

/// The number of items on a page.
pub(super) fn page_limit(limit: Option<u32>) -> Result<u32, Problem> {
    match limit {
        None => Ok(100),
        Some(limit @ 1..=500) => Ok(limit),
        Some(_) => Err(Problem::parameter(Some("limit"), "`limit` must be 1 to 500.")),
    }
}

/// The organization with which the previous page ended.
pub(super) fn organization_cursor(after: Option<&str>) -> Result<Option<OrganizationId>, Problem> {
    let wrong = "`after` must be the value of `next` on another page.";
    after.map(OrganizationId::parse).transpose().map_err(|_| Problem::parameter(Some("after"), wrong))
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde::Deserialize;

    #[derive(Debug, Deserialize)]
    #[serde(deny_unknown_fields)]
    struct Outer {
        #[allow(dead_code, reason = "only parsed")]
        list: Vec<Inner>,
    }

    #[derive(Debug, Deserialize)]
    struct Inner {
        #[allow(dead_code, reason = "only parsed")]
        number: u8,
    }

    fn mistake(body: &str) -> (u64, String) {
        let problem = parse::<Outer>(body.as_bytes()).unwrap_err().to_json();
        (problem["status"].as_u64().unwrap(), problem["errors"][0]["pointer"].as_str().unwrap_or("-").to_owned())
    }

    #[test]
    fn a_mistake_is_said_without_names_of_types() {
        let said = |body: &str| parse::<Outer>(body.as_bytes()).unwrap_err().to_json()["detail"].to_string();
        assert!(said(r#"{"list": [{"number": "x"}]}"#).contains("expected a whole number"));
        assert!(said(r#"{"list": [7]}"#).contains("expected an object"));
    }

    #[test]
    fn a_mistake_in_a_body_is_pointed_at() {
        assert_eq!(mistake(r#"{"list": [{"number": 1}, {"number": "x"}]}"#), (422, "/list/1/number".into()));
        assert_eq!(mistake(r#"{"list": [{"number": 300}]}"#), (422, "/list/0/number".into()));
        assert_eq!(mistake(r#"{"lst": []}"#), (422, "/lst".into()));
        assert_eq!(mistake(r#"{"list": []"#).0, 400);
        assert_eq!(mistake("").0, 400);
        assert_eq!(mistake(r#"{"list": []} x"#).0, 400);
        assert_eq!(mistake(&"[".repeat(100_000)).0, 422);
    }
}
