//! The components that this process has loaded, apart from the one with which it was started.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use tokio::sync::OnceCell;
use tokio::time::Instant;
use wasmtime::Engine;

use super::compiled::{Compiled, Linked};
use super::error::ComponentError;
use crate::capability::storage::StorageError;
use crate::registry::{ComponentBook, ComponentId};

/// The number of loaded components from which on those are dropped that no organization of this process runs. It is as
/// many as can be stored.
const MOST: usize = 32;
/// A component that could not be loaded is tried again after this time.
const RETRY: Duration = Duration::from_secs(30);

/// The reason why a stored component can't be called.
#[derive(Clone, Debug, thiserror::Error)]
pub(super) enum LoadError {
    #[error("it is not stored any more")]
    Removed,
    #[error("{0}")]
    Unusable(Arc<ComponentError>),
    #[error("it can't be read: {0}")]
    Storage(StorageError),
    #[error("the runtime was shut down")]
    Interrupted,
}

type Loaded = Result<Arc<Linked>, LoadError>;

/// A component that is being loaded or is loaded.
#[derive(Clone)]
struct Place {
    loaded: Arc<OnceCell<Loaded>>,
    begun: Instant,
}

impl Place {
    fn has_failed(&self) -> bool {
        matches!(self.loaded.get(), Some(Err(_)))
    }

    fn may_be_tried_again(&self) -> bool {
        match self.loaded.get() {
            Some(Err(LoadError::Storage(_) | LoadError::Interrupted)) => true,
            Some(Err(LoadError::Removed | LoadError::Unusable(_))) => self.begun.elapsed() > RETRY,
            Some(Ok(_)) | None => false,
        }
    }
}

/// The loaded components. Each is loaded once, however many organizations run it.
pub(super) struct Shelf {
    engine: Engine,
    book: ComponentBook,
    places: Mutex<HashMap<ComponentId, Place>>,
}

impl Shelf {
    pub(super) fn new(engine: Engine, book: ComponentBook) -> Self {
        Self { engine, book, places: Mutex::default() }
    }

    /// The component, if it is loaded.
    pub(super) fn ready(&self, id: &ComponentId) -> Option<Arc<Linked>> {
        let place = self.lock().get(id).cloned()?;
        place.loaded.get()?.as_ref().ok().cloned()
    }

    /// Whether the last attempt to load the component has failed, and it is too early for the next one.
    pub(super) fn has_failed(&self, id: &ComponentId) -> bool {
        self.lock().get(id).is_some_and(|place| place.has_failed() && !place.may_be_tried_again())
    }

    /// Loads the component: reads it, compiles it or finds its compiled code, checks it and links it. Concurrent
    /// callers wait for the same result.
    pub(super) async fn load(self: &Arc<Self>, id: ComponentId) -> Loaded {
        let (shelf, place) = (Arc::clone(self), self.place(id));
        // This is a task of its own: if the caller gives up, the compiled code is ready for the next one.
        let loading = tokio::spawn(async move {
            let loaded = place.loaded.get_or_init(|| async {
                let stored = shelf.book.wasm(&id).await.map_err(LoadError::Storage)?;
                let (stored, wasm) = stored.ok_or(LoadError::Removed)?;
                shelf.prepare(stored.name, wasm).await
            });
            loaded.await.clone()
        });
        loading.await.unwrap_or(Err(LoadError::Interrupted))
    }

    /// Compiles, checks and links a component, which need not be stored, on a thread of its own.
    pub(super) async fn prepare(&self, name: String, wasm: Vec<u8>) -> Loaded {
        let engine = self.engine.clone();
        let linked = tokio::task::spawn_blocking(move || Compiled::new(&engine, &name, &wasm)?.link(&engine));
        let linked = linked.await.map_err(|_| LoadError::Interrupted)?;
        linked.map(Arc::new).map_err(|error| LoadError::Unusable(Arc::new(error)))
    }

    fn place(&self, id: ComponentId) -> Place {
        let mut places = self.lock();
        if let Some(place) = places.get(&id).filter(|place| !place.may_be_tried_again()) {
            return place.clone();
        }
        if places.len() >= MOST {
            let is_used = |loaded: Option<&Loaded>| match loaded {
                Some(Ok(linked)) => Arc::strong_count(linked) > 1,
                Some(Err(_)) => false,
                None => true,
            };
            places.retain(|_, place| is_used(place.loaded.get()));
        }
        let place = Place { loaded: Arc::default(), begun: Instant::now() };
        places.insert(id, place.clone());
        place
    }

    fn lock(&self) -> MutexGuard<'_, HashMap<ComponentId, Place>> {
        self.places.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
