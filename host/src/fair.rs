//! Turns that are given out in a ring: whoever asks for many waits behind themselves, not before others.
//!
//! A [`Gate`] has a number of turns. While some are free they are given at once. When there are none, each asker waits in
//! a queue of its own, and the queues are served one after the other, a turn each. So an asker with one request waits for
//! one turn of each other asker at the most, however many requests those have.

use std::collections::{HashMap, VecDeque};
use std::hash::Hash;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use tokio::sync::oneshot;

/// So many turns, for whoever asks. Clones are the same gate.
pub(crate) struct Gate<K: Eq + Hash + Clone>(Arc<Shared<K>>);

impl<K: Eq + Hash + Clone> Clone for Gate<K> {
    fn clone(&self) -> Self {
        Self(Arc::clone(&self.0))
    }
}

struct Shared<K: Eq + Hash + Clone> {
    /// Turns that one asker may have at the same time.
    most_of_one: usize,
    /// Whether an asker never has more turns than it leaves free for others.
    leaves_room: bool,
    state: Mutex<State<K>>,
}

struct State<K: Eq + Hash + Clone> {
    free: usize,
    /// Turns that are given, of each who has any.
    given: HashMap<K, usize>,
    waiting: HashMap<K, VecDeque<oneshot::Sender<Turn<K>>>>,
    /// Who waits, each once; the first is next.
    ring: VecDeque<K>,
}

/// A turn; dropping it gives it to the next.
pub(crate) struct Turn<K: Eq + Hash + Clone> {
    gate: Option<Gate<K>>,
    of: K,
}

impl<K: Eq + Hash + Clone> Gate<K> {
    /// A gate with so many turns, all of which one asker may have as long as nobody else wants one.
    pub(crate) fn new(turns: usize) -> Self {
        Self::build(turns, turns, false)
    }

    /// A gate for turns that are kept for long: one asker has no more than `most_of_one`, and no more than it leaves free
    /// for whoever comes next; but one turn is given to anybody if there is one.
    pub(crate) fn with_room(turns: usize, most_of_one: usize) -> Self {
        Self::build(turns, most_of_one, true)
    }

    fn build(turns: usize, most_of_one: usize, leaves_room: bool) -> Self {
        let state = State { free: turns, given: HashMap::new(), waiting: HashMap::new(), ring: VecDeque::new() };
        Self(Arc::new(Shared { most_of_one, leaves_room, state: Mutex::new(state) }))
    }

    /// A turn, if there is one for this asker now.
    pub(crate) fn try_enter(&self, of: &K) -> Option<Turn<K>> {
        let mut state = self.lock();
        if state.free == 0 {
            return None;
        }
        // Nobody who waits may be overtaken, unless they wait for themselves alone.
        let others_wait = state.ring.iter().any(|waiting| self.may_enter(&state, waiting));
        if others_wait || state.waiting.contains_key(of) || !self.may_enter(&state, of) {
            return None;
        }
        state.give(of);
        Some(Turn { gate: Some(self.clone()), of: of.clone() })
    }

    /// Waits for a turn. Dropping the future gives the place in the queue up.
    pub(crate) async fn enter(&self, of: &K) -> Turn<K> {
        loop {
            if let Some(turn) = self.try_enter(of) {
                return turn;
            }
            let (sender, receiver) = oneshot::channel();
            let place = {
                let mut state = self.lock();
                if !state.waiting.contains_key(of) {
                    state.ring.push_back(of.clone());
                }
                state.waiting.entry(of.clone()).or_default().push_back(sender);
                Place { gate: self, of }
            };
            // A turn may have been given back before the place was taken.
            self.serve();
            let turn = receiver.await;
            std::mem::forget(place);
            if let Ok(turn) = turn {
                return turn;
            }
        }
    }

    /// Whether this asker may have one more.
    fn may_enter(&self, state: &State<K>, of: &K) -> bool {
        let given = state.given.get(of).copied().unwrap_or(0);
        if state.free == 0 || given >= self.0.most_of_one {
            return false;
        }
        !self.0.leaves_room || given == 0 || given + 1 < state.free
    }

    /// Gives turns to those who wait, as long as there are any.
    fn serve(&self) {
        loop {
            let (of, sender) = {
                let mut state = self.lock();
                let next = state.ring.iter().position(|of| self.may_enter(&state, of));
                let Some(of) = next.and_then(|place| state.ring.remove(place)) else { return };
                let Some(queue) = state.waiting.get_mut(&of) else { continue };
                let sender = queue.pop_front();
                if queue.is_empty() {
                    state.waiting.remove(&of);
                } else {
                    state.ring.push_back(of.clone());
                }
                let Some(sender) = sender else { continue };
                state.give(&of);
                (of, sender)
            };
            // Outside of the lock: whoever has gone leaves the turn to the next.
            if let Err(mut turn) = sender.send(Turn { gate: Some(self.clone()), of }) {
                turn.gate = None;
                self.lock().take_back(&turn.of);
            }
        }
    }

    fn lock(&self) -> MutexGuard<'_, State<K>> {
        self.0.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl<K: Eq + Hash + Clone> State<K> {
    fn give(&mut self, of: &K) {
        self.free -= 1;
        *self.given.entry(of.clone()).or_default() += 1;
    }

    fn take_back(&mut self, of: &K) {
        self.free += 1;
        if let Some(given) = self.given.get_mut(of) {
            *given -= 1;
            if *given == 0 {
                self.given.remove(of);
            }
        }
    }
}

impl<K: Eq + Hash + Clone> Drop for Turn<K> {
    fn drop(&mut self) {
        if let Some(gate) = self.gate.take() {
            gate.lock().take_back(&self.of);
            gate.serve();
        }
    }
}

/// A place in a queue, which is given up when this is dropped.
struct Place<'a, K: Eq + Hash + Clone> {
    gate: &'a Gate<K>,
    of: &'a K,
}

impl<K: Eq + Hash + Clone> Drop for Place<'_, K> {
    fn drop(&mut self) {
        let mut state = self.gate.lock();
        let Some(queue) = state.waiting.get_mut(self.of) else { return };
        queue.retain(|sender| !sender.is_closed());
        if queue.is_empty() {
            state.waiting.remove(self.of);
            state.ring.retain(|of| of != self.of);
        }
    }
}

#[cfg(test)]
mod tests {
    use std::future::Future;
    use std::pin::Pin;
    use std::task::{Context, Poll, Waker};

    use super::*;

    type Waiting<'a> = Pin<Box<dyn Future<Output = Turn<&'static str>> + 'a>>;

    fn wait<'a>(gate: &'a Gate<&'static str>, of: &'a &'static str) -> Waiting<'a> {
        let mut waiting: Waiting<'a> = Box::pin(gate.enter(of));
        assert!(ready(&mut waiting).is_none());
        waiting
    }

    fn ready(waiting: &mut Waiting<'_>) -> Option<Turn<&'static str>> {
        match waiting.as_mut().poll(&mut Context::from_waker(Waker::noop())) {
            Poll::Ready(turn) => Some(turn),
            Poll::Pending => None,
        }
    }

    #[test]
    fn whoever_asks_for_many_waits_behind_themselves_and_not_before_others() {
        let gate = Gate::new(1);
        let first = gate.try_enter(&"many").unwrap();
        let mut queue: Vec<Waiting<'_>> = (0..100).map(|_| wait(&gate, &"many")).collect();
        queue.push(wait(&gate, &"one"));
        queue.push(wait(&gate, &"other"));
        let mut order = Vec::new();
        let mut turn = Some(first);
        while order.len() < 5 {
            drop(turn.take());
            let (place, next) = queue.iter_mut().enumerate().find_map(|(place, w)| Some((place, ready(w)?))).unwrap();
            drop(queue.remove(place));
            order.push(next.of);
            turn = Some(next);
        }
        assert_eq!(order, ["many", "one", "other", "many", "many"]);
    }

    #[test]
    fn a_turn_that_nobody_waits_for_any_more_goes_to_the_next() {
        let gate = Gate::new(1);
        let turn = gate.try_enter(&"a").unwrap();
        let gone = wait(&gate, &"b");
        let mut waits = wait(&gate, &"c");
        drop(gone);
        drop(turn);
        let turn = ready(&mut waits).unwrap();
        assert_eq!(turn.of, "c");
        // Given, but the future is dropped before it could say so.
        let given = wait(&gate, &"d");
        drop(turn);
        drop(given);
        assert!(gate.try_enter(&"e").is_some());
        let state = gate.lock();
        assert!(state.free == 1 && state.given.is_empty() && state.waiting.is_empty() && state.ring.is_empty());
    }

    #[test]
    fn all_turns_are_used_while_nobody_else_wants_one() {
        let gate = Gate::new(4);
        let turns: Vec<_> = std::iter::from_fn(|| gate.try_enter(&"a")).collect();
        assert_eq!(turns.len(), 4);
    }

    #[test]
    fn turns_that_are_kept_leave_room_for_whoever_comes_next() {
        for greedy in 1..8_usize {
            let names = ["a", "b", "c", "d", "e", "f", "g", "h"];
            let gate = Gate::with_room(64, 32);
            let mut turns = Vec::new();
            loop {
                let before = turns.len();
                turns.extend(names[..greedy].iter().filter_map(|name| gate.try_enter(name)));
                if turns.len() == before {
                    break;
                }
            }
            let next: Vec<_> = std::iter::from_fn(|| gate.try_enter(&"next")).collect();
            assert!(next.len() >= 64 / (greedy + 1) / 2, "{greedy}: {}", next.len());
        }
        let gate = Gate::with_room(1, 1);
        assert!(gate.try_enter(&"a").is_some());
    }

    #[test]
    fn what_an_asker_may_not_have_holds_up_nobody_else() {
        let gate = Gate::with_room(8, 2);
        let turns: Vec<_> = std::iter::from_fn(|| gate.try_enter(&"a")).collect();
        assert_eq!(turns.len(), 2);
        let _waits = wait(&gate, &"a");
        assert!(gate.try_enter(&"b").is_some());
    }
}
