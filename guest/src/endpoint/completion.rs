//! The result of a request that was accepted to be run later: the client reads Security Event Tokens by GET (RFC 9967
//! §2.5.1).

use serde_json::{Map, Value, json};

use super::answer::{Answer, encode};
use super::context::Context;
use crate::protocol::error::ScimError;
use crate::protocol::query::Query;
use crate::store::{AcceptedRecord, DueSet, OutcomeRecord, StreamRecord, Versioned, keys};
use crate::streams::{Signer, SignerError, token};

/// The media type of a token (RFC 8417 §2.3).
const TOKEN: &str = "application/secevent+jwt";
/// After how many seconds the client may ask again.
const AGAIN: u32 = 1;
/// The most tokens in one answer.
const MOST: u32 = 100;

/// Serves a GET of a result. The transaction is that of a whole request, or of one operation of a bulk request.
///
/// While there is no result the answer is 202 without a body. For a bulk request as a whole the answer holds the tokens
/// in the form of RFC 8936, in pages of at most 100 from `startIndex` on; otherwise the answer is the token itself.
pub(super) fn completion(context: &Context<'_, '_>, transaction: &str) -> Result<Answer, ScimError> {
    let store = context.store;
    let not_found = || ScimError::not_found(format!("There is no asynchronous request '{}'", cut_id(transaction)));
    let (id, index) = match transaction.split_once(':') {
        Some((id, digits)) => {
            let index = digits.parse::<usize>().ok().filter(|index| index.to_string() == digits);
            (id, Some(index.ok_or_else(not_found)?))
        }
        None => (transaction, None),
    };
    let accepted = store.accepted(id)?.map(|Versioned { record, .. }| record);
    let is_own = |accepted: &AcceptedRecord| is_same_client(&accepted.credential, store.credential().as_deref());
    let accepted =
        accepted.filter(|accepted| is_own(accepted) && !accepted.is_over(store.now())).ok_or_else(not_found)?;
    if index.is_some_and(|index| !accepted.is_bulk || index >= accepted.operations) {
        return Err(not_found());
    }
    let first = index.or((!accepted.is_bulk).then_some(0));
    if let Some(index) = first {
        let mut outcomes = store.accepted_outcomes(id, index, 1)?;
        let outcome = outcomes.pop().filter(|(found, outcome)| *found == index && outcome.record.result.is_some());
        let Some((_, outcome)) = outcome else { return Ok(pending()) };
        let signing = Signing::open(context)?;
        let (_, body) = signing.token(&accepted, id, index, &outcome.record)?;
        return Ok(Answer { media_type: Some(TOKEN), ..Answer::json(200, body.into_bytes()) });
    }
    if accepted.finished.is_none() {
        return Ok(pending());
    }
    let query = Query::from_parameters(context.request.query.as_deref(), context.mode)?;
    let start = usize::try_from(query.start_index.saturating_sub(1)).unwrap_or(usize::MAX);
    let count = usize::try_from(query.count.min(MOST)).unwrap_or(0);
    let (signing, mut sets) = (Signing::open(context)?, Map::new());
    let outcomes =
        if start < accepted.operations && count > 0 { store.accepted_outcomes(id, start, count)? } else { Vec::new() };
    for (index, outcome) in &outcomes {
        let (jti, token) = signing.token(&accepted, id, *index, &outcome.record)?;
        sets.insert(jti, token.into());
    }
    let more = start.saturating_add(count) < accepted.operations;
    let body: Value = json!({"sets": sets, "moreAvailable": more});
    Ok(Answer { media_type: Some("application/json"), ..Answer::json(200, encode(&body)) })
}

fn pending() -> Answer {
    Answer { status: 202, headers: vec![("retry-after", AGAIN.to_string())], ..Answer::default() }
}

/// Whether both credentials belong to the same client. A new connector token belongs to the client that had the old
/// one.
fn is_same_client(one: &str, other: Option<&str>) -> bool {
    let client =
        |credential: &str| if credential.starts_with("token ") { String::new() } else { credential.to_owned() };
    other.is_some_and(|other| client(one) == client(other))
}

fn cut_id(transaction: &str) -> &str {
    crate::text::cut(transaction, keys::ID + 5)
}

/// The key that signs tokens, and the event stream in whose name it signs.
struct Signing {
    signer: Signer,
    stream: StreamRecord,
}

impl Signing {
    /// Chooses the key of an event stream that reports the same requests: the client that reads the token knows that
    /// stream's keys.
    fn open(context: &Context<'_, '_>) -> Result<Self, ScimError> {
        let store = context.store;
        let streams = store.streams()?;
        let stream = streams.iter().find(|stream| stream.tells_responses()).or(streams.first()).cloned();
        let stream = stream.ok_or_else(|| {
            ScimError::not_found("The organization no longer has an event stream, whose key would sign the result")
        })?;
        let busy = |error: &dyn std::fmt::Display| {
            eprintln!("the result of an asynchronous request can't be signed: {error}");
            ScimError { retry_after: Some(60), ..ScimError::status(503, "Results can't be signed for the moment") }
        };
        let secrets = store.secrets().ok_or_else(|| busy(&"there is no encryption"))?;
        match Signer::open(store, secrets) {
            Ok(signer) => Ok(Self { signer, stream }),
            Err(SignerError::Store(error)) => Err(error.into()),
            Err(error) => Err(busy(&error)),
        }
    }

    /// The token and its `jti`. The `jti` is the same at every call, and differs from those of all stream tokens.
    fn token(
        &self,
        accepted: &AcceptedRecord,
        id: &str,
        index: usize,
        outcome: &OutcomeRecord,
    ) -> Result<(String, String), ScimError> {
        let set = accepted.completion(id, index, outcome);
        let jti = accepted.transaction(id, index);
        let due = DueSet { id: jti.clone(), version: 0, record: None };
        let token = set.and_then(|set| token(&self.stream, &self.signer, &due, &set));
        let failed = || ScimError::status(500, "The server failed. Its operator finds the reason in its log");
        Ok((jti, token.ok_or_else(failed)?))
    }
}
