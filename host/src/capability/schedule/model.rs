//! A model check of claims: it visits all states of two hosts on one storage, requests that set times while jobs run,
//! hosts that crash between any two steps or renew too slowly, and clocks that jump.
//!
//! The storage's side is the real [`Schedule`]; the model adds the hosts, the jobs and the time.

use std::collections::{HashMap, VecDeque};

use super::super::clock::TOLERANCE;
use super::{CLAIM, Claim, LONGEST_PAUSE, Schedule};

/// By how much time advances in a step, in milliseconds. A host that has not renewed its claim since the last step has
/// lost it.
const STEP: u64 = CLAIM;
/// The pause after a call that has failed, in milliseconds.
const PAUSE: u64 = 1_000;
const HOUR: u64 = 60 * 60 * 1_000;
/// The start of the model's time: so late that a clock can go back.
const BEGIN: u64 = 1_000 * HOUR;
/// By how much a clock can be wrong: less and more than the longest pause, in both directions.
const OFFSETS: [i64; 4] = [0, 2 * HOUR as i64, 720 * HOUR as i64, -720 * HOUR as i64];
/// The number of jobs in a call. They check for work in their order.
const JOBS: usize = 2;

/// How the storage ends a claim: the real function, or one that loses times.
type Release = fn(&mut Schedule, u64, Option<u64>) -> bool;

/// How often each kind of event may happen.
#[derive(Clone, Copy)]
struct Protocol {
    release: Release,
    requests: u8,
    crashes: u8,
    failures: u8,
    jumps: u8,
    steps: u8,
    /// How often claims may be made: hosts whose clocks differ widely claim an organization from each other again and
    /// again.
    claims: u64,
}

/// The state of a host.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
enum Activity {
    Idle,
    /// It runs the jobs, and the first `looked` of them have checked for work.
    Runs {
        claim: Claim,
        looked: usize,
        next: Option<u64>,
    },
}

#[derive(Clone, Debug, PartialEq, Eq, Hash)]
struct State {
    schedule: Schedule,
    /// The number of the last claim.
    number: u64,
    /// The true time in milliseconds.
    time: u64,
    hosts: [Activity; 2],
    /// By how much each host's clock is wrong.
    offsets: [i64; 2],
    /// When the work of each job is due; `None` if it has none.
    work: [Option<u64>; JOBS],
    /// Until when every host waits because a call has failed.
    paused_until: u64,
    /// Two hosts ran within a claim at the same time, although no clock was ever wrong.
    overlapped: bool,
    /// A host has changed a claim that already belonged to another host.
    intruded: bool,
    done: u8,
    requests: u8,
    crashes: u8,
    failures: u8,
    jumps: u8,
    steps: u8,
}

#[derive(Clone, Debug, PartialEq, Eq, Hash)]
enum Action {
    /// A request at this host creates work for this job, due this many milliseconds later.
    Request {
        host: usize,
        job: usize,
        after: u64,
    },
    Claim(usize),
    /// The next job checks for work, and does it if it is due.
    Look(usize),
    Release(usize),
    /// The call ends with an error.
    Fail(usize),
    Renew(usize),
    Crash(usize),
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

    /// One job checks for work: it does what is due, and returns when the rest is due. If a time is further ahead than
    /// the longest pause, it is wrong, and the work is done.
    fn look(&mut self, job: usize, now: u64) -> Option<u64> {
        let due = self.work[job]?;
        if due <= now || due > now + HOUR {
            self.work[job] = None;
            self.done += 1;
        }
        self.work[job]
    }

    fn is_any_clock_wrong(&self, protocol: &Protocol) -> bool {
        self.jumps < protocol.jumps
    }

    /// Whether one host with a right clock does all remaining work in time, after both have crashed now.
    fn recovers(&self, protocol: &Protocol) -> bool {
        let mut state = self.clone();
        state.hosts = [Activity::Idle, Activity::Idle];
        state.offsets = [0, 0];
        let longest = if self.is_any_clock_wrong(protocol) { LONGEST_PAUSE } else { CLAIM + PAUSE };
        let due = self.work.iter().flatten().copied().filter(|due| *due <= self.time + HOUR).max();
        let deadline = due.unwrap_or(0).max(self.time) + longest + TOLERANCE;
        for number in 0..10 {
            if state.work == [None; JOBS] {
                return true;
            }
            let Some(next) = state.schedule.next(state.time) else { return false };
            state.time = state.time.max(next);
            if state.time > deadline {
                return false;
            }
            let now = state.time;
            let claim = state.schedule.claim(self.number + 1 + number, now).unwrap();
            let next = (0..JOBS).filter_map(|job| state.look(job, now)).min();
            (protocol.release)(&mut state.schedule, claim.number, next);
        }
        false
    }
}

impl Protocol {
    fn first(&self) -> State {
        State {
            schedule: Schedule::default(),
            number: 0,
            time: BEGIN,
            hosts: [Activity::Idle, Activity::Idle],
            offsets: [0, 0],
            work: [None; JOBS],
            paused_until: 0,
            overlapped: false,
            intruded: false,
            done: 0,
            requests: self.requests,
            crashes: self.crashes,
            failures: self.failures,
            jumps: self.jumps,
            steps: self.steps,
        }
    }

    fn actions(&self, state: &State) -> Vec<Action> {
        let mut actions = Vec::new();
        for host in 0..state.hosts.len() {
            if state.requests > 0 {
                let free = (0..JOBS).filter(|job| state.work[*job].is_none());
                // While both clocks are equal, it makes no difference which host gets the request.
                let differs = host == 0 || state.offsets[0] != state.offsets[host];
                let at = |job| [0, STEP].map(|after| Action::Request { host, job, after });
                actions.extend(free.filter(|_| differs).flat_map(at));
            }
            match &state.hosts[host] {
                Activity::Idle => actions.push(Action::Claim(host)),
                Activity::Runs { claim, looked, .. } => {
                    actions.push(if *looked < JOBS { Action::Look(host) } else { Action::Release(host) });
                    if state.schedule.claim != Some(*claim) || claim.until != state.clock(host) + CLAIM {
                        actions.push(Action::Renew(host));
                    }
                    if state.failures > 0 {
                        actions.push(Action::Fail(host));
                    }
                    if state.crashes > 0 {
                        actions.push(Action::Crash(host));
                    }
                }
            }
            if state.jumps > 0 {
                // A clock changes from right to wrong, or from wrong to right.
                let is_right = state.offsets[host] == 0;
                let others = OFFSETS.into_iter().filter(|offset| is_right != (*offset == 0));
                actions.extend(others.map(|offset| Action::Jump { host, offset }));
            }
        }
        if state.steps > 0 {
            actions.push(Action::Step);
        }
        actions
    }

    fn next(&self, last: &State, action: &Action) -> Option<State> {
        let mut state = last.clone();
        match *action {
            Action::Request { host, job, after } => {
                let due = state.clock(host) + after;
                state.work[job] = Some(due);
                state.schedule.wake(due);
                state.requests -= 1;
            }
            Action::Claim(host) => {
                if state.number == self.claims {
                    return None;
                }
                let now = state.clock(host);
                let claim = state.schedule.claim(state.number + 1, now)?;
                state.number += 1;
                let within =
                    |other: &Activity| matches!(other, Activity::Runs { claim, .. } if claim.until > state.time);
                state.overlapped |= state.hosts.iter().any(within) && !state.is_any_clock_wrong(self);
                state.hosts[host] = Activity::Runs { claim, looked: 0, next: None };
            }
            Action::Look(host) => {
                let now = state.clock(host);
                let Activity::Runs { claim, looked, next } = last.hosts[host] else { return None };
                let rest = state.look(looked, now);
                let next = [next, rest].into_iter().flatten().min();
                state.hosts[host] = Activity::Runs { claim, looked: looked + 1, next };
            }
            Action::Release(host) => {
                let Activity::Runs { claim, next, .. } = last.hosts[host] else { return None };
                let next = next.map(|next| next.min(state.clock(host) + LONGEST_PAUSE));
                (self.release)(&mut state.schedule, claim.number, next);
                state.intruded |= has_intruded(last, &state, claim);
                state.hosts[host] = Activity::Idle;
            }
            Action::Fail(host) => {
                let Activity::Runs { claim, .. } = last.hosts[host] else { return None };
                let next = state.clock(host) + PAUSE;
                (self.release)(&mut state.schedule, claim.number, Some(next));
                state.intruded |= has_intruded(last, &state, claim);
                state.paused_until = state.paused_until.max(next);
                state.hosts[host] = Activity::Idle;
                state.failures -= 1;
            }
            Action::Renew(host) => {
                let now = state.clock(host);
                let Activity::Runs { claim, looked, next } = last.hosts[host] else { return None };
                // A host that has lost its claim stops in the middle of the call.
                state.hosts[host] = match state.schedule.renew(claim.number, now) {
                    Some(claim) => Activity::Runs { claim, looked, next },
                    None => Activity::Idle,
                };
                state.intruded |= has_intruded(last, &state, claim);
            }
            Action::Crash(host) => {
                state.hosts[host] = Activity::Idle;
                state.crashes -= 1;
            }
            Action::Jump { host, offset } => {
                state.offsets[host] = offset;
                state.jumps -= 1;
            }
            Action::Step => {
                state.time += STEP;
                state.steps -= 1;
            }
        }
        Some(state)
    }

    /// The rule that the state breaks, if any.
    fn broken(&self, state: &State) -> Option<&'static str> {
        let looks = |due: u64| match state.schedule {
            Schedule { claim: Some(_), .. } => true,
            Schedule { wake_at, .. } => wake_at.is_some_and(|at| at <= due.max(state.paused_until)),
        };
        let possible = |now: u64| state.schedule.next(now).is_none_or(|at| at <= now + LONGEST_PAUSE + TOLERANCE);
        let rules = [
            (LOST, state.work.iter().flatten().all(|due| looks(*due))),
            (LATE, state.recovers(self)),
            ("a pause is longer than it ever can be", (0..state.hosts.len()).all(|host| possible(state.clock(host)))),
            ("two hosts are within one claim", !state.overlapped),
            (INTRUDED, !state.intruded),
        ];
        rules.into_iter().find(|(_, holds)| !holds).map(|(rule, _)| rule)
    }
}

const LOST: &str = "a wake-up is lost";
const LATE: &str = "whoever is left does not do all work in time";
const INTRUDED: &str = "a host has changed the claim of another one";

/// Whether the host that had `claim` has changed another host's claim.
fn has_intruded(before: &State, after: &State, claim: Claim) -> bool {
    let is_others = before.schedule.claim.is_some_and(|current| current.number != claim.number);
    is_others && before.schedule.claim != after.schedule.claim
}

/// Several small models instead of a large one: in each of them, another kind of event happens often.
fn worlds(release: Release) -> [Protocol; 3] {
    let calm = Protocol { release, requests: 2, crashes: 2, failures: 0, jumps: 0, steps: 3, claims: 20 };
    let failing = Protocol { crashes: 1, failures: 1, ..calm };
    let jumping = Protocol { requests: 1, crashes: 1, jumps: 2, steps: 1, claims: 3, ..calm };
    [calm, failing, jumping]
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
fn no_wake_up_is_lost_and_no_claim_shared_whatever_happens() {
    for world in worlds(Schedule::release) {
        println!("{} states", explore(&world));
    }
}

/// The design before claims existed: the time that a call returns replaces the time that commits have set meanwhile.
#[test]
#[should_panic(expected = "a wake-up is lost")]
fn the_model_finds_the_wake_up_that_is_lost_where_the_answer_replaces_the_time() {
    let [calm, ..] = worlds(|schedule, number, next| {
        schedule.wake_at = next;
        schedule.release(number, None)
    });
    explore(&calm);
}

/// A host that ends any claim, whichever host it belongs to.
#[test]
#[should_panic(expected = "a host has changed the claim of another one")]
fn the_model_finds_the_host_that_ends_the_claim_of_another() {
    let [calm, ..] = worlds(|schedule, _, next| {
        let number = schedule.claim.map_or(0, |claim| claim.number);
        schedule.release(number, next)
    });
    explore(&calm);
}
