//! Who the client is (RFC 6749 §2.3): `client_secret_basic`, `client_secret_post`, or none for a public client.

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use insomnia_scim_contract::lasts;
use subtle::ConstantTimeEq;

use super::SECOND;
use super::answer::{Code, OAuthError};
use super::clients::LONGEST_OVERLAP;
use super::form::{Form, FormError};
use crate::secret::sha256;
use crate::store::{ClientRecord, SecretRecord, Store, Versioned};
use crate::text::form_decoded;

/// What is said whatever part of the credentials is wrong.
const WRONG: OAuthError = OAuthError::Refused(Code::InvalidClient, "The client or its secret is not known here");

/// The form of a request and the client that sent it.
pub(super) fn read(
    store: &Store,
    headers: &[(String, String)],
    body: &[u8],
) -> Result<(Form, Versioned<ClientRecord>), OAuthError> {
    let media_type = header(headers, "content-type")?.unwrap_or("application/x-www-form-urlencoded");
    let media_type = media_type.split(';').next().unwrap_or_default().trim();
    if !media_type.eq_ignore_ascii_case("application/x-www-form-urlencoded") {
        return Err(OAuthError::Refused(Code::InvalidRequest, "The body is application/x-www-form-urlencoded"));
    }
    let text = std::str::from_utf8(body).map_err(|_| FormError::Unreadable);
    let form = text.and_then(Form::parse).map_err(|error| match error {
        FormError::Unreadable => OAuthError::Refused(Code::InvalidRequest, "The form is too large or not UTF-8"),
        FormError::Repeated => OAuthError::Refused(Code::InvalidRequest, "A parameter stands there twice"),
    })?;
    let (id, secret) = presented(header(headers, "authorization")?, &form)?;
    let client = store.oauth_client(&id)?.ok_or(WRONG)?;
    match (&client.record.secret, secret) {
        (None, None) => {}
        (Some(_), Some(secret)) if is_secret(&client.record, &secret, store.now()) => {}
        _ => return Err(WRONG),
    }
    Ok((form, client))
}

/// The client's id and secret: in the header or in the form, never in both (RFC 6749 §2.3).
fn presented(authorization: Option<&str>, form: &Form) -> Result<(String, Option<String>), OAuthError> {
    let Some(authorization) = authorization.map(str::trim).filter(|header| !header.is_empty()) else {
        let id = form.get("client_id").ok_or(OAuthError::Refused(
            Code::InvalidClient,
            "The client is missing: send it with HTTP Basic or as client_id and client_secret",
        ))?;
        return Ok((id.to_owned(), form.get("client_secret").map(str::to_owned)));
    };
    if form.get("client_secret").is_some() {
        return Err(OAuthError::Refused(Code::InvalidRequest, "The client authenticates in two ways at once"));
    }
    let (scheme, rest) = authorization.split_once(char::is_whitespace).ok_or(WRONG)?;
    if !scheme.eq_ignore_ascii_case("basic") {
        return Err(OAuthError::Refused(Code::InvalidClient, "The client authenticates with HTTP Basic"));
    }
    let decoded = STANDARD.decode(rest.trim()).ok().and_then(|bytes| String::from_utf8(bytes).ok()).ok_or(WRONG)?;
    let (id, secret) = decoded.split_once(':').ok_or(WRONG)?;
    let id = form_decoded(id);
    if form.get("client_id").is_some_and(|other| other != id) {
        return Err(OAuthError::Refused(Code::InvalidRequest, "The request names two clients"));
    }
    let secret = form_decoded(secret);
    Ok((id, Some(secret).filter(|secret| !secret.is_empty())))
}

fn is_secret(client: &ClientRecord, given: &str, now: u64) -> bool {
    let sha256 = sha256(given);
    let is = |secret: &SecretRecord| -> bool {
        let same: bool = secret.sha256.as_bytes().ct_eq(sha256.as_bytes()).into();
        same && secret.expires.is_none_or(|expires| expires > now)
    };
    let current = client.secret.as_ref().is_some_and(is);
    // It stops being accepted after a day at the most, also where a clock was ahead when it was replaced.
    let has_come =
        |secret: &&SecretRecord| secret.expires.is_none_or(|end| lasts(end, now, u64::from(LONGEST_OVERLAP) * SECOND));
    let previous = client.previous_secret.as_ref().filter(has_come).is_some_and(is);
    current || previous
}

/// A header field; one that is there twice is an error.
fn header<'h>(headers: &'h [(String, String)], name: &str) -> Result<Option<&'h str>, OAuthError> {
    let mut values = headers.iter().filter(|(known, _)| known.eq_ignore_ascii_case(name)).map(|(_, value)| value);
    let first = values.next().map(String::as_str);
    match values.next() {
        Some(_) => Err(OAuthError::Refused(Code::InvalidRequest, "A header field stands there twice")),
        None => Ok(first),
    }
}
