//! A model check of leases: it visits all states of two hosts, attempts that succeed, fail, hang or are killed, a
//! webhook that is changed meanwhile, and clocks that jump. The record is the real [`LeaseRecord`].

use std::collections::{HashMap, VecDeque};

use insomnia_scim_contract::TOLERANCE;

use super::{LONGEST_PAUSE, LeaseRecord};

/// How long a lease lasts, in milliseconds. Time advances by the same amount in each step.
const LEASE: u64 = 45_000;
/// The pause after a failure, in milliseconds.
const PAUSE: u64 = LONGEST_PAUSE;
const HOUR: u64 = 60 * 60 * 1_000;
/// The start of the model's time: so late that a clock can go back.
const BEGIN: u64 = 1_000 * HOUR;
/// By how much a clock can be wrong.
const OFFSETS: [i64; 4] = [0, 2 * HOUR as i64, 720 * HOUR as i64, -720 * HOUR as i64];

/// How often each kind of event may happen.
#[derive(Clone, Copy)]
struct Protocol {
    takes: u64,
    crashes: u8,
    changes: u8,
    jumps: u8,
    steps: u8,
}

/// The lease as its holder remembers it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
struct Held {
    version: u64,
    before: LeaseRecord,
    ends: u64,
}

#[derive(Clone, Debug, PartialEq, Eq, Hash)]
struct State {
    record: LeaseRecord,
    /// The version of the record; it grows with each change.
    version: u64,
    time: u64,
    hosts: [Option<Held>; 2],
    offsets: [i64; 2],
    /// Two hosts held the lease at the same time, although no clock was wrong and nobody had ended it.
    shared: bool,
    /// A host whose lease was over has changed the record.
    intruded: bool,
    takes: u64,
    crashes: u8,
    changes: u8,
    jumps: u8,
    steps: u8,
}

#[derive(Clone, Debug, PartialEq, Eq, Hash)]
enum Action {
    Take(usize),
    /// An attempt succeeds. The next one begins if this host still has the lease.
    Succeed(usize),
    /// Nothing is left to deliver.
    Finish(usize),
    Fail(usize),
    Crash(usize),
    /// The webhook is changed, or an administrator ends the pause.
    Change,
    Jump {
        host: usize,
        offset: i64,
    },
    Step,
}

impl State {
    fn clock(&self, host: usize) -> u64 {
        self.time.checked_add_signed(self.offsets[host]).unwrap()
    }

    fn write(&mut self, record: LeaseRecord) {
        self.record = record;
        self.version += 1;
    }
}

impl Protocol {
    fn first(&self) -> State {
        State {
            record: LeaseRecord::default(),
            version: 0,
            time: BEGIN,
            hosts: [None, None],
            offsets: [0, 0],
            shared: false,
            intruded: false,
            takes: self.takes,
            crashes: self.crashes,
            changes: self.changes,
            jumps: self.jumps,
            steps: self.steps,
        }
    }

    fn actions(&self, state: &State) -> Vec<Action> {
        let mut actions = Vec::new();
        for host in 0..state.hosts.len() {
            if state.hosts[host].is_some() {
                actions.extend([Action::Succeed(host), Action::Finish(host), Action::Fail(host)]);
                if state.crashes > 0 {
                    actions.push(Action::Crash(host));
                }
            } else if state.takes > 0 {
                actions.push(Action::Take(host));
            }
            if state.jumps > 0 {
                let is_right = state.offsets[host] == 0;
                let others = OFFSETS.into_iter().filter(|offset| is_right != (*offset == 0));
                actions.extend(others.map(|offset| Action::Jump { host, offset }));
            }
        }
        if state.changes > 0 {
            actions.push(Action::Change);
        }
        if state.steps > 0 {
            actions.push(Action::Step);
        }
        actions
    }

    fn next(&self, last: &State, action: &Action) -> Option<State> {
        let mut state = last.clone();
        match *action {
            Action::Take(host) => {
                let now = state.clock(host);
                if state.record.taken_until(now).is_some() {
                    return None;
                }
                let before = state.record;
                state.write(before.taken(now, LEASE));
                let within = |held: &Held| held.ends > state.time;
                let calm = state.jumps == self.jumps && state.changes == self.changes;
                state.shared |= calm && last.hosts.iter().flatten().any(within);
                state.hosts[host] = Some(Held { version: state.version, before, ends: state.record.ends });
                state.takes -= 1;
            }
            Action::Succeed(host) => {
                let now = state.clock(host);
                let held = last.hosts[host]?;
                if held.version != state.version {
                    state.hosts[host] = None;
                } else if held.ends < now + LEASE {
                    state.write(held.before.taken(now, LEASE));
                    state.hosts[host] = Some(Held { version: state.version, ends: state.record.ends, ..held });
                } else {
                    return None;
                }
            }
            Action::Finish(host) | Action::Fail(host) => {
                let held = last.hosts[host]?;
                let now = state.clock(host);
                if held.version == state.version {
                    let failed = matches!(action, Action::Fail(_));
                    let failures = if failed { held.before.failures + 1 } else { 0 };
                    state.write(LeaseRecord::released(if failed { now + PAUSE } else { 0 }, failures));
                }
                state.hosts[host] = None;
                state.intruded |= held.version != last.version && state.record != last.record;
            }
            Action::Crash(host) => {
                state.hosts[host] = None;
                state.crashes -= 1;
            }
            Action::Change => {
                state.write(LeaseRecord::released(0, 0));
                state.changes -= 1;
            }
            Action::Jump { host, offset } => {
                state.offsets[host] = offset;
                state.jumps -= 1;
            }
            Action::Step => {
                state.time += LEASE;
                state.steps -= 1;
            }
        }
        Some(state)
    }

    /// The rule that the state breaks, if any.
    fn broken(&self, state: &State) -> Option<&'static str> {
        let wait = |now: u64| state.record.taken_until(now).map_or(0, |until| until - now);
        let is_new = state.changes < self.changes && state.record == LeaseRecord::released(0, 0);
        let rules = [
            ("two hosts are within one lease", !state.shared),
            ("a host that has lost the lease has changed it", !state.intruded),
            (
                "a pause is longer than it ever can be",
                (0..state.hosts.len()).all(|host| wait(state.clock(host)) <= LONGEST_PAUSE + TOLERANCE),
            ),
            ("a new webhook waits", !is_new || wait(state.time) == 0),
        ];
        rules.into_iter().find(|(_, holds)| !holds).map(|(rule, _)| rule)
    }
}

/// Visits every reachable state, breadth first, and returns how many there are. Panics with the shortest path to the
/// first state that breaks a rule.
///
/// This is a minimal model checker. The published one for Rust turns on a feature of serde, which would compile all
/// dependencies a second time.
fn explore(world: &Protocol) -> usize {
    let mut known: HashMap<State, Option<(State, Action)>> = HashMap::from([(world.first(), None)]);
    let mut queue = VecDeque::from([world.first()]);
    while let Some(state) = queue.pop_front() {
        if let Some(broken) = world.broken(&state) {
            let mut way = vec![format!("{state:#?}")];
            let mut at = &state;
            while let Some(Some((before, action))) = known.get(at) {
                way.push(format!("{action:?}"));
                at = before;
            }
            way.reverse();
            panic!("{broken}:\n{}", way.join("\n"));
        }
        for action in world.actions(&state) {
            let Some(next) = world.next(&state, &action) else { continue };
            if !known.contains_key(&next) {
                known.insert(next.clone(), Some((state.clone(), action)));
                queue.push_back(next);
            }
        }
    }
    known.len()
}

#[test]
fn no_lease_is_shared_and_no_pause_too_long_whatever_happens() {
    let calm = Protocol { takes: 4, crashes: 2, changes: 1, jumps: 0, steps: 3 };
    let jumping = Protocol { takes: 3, crashes: 1, changes: 1, jumps: 2, steps: 1 };
    for world in [calm, jumping] {
        println!("{} states", explore(&world));
    }
}
