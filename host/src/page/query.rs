//! Query strings of links.

use axum::extract::FromRequestParts;
use axum::http::StatusCode;
use axum::http::request::Parts;
use serde::de::DeserializeOwned;

use super::refusal::Refusal;
use super::state::PageState;
use crate::urls::encode;

/// The query of a request. An invalid one is refused with a page, like every other error.
pub(super) struct Query<T>(pub(super) T);

impl<T: DeserializeOwned> FromRequestParts<PageState> for Query<T> {
    type Rejection = Refusal;

    async fn from_request_parts(parts: &mut Parts, _: &PageState) -> Result<Self, Refusal> {
        let read = axum::extract::Query::<T>::try_from_uri(&parts.uri);
        let text = "The address is not valid: a part of it is missing or occurs twice.";
        read.map(|read| Self(read.0)).map_err(|_| Refusal::new(StatusCode::BAD_REQUEST, "Not understood", text))
    }
}

/// A query such as `?name=value&…` of the parameters that have a value; empty if none has one.
pub(super) fn query(pairs: &[(&str, Option<&str>)]) -> String {
    let given = pairs.iter().filter_map(|(name, value)| Some(format!("{name}={}", encode((*value)?))));
    let joined = given.collect::<Vec<_>>().join("&");
    if joined.is_empty() { joined } else { format!("?{joined}") }
}

/// The text that was typed into a field; `None` if there is none.
pub(super) fn typed(text: Option<&String>) -> Option<&str> {
    text.map(|text| text.trim()).filter(|text| !text.is_empty())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_query_holds_what_has_a_value_encoded() {
        assert_eq!(query(&[("q", Some("a b&ü")), ("after", None), ("x", Some("1"))]), "?q=a%20b%26%C3%BC&x=1");
        assert_eq!(query(&[("q", None)]), "");
    }
}
