//! Authenticates the client (RFC 6749 §2.3) by `client_secret_basic`, `client_secret_post`, `private_key_jwt` (RFC 7523
//! §2.2), or not at all if the client is public.

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use insomnia_scim_contract::{ClientAssertion, OAuthRequest, lasts};
use subtle::ConstantTimeEq;

use super::answer::{Code, OAuthError};
use super::assertion::{self, Assertion, Expected};
use super::clients::LONGEST_OVERLAP;
use super::form::{Form, FormError};
use super::key_set::keys_for;
use super::{SECOND, jwks, operator};
use crate::capability::Host;
use crate::secret::sha256;
use crate::store::{ClientRecord, SecretRecord, Store, Versioned};
use crate::text::form_decoded;

/// The error for wrong credentials. It does not say which part is wrong.
const WRONG: OAuthError = OAuthError::Refused(Code::InvalidClient, "The client or its secret is unknown");
/// The error for a JWT that can't be parsed, or that the client has not signed.
const WRONG_ASSERTION: OAuthError = OAuthError::Refused(
    Code::InvalidClient,
    "The client assertion is no JWT that this client has signed with RS256 or ES256",
);

/// The means by which a client authenticates.
enum Proof<'f> {
    /// None: the client is public.
    None,
    /// A secret.
    Secret(String),
    /// A signed JWT.
    Assertion(Assertion<'f>),
}

/// Reads the form of a request, and authenticates the client that sent it.
pub(super) fn read(
    host: Host<'_>,
    store: &Store,
    request: &OAuthRequest,
) -> Result<(Form, Versioned<ClientRecord>), OAuthError> {
    let OAuthRequest { headers, body, issuer, operator_clients } = request;
    let media_type = header(headers, "content-type")?.unwrap_or("application/x-www-form-urlencoded");
    let media_type = media_type.split(';').next().unwrap_or_default().trim();
    if !media_type.eq_ignore_ascii_case("application/x-www-form-urlencoded") {
        return Err(OAuthError::Refused(Code::InvalidRequest, "The body must be application/x-www-form-urlencoded"));
    }
    let text = std::str::from_utf8(body).map_err(|_| FormError::Unreadable);
    let form = text.and_then(Form::parse).map_err(|error| match error {
        FormError::Unreadable => OAuthError::Refused(Code::InvalidRequest, "The form is too large or not UTF-8"),
        FormError::Repeated => OAuthError::Refused(Code::InvalidRequest, "A parameter occurs twice"),
    })?;
    let (id, proof) = presented(header(headers, "authorization")?, &form)?;
    let client = operator::current(store.oauth_client(&id)?, operator_clients).ok_or(WRONG)?;
    match (&client.record.assertion, proof) {
        (None, Proof::None) if client.record.is_public() => {}
        (None, Proof::Secret(secret)) => check_secret(&client.record, &secret, store.now())?,
        (Some(expected), Proof::Assertion(assertion)) => {
            check_assertion(host, store, &client, expected, &assertion, issuer)?;
        }
        (Some(_), _) => {
            let text = "The client must authenticate with a signed JWT (client_assertion)";
            return Err(OAuthError::Refused(Code::InvalidClient, text));
        }
        _ => return Err(WRONG),
    }
    Ok((form, client))
}

/// Checks a JWT: first the client's signature, then the claims.
fn check_assertion(
    host: Host<'_>,
    store: &Store,
    client: &Versioned<ClientRecord>,
    expected: &ClientAssertion,
    assertion: &Assertion<'_>,
    issuer: &str,
) -> Result<(), OAuthError> {
    let kid = assertion.kid.as_deref();
    let keys = keys_for(host, store, client, &expected.jwks_url, kid, assertion.algorithm)?;
    if !keys.iter().any(|key| jwks::verify(key, assertion.signed, &assertion.signature)) {
        return Err(WRONG_ASSERTION);
    }
    let id = client.record.id.as_str();
    // RFC 7523 §3 also allows the token endpoint's URL as the audience; a stricter client only uses the issuer.
    let audiences = match &expected.audience {
        Some(audience) => vec![audience.clone()],
        None => vec![issuer.to_owned(), format!("{issuer}/token")],
    };
    let expected = Expected {
        issuer: expected.issuer.as_deref().unwrap_or(id),
        subject: expected.subject.as_deref().unwrap_or(id),
        audiences: &audiences,
    };
    assertion.check(&expected, host.clock.now()).map_err(|text| OAuthError::Refused(Code::InvalidClient, text))
}

/// The client's id and its means of authentication. There may be only one such means (RFC 6749 §2.3).
fn presented<'f>(authorization: Option<&str>, form: &'f Form) -> Result<(String, Proof<'f>), OAuthError> {
    let authorization = authorization.map(str::trim).filter(|header| !header.is_empty());
    if let Some(text) = form.get("client_assertion") {
        if authorization.is_some() || form.get("client_secret").is_some() {
            return Err(OAuthError::Refused(Code::InvalidRequest, "The client authenticates in two ways at once"));
        }
        if form.get("client_assertion_type") != Some(assertion::TYPE) {
            let text = "The only client_assertion_type is urn:ietf:params:oauth:client-assertion-type:jwt-bearer";
            return Err(OAuthError::Refused(Code::InvalidRequest, text));
        }
        let assertion = Assertion::parse(text).ok_or(WRONG_ASSERTION)?;
        let id = form.get("client_id").or(assertion.subject()).ok_or(WRONG_ASSERTION)?.to_owned();
        return Ok((id, Proof::Assertion(assertion)));
    }
    let Some(authorization) = authorization else {
        let id = form.get("client_id").ok_or(OAuthError::Refused(
            Code::InvalidClient,
            "The client is missing: send it with HTTP Basic or as client_id and client_secret",
        ))?;
        let secret = form.get("client_secret").map(str::to_owned);
        return Ok((id.to_owned(), secret.map_or(Proof::None, Proof::Secret)));
    };
    if form.get("client_secret").is_some() {
        return Err(OAuthError::Refused(Code::InvalidRequest, "The client authenticates in two ways at once"));
    }
    let (scheme, rest) = authorization.split_once(char::is_whitespace).ok_or(WRONG)?;
    if !scheme.eq_ignore_ascii_case("basic") {
        return Err(OAuthError::Refused(Code::InvalidClient, "The client must authenticate with HTTP Basic"));
    }
    let decoded = STANDARD.decode(rest.trim()).ok().and_then(|bytes| String::from_utf8(bytes).ok()).ok_or(WRONG)?;
    let (id, secret) = decoded.split_once(':').ok_or(WRONG)?;
    let id = form_decoded(id);
    if form.get("client_id").is_some_and(|other| other != id) {
        return Err(OAuthError::Refused(Code::InvalidRequest, "The request names two clients"));
    }
    let secret = form_decoded(secret);
    Ok((id, if secret.is_empty() { Proof::None } else { Proof::Secret(secret) }))
}

/// Whether the client has this secret. If it has expired, the error says so.
fn check_secret(client: &ClientRecord, given: &str, now: u64) -> Result<(), OAuthError> {
    let sha256 = sha256(given);
    let is = |secret: &SecretRecord| -> bool { secret.sha256.as_bytes().ct_eq(sha256.as_bytes()).into() };
    // The previous secret is accepted no longer than the longest overlap, even if a clock was ahead when it was
    // replaced.
    let longest = u64::from(LONGEST_OVERLAP) * SECOND;
    let has_come = |secret: &&SecretRecord| secret.expires.is_none_or(|end| lasts(end, now, longest));
    let previous = client.previous_secret.as_ref().filter(has_come).is_some_and(is);
    let current = client.secret.as_ref().filter(|secret| is(secret));
    match current {
        _ if previous => Ok(()),
        Some(secret) if secret.expires.is_none_or(|expires| expires > now) => Ok(()),
        Some(_) => {
            let text = "The secret of the client has expired. Give the client a new one in Insomnia";
            Err(OAuthError::Refused(Code::InvalidClient, text))
        }
        None => Err(WRONG),
    }
}

/// A header field; an error if it occurs twice.
fn header<'h>(headers: &'h [(String, String)], name: &str) -> Result<Option<&'h str>, OAuthError> {
    let mut values = headers.iter().filter(|(known, _)| known.eq_ignore_ascii_case(name)).map(|(_, value)| value);
    let first = values.next().map(String::as_str);
    match values.next() {
        Some(_) => Err(OAuthError::Refused(Code::InvalidRequest, "A header field occurs twice")),
        None => Ok(first),
    }
}
