//! How many streams an organization has open: live logs and exports, and in a count of their own receivers that wait.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, PoisonError};

use crate::capability::storage::OrganizationId;

/// Streams of one organization at the same time.
const MOST: usize = 20;

/// The open streams of all organizations.
#[derive(Default)]
pub(crate) struct Streams(Mutex<HashMap<OrganizationId, usize>>);

/// One open stream.
pub(crate) struct Stream {
    streams: Arc<Streams>,
    organization: OrganizationId,
}

impl Streams {
    /// One more; `None` if there are too many.
    pub(crate) fn open(self: &Arc<Self>, organization: &OrganizationId) -> Option<Stream> {
        let mut open = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let count = open.entry(organization.clone()).or_default();
        if *count >= MOST {
            return None;
        }
        *count += 1;
        Some(Stream { streams: Arc::clone(self), organization: organization.clone() })
    }
}

impl Drop for Stream {
    fn drop(&mut self) {
        let mut open = self.streams.0.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(count) = open.get_mut(&self.organization) {
            *count -= 1;
            if *count == 0 {
                open.remove(&self.organization);
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_organization_has_so_many_streams_and_takes_none_from_others() {
        let streams = Arc::new(Streams::default());
        let (one, two) = (OrganizationId::parse("a").unwrap(), OrganizationId::parse("b").unwrap());
        let mut open: Vec<Stream> = (0..MOST).filter_map(|_| streams.open(&one)).collect();
        assert_eq!(open.len(), MOST);
        assert!(streams.open(&one).is_none());
        assert!(streams.open(&two).is_some());
        open.pop();
        assert!(streams.open(&one).is_some());
        open.clear();
        assert!(streams.0.lock().unwrap().is_empty());
    }
}
