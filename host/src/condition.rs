//! Whether the host can serve: whether its storage takes a write, and whether the component answers a call.
//!
//! The answer is kept for some seconds, so that it may be asked as often as one likes.

use std::time::Duration;

use tokio::sync::Mutex;
use tokio::time::{Instant, timeout};

use crate::capability::host_space::HostSpace;
use crate::capability::storage::{Change, OrganizationId, Storage, StorageError};
use crate::component::{CallError, Keep, Runtime};

/// How long an answer counts.
const FRESH: Duration = Duration::from_secs(5);
/// How long storage and component may take together.
const PATIENCE: Duration = Duration::from_secs(15);
/// Where it is written that the storage takes writes, in the host's own space.
const KEY: &[u8] = b"ready";
/// What is written, in bytes: two pages of SQLite, so that it needs room as a request's commit does.
const SIZE: usize = 16 << 10;

/// What keeps the host from serving all that it should.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum Trouble {
    /// Nothing can be written until somebody makes room. What is stored can be read.
    #[error(
        "the storage is full: make room where the data is kept; until then every change is refused, and what is stored can be read"
    )]
    StorageFull,
    /// Nothing can be written, or read, for the moment; the text says why.
    #[error("the storage does not accept writes: {0}")]
    Storage(String),
    /// The component answers no call; the log says why.
    #[error(
        "the component answers no call ({0}); see the log, and start the server without --component or with an earlier release"
    )]
    Component(CallError),
    /// It takes too long to tell.
    #[error("the storage or the component did not answer within {} seconds", PATIENCE.as_secs())]
    TooSlow,
}

/// What was found last.
#[derive(Default)]
pub(crate) struct Condition(Mutex<Option<(Instant, Option<Trouble>)>>);

impl Condition {
    /// What keeps the host from serving, `None` if nothing does. Whoever asks while somebody looks waits for that answer.
    pub(crate) async fn look(&self, storage: &dyn Storage, runtime: &Runtime) -> Option<Trouble> {
        let mut last = self.0.lock().await;
        if let Some((at, trouble)) = &*last
            && at.elapsed() < FRESH
        {
            return trouble.clone();
        }
        let trouble = timeout(PATIENCE, look(storage, runtime)).await.unwrap_or(Some(Trouble::TooSlow));
        let before = last.as_ref().and_then(|(_, trouble)| trouble.clone());
        match &trouble {
            Some(trouble) if before.as_ref() != Some(trouble) => tracing::error!("not ready: {trouble}"),
            None if before.is_some() => tracing::info!("ready again"),
            _ => {}
        }
        *last = Some((Instant::now(), trouble.clone()));
        trouble
    }
}

async fn look(storage: &dyn Storage, runtime: &Runtime) -> Option<Trouble> {
    match HostSpace(storage).change(vec![Change::put(KEY.to_vec(), vec![0; SIZE])]).await {
        Ok(()) => {}
        Err(StorageError::Full(_)) => return Some(Trouble::StorageFull),
        Err(error) => return Some(Trouble::Storage(error.to_string())),
    }
    // A call for no organization: what it reads is empty, and it can write nothing.
    let nobody = OrganizationId::nobody();
    let called = runtime.call(&nobody, Keep::Every, "insomnia_scim_scim.call_admits", move |store, exports| {
        Box::pin(async move { exports.insomnia_scim_scim().call_admits(store, None).await })
    });
    called.await.err().map(Trouble::Component)
}
