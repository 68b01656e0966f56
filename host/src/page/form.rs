//! Forms: their fields, and the check that a page of this site has sent them with the token of the session.

use std::collections::HashMap;

use axum::Form;
use axum::extract::{FromRequest, FromRequestParts, Request};
use axum::http::StatusCode;
use axum::http::request::Parts;

use super::refusal::Refusal;
use super::security_headers::same_origin;
use super::state::PageState;
use super::visit::{Visit, is_token};

/// The fields of a form.
pub(super) struct Fields(HashMap<String, String>);

impl Fields {
    /// The field as it was typed; empty if it was not sent.
    pub(super) fn raw(&self, name: &str) -> &str {
        self.0.get(name).map_or("", String::as_str)
    }

    /// The field without blanks around it; `None` if it is empty.
    pub(super) fn typed(&self, name: &str) -> Option<&str> {
        Some(self.raw(name).trim()).filter(|text| !text.is_empty())
    }
}

/// Reads a form. It must come from a page of this site.
pub(super) async fn read(request: Request, state: &PageState) -> Result<(Parts, Fields), Refusal> {
    if !same_origin(request.headers(), state.provisioner.base_url()) {
        let text = "The form was sent by another site, or this server's base URL is not the one in your address bar. \
                    Nothing was changed.";
        return Err(Refusal::new(StatusCode::FORBIDDEN, "Request from another site", text));
    }
    let (parts, body) = request.into_parts();
    let request = Request::from_parts(parts.clone(), body);
    let fields = Form::<HashMap<String, String>>::from_request(request, state).await.map_err(|rejection| {
        Refusal::new(rejection.status(), "Not understood", "The form could not be read. Nothing was changed.")
    })?;
    Ok((parts, Fields(fields.0)))
}

/// A form of an owner or co-owner.
pub(super) struct Posted {
    pub(super) visit: Visit,
    pub(super) fields: Fields,
}

impl FromRequest<PageState> for Posted {
    type Rejection = Refusal;

    async fn from_request(request: Request, state: &PageState) -> Result<Self, Refusal> {
        let (mut parts, fields) = read(request, state).await?;
        let visit = Visit::from_request_parts(&mut parts, state).await?;
        if !is_token(fields.raw("csrf"), &visit.csrf) {
            let text = "The form belongs to a session that has ended. Nothing was changed. Go back, reload the page, \
                        and try again.";
            return Err(Refusal::new(StatusCode::FORBIDDEN, "Page out of date", text));
        }
        Ok(Self { visit, fields })
    }
}
