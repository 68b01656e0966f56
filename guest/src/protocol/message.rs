//! A SCIM request and its response, following the HTTP binding of RFC 7644.

use insomnia_scim_contract::Header;
pub use insomnia_scim_contract::{ScimRequest as Request, ScimResponse as Response};
use uuid::Builder;

/// The longest request id, in bytes.
const LONGEST_ID: usize = 64;

/// Corrects what hosts may get wrong: header names with capital letters, a slash at the end of the base URL, a path
/// without its slash, a query with its question mark. A request id that is not suitable for logs and header fields is
/// replaced by a random one, whose bytes `fill` provides.
pub fn make_fit(request: &mut Request, fill: impl FnOnce(&mut [u8])) {
    fold_names(&mut request.headers);
    while request.base_url.ends_with('/') {
        request.base_url.pop();
    }
    if !request.path.is_empty() && !request.path.starts_with('/') {
        request.path.insert(0, '/');
    }
    if let Some(query) = request.query.as_ref().and_then(|query| query.strip_prefix('?')) {
        request.query = Some(query.to_owned());
    }
    if !is_fit_id(&request.request_id) {
        let mut bytes = [0; 16];
        fill(&mut bytes);
        request.request_id = Builder::from_random_bytes(bytes).into_uuid().to_string();
    }
}

/// Puts the names of header fields into lower case. Look-ups expect them in lower case.
pub fn fold_names(headers: &mut [Header]) {
    for (name, _) in headers {
        name.make_ascii_lowercase();
    }
}

fn is_fit_id(id: &str) -> bool {
    (1..=LONGEST_ID).contains(&id.len()) && id.bytes().all(|byte| byte.is_ascii_alphanumeric() || byte == b'-')
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::testing::MemoryHost;

    fn fit(request: Request) -> Request {
        let (host, mut request) = (MemoryHost::at(1), request);
        make_fit(&mut request, |bytes| host.host().random.fill(bytes));
        request
    }

    #[test]
    fn a_request_id_that_is_not_fit_is_replaced_by_one_that_is() {
        let with = |id: &str| fit(Request { request_id: id.to_owned(), ..Request::default() }).request_id;
        assert_eq!(with("abc-123"), "abc-123");
        for unfit in ["", "a\nb", "a b", "é", &"a".repeat(65)] {
            let made = with(unfit);
            assert!(is_fit_id(&made), "{unfit:?} became {made:?}");
        }
    }

    #[test]
    fn names_of_header_fields_are_found_in_whatever_case_they_come() {
        let headers = vec![("Authorization".to_owned(), "Bearer X".to_owned())];
        let request = fit(Request { headers, ..Request::default() });
        assert_eq!(request.header("authorization"), Some("Bearer X"));
    }

    #[test]
    fn slashes_and_question_marks_too_many_or_too_few_are_forgiven() {
        let request = fit(Request {
            base_url: "https://x/scim/v2/a//".into(),
            path: "Users".into(),
            query: Some("?count=1".into()),
            ..Request::default()
        });
        let parts = (request.base_url.as_str(), request.path.as_str(), request.query.as_deref());
        assert_eq!(parts, ("https://x/scim/v2/a", "/Users", Some("count=1")));
    }
}
