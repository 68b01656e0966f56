//! Whether a caller would be let in, before a large body is taken from it.

use super::context::Host;
use crate::connector::{access_token_hash, authenticate};
use crate::store::{Store, StoreError, keys};

/// Whether a request with this `Authorization` header would be let in now. A storage that can't be asked is no reason to
/// turn it away: it will be answered as it is handled.
#[must_use]
pub fn admits(host: Host<'_>, authorization: Option<&str>) -> bool {
    is_admitted(&host.store(), authorization).unwrap_or(true)
}

fn is_admitted(store: &Store<'_>, authorization: Option<&str>) -> Result<bool, StoreError> {
    store.prefetch(vec![keys::ORGANIZATION.to_vec(), keys::CONNECTOR.to_vec()])?;
    let options = store.organization()?.map(|stored| stored.record.options).unwrap_or_default();
    let connector = store.connector()?.map(|stored| stored.record);
    let access = match access_token_hash(authorization) {
        Some(sha256) => store.oauth_access(&sha256)?,
        None => None,
    };
    Ok(authenticate(connector.as_ref(), &options, authorization, access.as_ref(), store.now()).is_ok())
}
