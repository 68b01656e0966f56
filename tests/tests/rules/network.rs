//! A network that stores the requests that it gets. A test can make it fail, or lose its answer.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex};

use async_trait::async_trait;
use insomnia_scim::OrganizationId;
use insomnia_scim::capability::http::{HttpClient, HttpError, IncomingResponse, OutgoingRequest};
use serde_json::Value;

use crate::rules::faults::Faults;

/// What becomes of a request.
pub(crate) enum Reply {
    /// It is taken: 204.
    Take,
    /// It is taken, and the sender does not hear of it.
    TakeAndBreak,
    /// It is not taken: this status, with these header fields.
    Status(u16, Vec<(String, String)>),
    /// It is answered with this document.
    Json(Value),
    /// It does not arrive.
    Fail(HttpError),
}

type Decide = Box<dyn FnMut(&OutgoingRequest) -> Reply + Send>;

/// The network, with a webhook's receiver at its end.
pub(crate) struct Network {
    faults: Arc<Faults>,
    decide: Mutex<Decide>,
    taken: Mutex<Vec<OutgoingRequest>>,
    attempts: Mutex<Vec<OutgoingRequest>>,
}

impl Network {
    pub(crate) fn new(faults: Arc<Faults>) -> Self {
        let take: Decide = Box::new(|_| Reply::Take);
        Self { faults, decide: Mutex::new(take), taken: Mutex::default(), attempts: Mutex::default() }
    }

    /// From now on this decides.
    pub(crate) fn decide(&self, decide: impl FnMut(&OutgoingRequest) -> Reply + Send + 'static) {
        *self.decide.lock().unwrap() = Box::new(decide);
    }

    /// From now on nothing is taken.
    pub(crate) fn break_down(&self) {
        self.decide(|_| Reply::Status(503, Vec::new()));
    }

    /// From now on everything is taken.
    pub(crate) fn recover(&self) {
        self.decide(|_| Reply::Take);
    }

    /// All that was sent, taken or not, in order.
    pub(crate) fn attempts(&self) -> Vec<OutgoingRequest> {
        self.attempts.lock().unwrap().clone()
    }

    /// All that was taken, in order; what was sent twice stands there twice.
    pub(crate) fn taken(&self) -> Vec<OutgoingRequest> {
        self.taken.lock().unwrap().clone()
    }

    /// The events that were taken, each id once, in the order of their first arrival. One id must stand for one event.
    pub(crate) fn events(&self) -> Vec<Value> {
        let mut seen: BTreeMap<String, Vec<u8>> = BTreeMap::new();
        let mut events = Vec::new();
        for request in self.taken() {
            let id = header(&request, "webhook-id").to_owned();
            match seen.insert(id.clone(), request.body.clone()) {
                Some(before) => assert_eq!(before, request.body, "two events have one id"),
                None => {
                    let event: Value = serde_json::from_slice(&request.body).unwrap();
                    assert_eq!(event["id"], id.as_str());
                    events.push(event);
                }
            }
        }
        events
    }

    /// The types of the events that were taken.
    pub(crate) fn event_types(&self) -> Vec<String> {
        self.events().iter().map(|event| event["type"].as_str().unwrap().to_owned()).collect()
    }
}

/// The value of a header field; empty if there is none.
pub(crate) fn header<'r>(request: &'r OutgoingRequest, name: &str) -> &'r str {
    request.headers.iter().find(|(known, _)| known.eq_ignore_ascii_case(name)).map_or("", |(_, value)| value)
}

#[async_trait]
impl HttpClient for Network {
    async fn send(&self, _: &OrganizationId, request: OutgoingRequest) -> Result<IncomingResponse, HttpError> {
        if self.faults.is_crashed() {
            return Err(HttpError::Unreachable("the host has crashed".into()));
        }
        self.attempts.lock().unwrap().push(request.clone());
        let reply = self.decide.lock().unwrap()(&request);
        let answer = |status, headers| Ok(IncomingResponse { status, headers, body: Vec::new() });
        match reply {
            Reply::Take => {
                self.taken.lock().unwrap().push(request);
                answer(204, Vec::new())
            }
            Reply::TakeAndBreak => {
                self.taken.lock().unwrap().push(request);
                Err(HttpError::Timeout)
            }
            Reply::Status(status, headers) => answer(status, headers),
            Reply::Json(document) => {
                Ok(IncomingResponse { status: 200, headers: Vec::new(), body: document.to_string().into_bytes() })
            }
            Reply::Fail(error) => Err(error),
        }
    }
}
