//! The sessions of the page: its own, or the backend's.

use std::sync::Arc;

use super::passphrase_sessions::PassphraseSessions;
use super::session::SessionProvider;

/// The page's own sessions, or the backend's.
pub(super) enum Sessions {
    Own(PassphraseSessions),
    Backend(Arc<dyn SessionProvider>),
}

impl Sessions {
    pub(super) fn provider(&self) -> &dyn SessionProvider {
        match self {
            Self::Own(sessions) => sessions,
            Self::Backend(sessions) => &**sessions,
        }
    }

    pub(super) fn own(&self) -> Option<&PassphraseSessions> {
        match self {
            Self::Own(sessions) => Some(sessions),
            Self::Backend(_) => None,
        }
    }
}
