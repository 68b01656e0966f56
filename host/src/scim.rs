//! A SCIM request and its response.

pub use insomnia_scim_contract::{ScimRequest, ScimResponse};

/// The refusal of a request whose organization was deleted while it was served: what the next one is answered.
pub(crate) fn deleted(request_id: &str) -> ScimResponse {
    let detail = "The token is not valid for this connector URL.";
    let mut response = ScimResponse::error(401, detail, request_id);
    let challenge = format!("Bearer realm=\"SCIM\", error=\"invalid_token\", error_description=\"{detail}\"");
    response.headers.push(("www-authenticate".to_owned(), challenge));
    response
}
