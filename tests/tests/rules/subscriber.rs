//! A backend in the process of the host that receives events, and sometimes fails to confirm them.

use std::collections::BTreeSet;
use std::sync::Mutex;

use async_trait::async_trait;
use insomnia_scim::OrganizationId;
use insomnia_scim::event::{Event, EventSubscriber};
use serde_json::Value;

use crate::dice::Dice;

/// The backend.
pub(crate) struct Subscriber {
    /// Throws whether a batch is refused, or taken and then disclaimed; without dice everything is taken.
    dice: Mutex<Option<Dice>>,
    taken: Mutex<Vec<Event>>,
}

impl Subscriber {
    /// One that takes everything.
    pub(crate) fn reliable() -> Self {
        Self { dice: Mutex::new(None), taken: Mutex::default() }
    }

    /// One that fails at random.
    pub(crate) fn unreliable(dice: Dice) -> Self {
        Self { dice: Mutex::new(Some(dice)), taken: Mutex::default() }
    }

    /// From now on everything is taken.
    pub(crate) fn recover(&self) {
        *self.dice.lock().unwrap() = None;
    }

    /// How many events came, those that came again included.
    pub(crate) fn deliveries(&self) -> usize {
        self.taken.lock().unwrap().len()
    }

    /// The events, each once, in the order of their first arrival.
    pub(crate) fn events(&self) -> Vec<Value> {
        let mut seen = BTreeSet::new();
        let taken = self.taken.lock().unwrap();
        let first = taken.iter().filter(|event| seen.insert(event.position.clone()));
        first.map(|event| serde_json::from_str(&event.document).unwrap()).collect()
    }
}

#[async_trait]
impl EventSubscriber for Subscriber {
    async fn take(&self, _: &OrganizationId, events: &[Event]) -> Result<(), String> {
        let (refuse, disclaim) = match &mut *self.dice.lock().unwrap() {
            Some(dice) => (dice.one_in(12), dice.one_in(12)),
            None => (false, false),
        };
        if refuse {
            return Err("the backend is down".into());
        }
        self.taken.lock().unwrap().extend_from_slice(events);
        if disclaim { Err("the backend crashed before it could say that it has them".into()) } else { Ok(()) }
    }
}
