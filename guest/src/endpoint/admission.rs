//! Authenticates the caller, notes the result in the SCIM log, and answers callers who are refused.

use std::cell::RefCell;

use super::answer::Answer;
use crate::capability::Host;
use crate::connector::{Authenticated, Credential, Presented, Unauthenticated, authenticate, refresh};
use crate::journal::{Note, Standing};
use crate::protocol::error::ScimError;
use crate::protocol::message::Request;
use crate::sentence::Sentence;
use crate::store::{AccessRecord, Cause, ConnectorRecord, Options, Store, StoreError, keys};
use crate::url;

/// `connector-used` is written again only after this many milliseconds.
const USED_AGAIN: u64 = 60_000;

/// Whether a request with this `Authorization` header would be admitted, asked before the server reads a large body. If
/// the storage can't be asked, the answer is yes: the request gets its error when it is handled.
#[must_use]
pub fn admits(host: Host<'_>, authorization: Option<&str>) -> bool {
    let (store, presented) = (host.store(), Presented::in_header(authorization));
    let attempt = || -> Result<bool, StoreError> {
        store.prefetch(vec![keys::ORGANIZATION.to_vec(), keys::CONNECTOR.to_vec()])?;
        let options = store.organization()?.map(|stored| stored.record.options).unwrap_or_default();
        Ok(Door::open(&store, &presented)?.asks(&store, &options, &presented).is_ok())
    };
    attempt().unwrap_or(true)
}

/// How the path of a protected resource's metadata begins. It goes between the resource's host and path (RFC 9728
/// §3.1).
const RESOURCE_METADATA: &str = "/.well-known/oauth-protected-resource";

/// A caller who was not authenticated.
pub(super) struct Refused {
    /// The reason why the caller was refused.
    reason: Unauthenticated,
    /// Whether the caller has sent no credentials: such a caller may read how to authenticate.
    pub(super) is_silent: bool,
}

/// Authenticates the caller, and notes in the log which credential the caller has used.
///
/// # Errors
/// If the storage can't answer.
pub(super) fn admit(
    store: &Store<'_>,
    options: &Options,
    presented: &Presented<'_>,
    request_id: &str,
    note: &RefCell<Note>,
) -> Result<Result<(), Refused>, ScimError> {
    let door = Door::open(store, presented)?;
    let mut noted = note.borrow_mut();
    match door.asks(store, options, presented) {
        Ok(caller) => {
            noted.standing = Standing::Admitted;
            noted.token_generation = Some(caller.generation);
            noted.caller = Some(admitted(caller, door.access.as_ref()));
            let credential = match &door.access {
                Some(access) if caller.credential == Credential::AccessToken => {
                    format!("oauth-client {}", access.client)
                }
                _ => format!("token {}", caller.generation),
            };
            let request_id = Some(request_id.to_owned());
            store.caused_by(Cause { request_id, credential: Some(credential), ..Cause::default() });
            drop(noted);
            note_use(store, caller)?;
            Ok(Ok(()))
        }
        Err(reason) => {
            let is_silent = reason == Unauthenticated::Missing;
            noted.token_generation = reason.generation();
            if reason.generation().is_some() {
                noted.standing = Standing::Refused;
            }
            noted.caller = refused(reason, door.access.as_ref());
            Ok(Err(Refused { reason, is_silent }))
        }
    }
}

/// The stored data about credentials: the connector, and the access token if one was presented.
struct Door {
    connector: Option<ConnectorRecord>,
    access: Option<AccessRecord>,
}

impl Door {
    fn open(store: &Store<'_>, presented: &Presented<'_>) -> Result<Self, StoreError> {
        let connector = store.connector()?.map(|stored| stored.record);
        let access = match presented.access_token() {
            Some(sha256) => store.oauth_access(sha256)?,
            None => None,
        };
        Ok(Self { connector, access })
    }

    fn asks(
        &self,
        store: &Store<'_>,
        options: &Options,
        presented: &Presented<'_>,
    ) -> Result<Authenticated, Unauthenticated> {
        authenticate(self.connector.as_ref(), options, presented, self.access.as_ref(), store.now())
    }
}

impl Refused {
    /// 401 with the offered authentication schemes (RFC 7644 §2, RFC 6750 §3, RFC 7617 §2), and the URL of the document
    /// that says how to get a token (RFC 9728 §5.1).
    pub(super) fn answer(&self, request: &Request, note: &RefCell<Note>, takes_basic: bool) -> Answer {
        let refusal = self.reason;
        let mut challenge = "Bearer realm=\"SCIM\"".to_owned();
        if refusal != Unauthenticated::Missing {
            challenge.push_str(&format!(", error=\"invalid_token\", error_description=\"{refusal}\""));
        }
        let (origin, path) = url::split(&request.base_url);
        challenge.push_str(&format!(", resource_metadata=\"{origin}{RESOURCE_METADATA}{path}\""));
        let error = ScimError::from(refusal);
        let answer = Answer::refusal(&error, &request.request_id);
        note.borrow_mut().error = Some(error);
        let basic = takes_basic.then(|| "Basic realm=\"SCIM\", charset=\"UTF-8\"".to_owned());
        let challenges = [Some(challenge), basic].into_iter().flatten();
        Answer { headers: challenges.map(|challenge| ("www-authenticate", challenge)).collect(), ..answer }
    }
}

fn note_use(store: &Store<'_>, caller: Authenticated) -> Result<(), StoreError> {
    let by_access_token = caller.credential == Credential::AccessToken;
    let used = if by_access_token { store.oauth_used()? } else { store.connector_used()? };
    if !used.is_some_and(|used| insomnia_scim_contract::lasts(used.saturating_add(USED_AGAIN), store.now(), USED_AGAIN))
    {
        if by_access_token { store.note_oauth_used()? } else { store.note_connector_used()? }
    }
    if caller.credential == Credential::NextToken {
        // The request succeeds even if this note fails: a later request will write it.
        if let Err(error) = refresh::arrived(store, caller.generation) {
            eprintln!("the arrival of the new token could not be noted: {error}");
        }
    }
    Ok(())
}

/// Describes for the log the credential that authenticates the caller.
fn admitted(caller: Authenticated, access: Option<&AccessRecord>) -> String {
    let generation = caller.generation;
    let sentence = match caller.credential {
        Credential::Token => Sentence::Token { generation },
        Credential::NextToken => Sentence::NextToken { generation },
        Credential::PreviousToken => Sentence::PreviousToken { generation },
        Credential::AccessToken => Sentence::AccessToken { client: client(access) },
    };
    sentence.into()
}

/// Describes for the log the credential of a refused caller; `None` if it is no credential of this organization.
fn refused(refusal: Unauthenticated, access: Option<&AccessRecord>) -> Option<String> {
    let sentence = match refusal {
        Unauthenticated::Missing | Unauthenticated::Scheme | Unauthenticated::Wrong => return None,
        Unauthenticated::Expired { generation } => Sentence::TokenExpired { generation },
        Unauthenticated::Replaced { generation } => Sentence::TokenReplaced { generation },
        Unauthenticated::AccessTokenExpired { .. } => Sentence::AccessTokenExpired { client: client(access) },
        Unauthenticated::Disabled { .. } if access.is_some() => {
            Sentence::AccessTokenDisabled { client: client(access) }
        }
        Unauthenticated::Disabled { generation } => Sentence::TokenDisabled { generation },
    };
    Some(sentence.into())
}

fn client(access: Option<&AccessRecord>) -> String {
    access.map(|access| access.client.clone()).unwrap_or_default()
}
