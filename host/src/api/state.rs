//! The state that all handlers of the API share.

use std::sync::Arc;

use axum::http::request::Parts;
use bytes::Bytes;

use super::scopes::Scopes;
use crate::api_keys::ApiKeys;
use crate::provisioner::Provisioner;
use crate::server::bill::Bill;
use crate::server::body::BodyError;
use crate::server::streams::Streams;
use crate::server::throttle::{OF_ADDRESS, Throttle};

/// Cheap to clone.
#[derive(Clone)]
pub(super) struct ApiState(Arc<Shared>);

pub(super) struct Shared {
    pub(super) provisioner: Provisioner,
    pub(super) keys: ApiKeys,
    /// The limit of wrong keys from one address.
    pub(super) wrong: Throttle,
    /// The running exports of logs.
    pub(super) streams: Arc<Streams>,
    /// The OpenAPI document.
    pub(super) document: Bytes,
    /// The scope that each operation needs.
    pub(super) scopes: Scopes,
}

impl std::ops::Deref for ApiState {
    type Target = Shared;

    fn deref(&self) -> &Shared {
        &self.0
    }
}

impl ApiState {
    pub(super) fn new(provisioner: Provisioner, document: Bytes, scopes: Scopes) -> Self {
        let keys = provisioner.api_keys();
        Self(Arc::new(Shared {
            provisioner,
            keys,
            wrong: Throttle::new(OF_ADDRESS),
            streams: Arc::default(),
            document,
            scopes,
        }))
    }

    /// The memory of the host that the request uses.
    pub(super) fn bill(&self, request: &Parts) -> Result<Bill, BodyError> {
        Bill::of(request, self.provisioner.runtime().ledger()).map_err(|_| BodyError::Busy)
    }

    /// Milliseconds since the Unix epoch.
    pub(super) fn now(&self) -> u64 {
        self.provisioner.clock().now()
    }
}
