//! The component `capabilities`: secrets with a key of the operator, emails as files in a folder, and requests over
//! `wasi:http/outgoing-handler`.

#![cfg(target_family = "wasm")]

use std::env;
use std::fs::{self, File};
use std::io::{Read, Write};
use std::path::Path;
use std::time::Duration;

use chacha20poly1305::aead::{Aead, KeyInit, Payload};
use chacha20poly1305::{Key, XChaCha20Poly1305, XNonce};
use wasip2::http::outgoing_handler;
use wasip2::http::types::{ErrorCode, Fields, Method, OutgoingBody, OutgoingRequest, RequestOptions, Scheme};

use bindings::exports::insomnia::scim::{email, http, secrets};
use email::{EmailError, Message};
use http::{HttpError, HttpRequest, HttpResponse};
use secrets::SecretsError;

/// The key for secrets: 64 hexadecimal digits.
const SECRETS_KEY: &str = "INSOMNIA_SCIM_SECRETS_KEY";
/// The organization whose secrets they are.
const ORGANIZATION: &str = "INSOMNIA_SCIM_ORGANIZATION";
/// `https` permits requests to others.
const OUTGOING: &str = "INSOMNIA_SCIM_OUTGOING";
const FOLDER: &str = "INSOMNIA_SCIM_FOLDER";
const DEFAULT_FOLDER: &str = "/data";

/// The first byte of a text that is sealed in this form.
const FORM: u8 = 1;
const NONCE_BYTES: usize = 24;
/// The time limit for each of these: a connection, the beginning of an answer, and a pause in it. Together they are shorter
/// than the claim on the organization's jobs, which no request renews.
const TIMEOUT: Duration = Duration::from_secs(4);
const RESPONSE_BYTES: u64 = 1 << 20;

struct Component;

impl secrets::Guest for Component {
    fn seal(plain: Vec<u8>) -> Result<Vec<u8>, SecretsError> {
        let mut nonce = [0; NONCE_BYTES];
        getrandom::fill(&mut nonce).map_err(|_| SecretsError::Other("there is no randomness".into()))?;
        let organization = organization();
        let payload = Payload { msg: &plain, aad: organization.as_bytes() };
        let sealed = cipher()?.encrypt(&XNonce::from(nonce), payload);
        let sealed = sealed.map_err(|_| SecretsError::Other("the secret can't be sealed".into()))?;
        Ok([&[FORM], nonce.as_slice(), &sealed].concat())
    }

    fn open(sealed: Vec<u8>) -> Result<Vec<u8>, SecretsError> {
        let cipher = cipher()?;
        let rest = sealed.strip_prefix(&[FORM]).ok_or(SecretsError::NotAuthentic)?;
        let (nonce, msg) = rest.split_first_chunk::<NONCE_BYTES>().ok_or(SecretsError::NotAuthentic)?;
        let organization = organization();
        let payload = Payload { msg, aad: organization.as_bytes() };
        cipher.decrypt(&XNonce::from(*nonce), payload).map_err(|_| SecretsError::NotAuthentic)
    }
}

fn organization() -> String {
    env::var(ORGANIZATION).unwrap_or_default()
}

fn cipher() -> Result<XChaCha20Poly1305, SecretsError> {
    let digits = env::var(SECRETS_KEY).map_err(|_| SecretsError::NotConfigured)?;
    let key = key(&digits).ok_or_else(|| SecretsError::Other(format!("{SECRETS_KEY} is no 64 hexadecimal digits")))?;
    Ok(XChaCha20Poly1305::new(&Key::from(key)))
}

fn key(digits: &str) -> Option<[u8; 32]> {
    let (pairs, rest) = digits.as_bytes().as_chunks::<2>();
    let mut key = [0; 32];
    if pairs.len() != key.len() || !rest.is_empty() {
        return None;
    }
    for (byte, pair) in key.iter_mut().zip(pairs) {
        let digit = |digit: &u8| char::from(*digit).to_digit(16).and_then(|digit| u8::try_from(digit).ok());
        let [high, low] = pair;
        *byte = digit(high)? << 4 | digit(low)?;
    }
    Some(key)
}

impl email::Guest for Component {
    /// Writes the message as a JSON file into the folder `mail`, for a mail system to send and to remove. The file is written
    /// as a whole or not at all. A message whose id comes again is the same message.
    fn send(message: Message) -> Result<(), EmailError> {
        let is_name = |c: char| c.is_ascii_alphanumeric() || "-_".contains(c);
        if message.id.is_empty() || message.id.len() > 200 || !message.id.chars().all(is_name) {
            return Err(EmailError::Rejected("the message's id is not fit for a file's name".into()));
        }
        let folder = env::var(FOLDER).unwrap_or_else(|_| DEFAULT_FOLDER.into());
        let folder = Path::new(&folder).join("mail");
        let letter = serde_json::json!({
            "id": message.id,
            "date": message.date,
            "to": message.to,
            "subject": message.subject,
            "text": message.text,
            "html": message.html,
        });
        let write = || {
            fs::create_dir_all(&folder)?;
            // The file gets a name of its own, because after a crash another instance may send the same message.
            let number = getrandom::u64().map_err(|error| std::io::Error::other(error.to_string()))?;
            let draft = folder.join(format!("{}.{number:016x}.draft", message.id));
            let mut file = File::create(&draft)?;
            file.write_all(letter.to_string().as_bytes())?;
            file.sync_all()?;
            fs::rename(&draft, folder.join(format!("{}.json", message.id)))
        };
        write().map_err(|error| EmailError::Unavailable(error.to_string()))
    }
}

impl http::Guest for Component {
    /// The egress policy is that of the host of `wasi:http`. This host resolves the names, so only it can tell whether an
    /// address is public. Therefore nothing is sent unless the operator has confirmed that its policy is the right one.
    fn send(request: HttpRequest) -> Result<HttpResponse, HttpError> {
        if env::var(OUTGOING).as_deref() != Ok("https") {
            return Err(HttpError::NotConfigured);
        }
        let (outgoing, body) = outgoing(&request)?;
        let stream = body.write().map_err(|()| HttpError::Other("the request has no body".into()))?;
        let options = RequestOptions::new();
        let timeout =
            request.timeout_milliseconds.map_or(TIMEOUT, |asked| TIMEOUT.min(Duration::from_millis(u64::from(asked))));
        let nanoseconds = u64::try_from(timeout.as_nanos()).ok();
        // If a host does not support one of the limits, its own limit applies.
        let _ = options.set_connect_timeout(nanoseconds);
        let _ = options.set_first_byte_timeout(nanoseconds);
        let _ = options.set_between_bytes_timeout(nanoseconds);
        let response = outgoing_handler::handle(outgoing, Some(options)).map_err(refusal)?;
        let mut stream = stream;
        stream.write_all(&request.body).map_err(|error| HttpError::Unreachable(error.to_string()))?;
        drop(stream);
        OutgoingBody::finish(body, None).map_err(refusal)?;
        response.subscribe().block();
        let response = match response.get() {
            Some(Ok(response)) => response.map_err(refusal)?,
            _ => return Err(HttpError::Other("the host has not answered".into())),
        };
        let headers = response.headers().entries().into_iter();
        let headers = headers.map(|(name, value)| (name.to_ascii_lowercase(), latin1(&value))).collect();
        let status = response.status();
        let body = response.consume().map_err(|()| HttpError::Other("the response has no body".into()))?;
        let stream = body.stream().map_err(|()| HttpError::Other("the response has no body".into()))?;
        let mut bytes = Vec::new();
        let read = stream.take(RESPONSE_BYTES + 1).read_to_end(&mut bytes);
        read.map_err(|error| HttpError::Unreachable(error.to_string()))?;
        if bytes.len() as u64 > RESPONSE_BYTES {
            return Err(HttpError::TooLarge);
        }
        Ok(HttpResponse { status, headers, body: bytes })
    }
}

fn outgoing(request: &HttpRequest) -> Result<(OutgoingRequest, OutgoingBody), HttpError> {
    let invalid = |what: &str| HttpError::Invalid(what.into());
    let rest = request.url.strip_prefix("https://");
    let rest = rest.ok_or_else(|| HttpError::NotAllowed("only https is permitted".into()))?;
    let rest = rest.split('#').next().unwrap_or_default();
    let (authority, path) = rest.split_at(rest.find(['/', '?']).unwrap_or(rest.len()));
    if authority.is_empty() || authority.contains('@') {
        return Err(invalid("the URL names no host, or has credentials"));
    }
    let path = if path.starts_with('/') { path.to_owned() } else { format!("/{path}") };
    let method = match request.method.as_str() {
        "GET" => Method::Get,
        "POST" => Method::Post,
        "PUT" => Method::Put,
        "PATCH" => Method::Patch,
        "DELETE" => Method::Delete,
        _ => return Err(invalid("there is no such method")),
    };
    let headers = request.headers.iter().map(|(name, value)| (name.clone(), value.clone().into_bytes()));
    let headers = headers.collect::<Vec<_>>();
    let headers = Fields::from_list(&headers).map_err(|error| HttpError::Invalid(error.to_string()))?;
    let outgoing = OutgoingRequest::new(headers);
    let set = outgoing
        .set_method(&method)
        .and_then(|()| outgoing.set_scheme(Some(&Scheme::Https)))
        .and_then(|()| outgoing.set_authority(Some(authority)))
        .and_then(|()| outgoing.set_path_with_query(Some(&path)));
    set.map_err(|()| invalid("the URL is not valid"))?;
    let body = outgoing.body().map_err(|()| HttpError::Other("the request has no body".into()))?;
    Ok((outgoing, body))
}

fn refusal(code: ErrorCode) -> HttpError {
    match code {
        ErrorCode::DestinationIpProhibited | ErrorCode::HttpRequestDenied => HttpError::NotAllowed(code.to_string()),
        ErrorCode::ConnectionTimeout
        | ErrorCode::ConnectionReadTimeout
        | ErrorCode::ConnectionWriteTimeout
        | ErrorCode::HttpResponseTimeout
        | ErrorCode::DnsTimeout => HttpError::Timeout,
        ErrorCode::HttpRequestMethodInvalid | ErrorCode::HttpRequestUriInvalid => HttpError::Invalid(code.to_string()),
        ErrorCode::InternalError(_) | ErrorCode::ConfigurationError => HttpError::Other(code.to_string()),
        other => HttpError::Unreachable(other.to_string()),
    }
}

/// The text of a header field. Bytes that are not ASCII are ISO 8859-1.
fn latin1(value: &[u8]) -> String {
    value.iter().map(|byte| char::from(*byte)).collect()
}

mod bindings {
    #![expect(unsafe_code, reason = "the generated glue passes memory between the component and its host")]
    #![allow(missing_docs, unreachable_pub, clippy::all, reason = "generated")]

    use super::Component;

    wit_bindgen::generate!({ world: "insomnia:scim-wasi-http/capabilities", path: ["../../../wit", "wit"] });

    export!(Component with_types_in self);
}
