//! A SCIM request and its response.

pub use insomnia_scim_contract::{ScimRequest, ScimResponse};

use crate::quota::Exceeded;

/// The refusal of a request for which a quota of the organization is used up.
pub(crate) fn exceeded(status: u16, exceeded: &Exceeded, request_id: &str) -> ScimResponse {
    let text = exceeded.to_string();
    let mut characters = text.chars();
    let detail: String = characters.next().into_iter().flat_map(char::to_uppercase).chain(characters).collect();
    let mut response = ScimResponse::error(status, &format!("{detail}."), request_id);
    response.headers.retain(|(name, _)| name != "retry-after");
    response.headers.push(("retry-after".to_owned(), exceeded.wait.to_string()));
    response
}

/// The refusal of a request whose organization was deleted while it was served: what the next one is answered.
pub(crate) fn deleted(request_id: &str) -> ScimResponse {
    let detail = "The token is not valid for this connector URL.";
    let mut response = ScimResponse::error(401, detail, request_id);
    let challenge = format!("Bearer realm=\"SCIM\", error=\"invalid_token\", error_description=\"{detail}\"");
    response.headers.push(("www-authenticate".to_owned(), challenge));
    response
}
