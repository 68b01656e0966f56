//! Answers that are a page of a list.

use axum::Json;
use axum::http::{HeaderMap, HeaderValue, Uri, header};
use axum::response::{IntoResponse, Response};
use serde::Serialize;
use utoipa::ToSchema;

use crate::directory::{Found, Listed};

/// A page of a list.
#[derive(Serialize, ToSchema)]
pub(super) struct ListOf<T> {
    /// The items.
    pub(super) items: Vec<T>,
    /// The value of the parameter `after` for the next page; `null` on the last page. A page with fewer items than
    /// requested may still have a next one.
    #[schema(required = true)]
    pub(super) next: Option<String>,
    /// The value of the parameter `after` for the previous page. Only lists of members and teams have it, except on the
    /// first page.
    #[schema(nullable = false)]
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) previous: Option<String>,
}

impl<T> ListOf<T> {
    /// A page of the first `limit` items. The caller gives one item more if there is another page, and `id` makes the
    /// value of `next` from the last item of the page.
    pub(super) fn page(mut items: Vec<T>, limit: u32, id: impl FnOnce(&T) -> String) -> Self {
        let more = items.len() > limit as usize;
        items.truncate(limit as usize);
        let next = items.last().filter(|_| more).map(id);
        Self { items, next, previous: None }
    }

    /// A list that always fits on one page.
    pub(super) fn whole(items: Vec<T>) -> Self {
        Self { items, next: None, previous: None }
    }
}

impl<T> From<Listed<T>> for ListOf<T> {
    fn from(listed: Listed<T>) -> Self {
        Self { items: listed.items, next: listed.next, previous: None }
    }
}

impl<T> From<Found<T>> for ListOf<T> {
    fn from(found: Found<T>) -> Self {
        Self { items: found.items, next: found.next, previous: found.previous }
    }
}

/// The beginning of the next page; the frame of the API makes a link of it.
#[derive(Clone)]
pub(super) struct Next(String);

impl<T: Serialize> IntoResponse for ListOf<T> {
    fn into_response(self) -> Response {
        let next = self.next.clone().map(Next);
        let mut response = Json(self).into_response();
        if let Some(next) = next {
            response.extensions_mut().insert(next);
        }
        response
    }
}

/// Adds the link to the next page (RFC 8288). `home` is the URL of the API, and `uri` is the request's URI below it.
pub(super) fn link(next: &Next, home: &str, uri: &Uri, headers: &mut HeaderMap) {
    let pairs = url::form_urlencoded::parse(uri.query().unwrap_or_default().as_bytes());
    let mut query = url::form_urlencoded::Serializer::new(String::new());
    query.extend_pairs(pairs.filter(|(name, _)| name != "after")).append_pair("after", &next.0);
    let link = format!("<{home}{}?{}>; rel=\"next\"", uri.path(), query.finish());
    if let Ok(link) = HeaderValue::try_from(link) {
        headers.insert(header::LINK, link);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_link_keeps_the_filter_and_replaces_the_cursor() {
        let uri: Uri = "/organizations/a/logs?text=a%20b&after=1&limit=2".parse().unwrap();
        let mut headers = HeaderMap::new();
        link(&Next("n/2".into()), "https://h/api/v1", &uri, &mut headers);
        let expected = "<https://h/api/v1/organizations/a/logs?text=a+b&limit=2&after=n%2F2>; rel=\"next\"";
        assert_eq!(headers[header::LINK], expected);
    }
}
