//! The task in each host that looks for alerts and sends them. Of several hosts on one storage, only one at a time does
//! it.

use std::collections::{BTreeMap, HashMap};
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use tokio::time::{Instant, sleep};

use super::book::{About, Book, Look, Sight, Stored, Turn};
use super::cause::AlertCause;
use super::disk::{free_space, size};
use super::look;
use super::message::Origin;
use super::settings::Alerts;
use super::state::{State, after};
use super::tell::{Failing, Teller};
use crate::capability::schedule::{CLAIM, LONGEST_PAUSE};
use crate::capability::storage::StorageError;
use crate::condition::Trouble;
use crate::hourly::warn_hourly;
use crate::provisioner::Provisioner;
use crate::quota::Quota;

/// How often a host checks whether a turn is due, and collects its own observations.
const ASK: Duration = Duration::from_secs(5);
/// How often a host examines itself, and stores the same observation again.
const MINUTE: Duration = Duration::from_secs(60);
/// How often a turn is renewed: two renewals may fail before it ends.
const RENEWAL: Duration = Duration::from_millis(CLAIM / 3);
/// Looks at all organizations may take at most this part of the time: a twentieth.
const SHARE: u64 = 20;
/// After this many calls in a row without an answer, the component counts as failing.
const SILENCES: u32 = 3;
/// How many alerts are read at a time.
const PAGE: u32 = 1_000;
/// The most alerts that are sent in one turn.
const TOLD_AT_ONCE: usize = 5_000;
/// A line of the log names this many organizations.
const NAMED: usize = 5;
/// The most observations that may wait to be stored.
const MOST_SIGHTS: usize = 2_000;

impl Alerts {
    /// Looks for problems that need a person, and tells the receivers, until this future is dropped. Spawn it as a
    /// task, once in each host. Of several hosts on one storage, one at a time does the work. It delays no request.
    pub async fn watch(self, provisioner: Provisioner) {
        let watch = Watch::new(self, provisioner);
        loop {
            watch.observe().await;
            if let Err(error) = watch.turn().await {
                warn_hourly!("alerts"; "alerts can't be looked up or sent now: {error}");
            }
            sleep(watch.settings.every.min(ASK)).await;
        }
    }
}

struct Watch {
    settings: Alerts,
    provisioner: Provisioner,
    failing: Failing,
    own: Mutex<Own>,
}

/// What the host itself has noticed, and when.
#[derive(Default)]
struct Own {
    /// When it last examined itself.
    looked: Option<Instant>,
    /// How many calls in a row had no answer from the component.
    silent: Silent,
    /// Observations that are not stored yet.
    sights: BTreeMap<About, Sight>,
    /// When each observation was last stored.
    noted: HashMap<About, Instant>,
    /// Alerts about the storage, which can't be stored.
    of_storage: BTreeMap<About, State>,
    /// When the metrics were last set.
    measured: Option<Instant>,
}

/// How many self-checks in a row had no answer from the component. One call may have none because the machine is busy
/// for a moment, and nobody should be alerted for that.
#[derive(Debug, Default)]
struct Silent(u32);

impl Silent {
    /// Counts a check; returns whether the component counts as failing.
    fn lasts(&mut self, is_silent: bool) -> bool {
        self.0 = if is_silent { self.0.saturating_add(1) } else { 0 };
        self.0 >= SILENCES
    }
}

/// The current alerts.
#[derive(Default)]
struct Summary {
    /// The number of alerts with each cause, and the first subjects of each.
    lasting: BTreeMap<AlertCause, (usize, Vec<String>)>,
    /// Alerts with news.
    news: Vec<Stored>,
}

impl Summary {
    fn add(&mut self, stored: Stored, has_news: bool) {
        if stored.state.lasts() {
            let (number, names) = self.lasting.entry(stored.about.cause).or_default();
            *number += 1;
            if names.len() < NAMED {
                names.push(stored.about.subject.clone());
            }
        }
        if has_news && self.news.len() < TOLD_AT_ONCE {
            self.news.push(stored);
        }
    }
}

impl Watch {
    fn new(settings: Alerts, provisioner: Provisioner) -> Self {
        Self { settings, provisioner, failing: Failing::default(), own: Mutex::default() }
    }

    fn own(&self) -> MutexGuard<'_, Own> {
        self.own.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn book(&self) -> Book<'_> {
        Book(self.provisioner.storage())
    }

    fn now(&self) -> u64 {
        self.provisioner.clock().now()
    }

    fn minute(&self) -> Duration {
        self.settings.every.min(MINUTE)
    }

    /// Stores this host's observations.
    async fn observe(&self) {
        let now = self.now();
        let mut seen = Vec::new();
        for (organization, quota) in self.provisioner.runtime().newly_refused() {
            // Too many requests in a second or at the same time are refused only for a moment, and the identity
            // provider tries again.
            let passes = matches!(quota, Quota::RequestsPerSecond | Quota::RequestsAtOnce);
            let is_own = organization.is_host() || organization.is_operator() || organization.is_nobody();
            if !passes && !is_own {
                let detail = Some(quota.name().to_owned());
                seen.push((About::new(AlertCause::QuotaUsedUp, organization.as_str()), detail));
            }
        }
        let guessed = self.provisioner.wrong_sign_ins().take_many();
        seen.extend(guessed.iter().map(|one| (About::new(AlertCause::WrongSignIns, one.as_str()), None)));
        if self.is_time(|own| &mut own.looked) {
            seen.extend(self.look_at_itself(now).await);
        }
        let sights = {
            let mut own = self.own();
            let minute = self.minute();
            own.noted.retain(|_, noted| noted.elapsed() < minute);
            for (about, detail) in seen {
                if !own.noted.contains_key(&about) && own.sights.len() < MOST_SIGHTS {
                    own.sights.insert(about, Sight { at: now, detail });
                }
            }
            own.sights.clone()
        };
        if sights.is_empty() {
            return;
        }
        match self.book().note(&sights, now).await {
            Ok(()) => {
                let mut own = self.own();
                own.noted.extend(sights.keys().map(|about| (about.clone(), Instant::now())));
                own.sights.clear();
            }
            // The observations wait for the next time.
            Err(error) => warn_hourly!("alerts-noted"; "the observations of this host can't be stored yet: {error}"),
        }
    }

    /// Whether the time that `of` returns is at least a minute ago or missing. If so, it is set to now.
    fn is_time(&self, of: impl Fn(&mut Own) -> &mut Option<Instant>) -> bool {
        let (mut own, minute) = (self.own(), self.minute());
        let last = of(&mut own);
        let is_time = last.is_none_or(|last| last.elapsed() >= minute);
        if is_time {
            *last = Some(Instant::now());
        }
        is_time
    }

    /// Checks the disk, the storage and the component. Problems of the storage can't be stored there, so they are kept
    /// here.
    async fn look_at_itself(&self, now: u64) -> Vec<(About, Option<String>)> {
        let about = |cause| About::new(cause, &self.settings.host);
        let mut seen = Vec::new();
        if let Some((directory, least)) = self.settings.disk.clone() {
            let shown = directory.display().to_string();
            let free = tokio::task::spawn_blocking(move || free_space(&directory)).await;
            if let Ok(Ok(free)) = free
                && free < least
            {
                seen.push((about(AlertCause::DiskNearlyFull), Some(format!("{} free in {shown}", size(free)))));
            }
        }
        let found = self.provisioner.trouble().await;
        let is_failing = self.own().silent.lasts(matches!(found, Some(Trouble::Component(_))));
        let trouble = match found {
            None => None,
            Some(Trouble::StorageFull) => Some((AlertCause::StorageFull, None)),
            Some(Trouble::Component(error)) => {
                if is_failing {
                    seen.push((about(AlertCause::ComponentFailing), Some(error.to_string())));
                }
                None
            }
            Some(trouble @ (Trouble::Storage(_) | Trouble::TooSlow)) => {
                Some((AlertCause::StorageFailing, Some(trouble.to_string())))
            }
        };
        let mut own = self.own();
        for cause in [AlertCause::StorageFull, AlertCause::StorageFailing] {
            let before = own.of_storage.remove(&about(cause));
            let found = trouble.as_ref().filter(|(found, _)| *found == cause).map(|(_, detail)| detail.clone());
            if let Some(state) = after(before, found, cause.may_pass(), now) {
                own.of_storage.insert(about(cause), state);
            }
        }
        seen
    }

    /// Takes the turn, if it is due and no other host has it, and gives it back.
    async fn turn(&self) -> Result<(), StorageError> {
        let turn = match self.book().take_turn(self.now()).await {
            Ok(Some(turn)) => turn,
            Ok(None) => {
                if self.is_time(|own| &mut own.measured) {
                    self.measure(&self.summary(false).await?);
                }
                return self.tell(Vec::new()).await.map(drop);
            }
            Err(error) => {
                // Alerts about the storage are sent nevertheless.
                self.tell(Vec::new()).await?;
                return Err(error);
            }
        };
        let outcome = tokio::select! {
            outcome = self.work(turn.last) => outcome,
            () = self.keep(turn.number) => {
                tracing::info!("another host looks for alerts, because this one was too slow, or its clock or the \
                    other's is wrong");
                return Ok(());
            }
        };
        let now = self.now();
        let (last, next) =
            outcome.as_ref().map_or((turn.last, now.saturating_add(CLAIM)), |(last, next)| (*last, *next));
        let next = next.clamp(now, now.saturating_add(LONGEST_PAUSE));
        self.book().end_turn(Turn { last, ..turn }, next).await?;
        outcome.map(drop)
    }

    /// Renews the turn until another host has it.
    async fn keep(&self, number: u64) {
        loop {
            sleep(RENEWAL).await;
            if matches!(self.book().keep_turn(number, self.now()).await, Ok(false)) {
                return;
            }
        }
    }

    /// Looks and sends. Returns when the last look was, and when the next turn is due.
    async fn work(&self, last: Look) -> Result<(Look, u64), StorageError> {
        let now = self.now();
        look::take_over(self.book(), now).await?;
        let mut last = last;
        if self.next_look(last) <= now || last.looked > now {
            let begun = Instant::now();
            look::look(&self.provisioner, self.book()).await?;
            last = Look { looked: now, took: u64::try_from(begun.elapsed().as_millis()).unwrap_or(u64::MAX) };
        }
        let summary = self.summary(true).await?;
        self.measure(&summary);
        self.own().measured = Some(Instant::now());
        for (cause, (number, names)) in &summary.lasting {
            let more = if *number > names.len() { ", …" } else { "" };
            warn_hourly!(cause.name(); alert = cause.name(), number,
                "{}: {}{more}. {}", cause.sentence(), names.join(", "), cause.advice());
        }
        let is_cut = summary.news.len() >= TOLD_AT_ONCE;
        let again = self.tell(summary.news).await?;
        let next = again.into_iter().chain(is_cut.then_some(now)).fold(self.next_look(last), u64::min);
        Ok((last, next))
    }

    fn next_look(&self, last: Look) -> u64 {
        let every = u64::try_from(self.settings.every.as_millis()).unwrap_or(u64::MAX);
        let pause = last.took.saturating_mul(SHARE).max(every).min(LONGEST_PAUSE);
        last.looked.saturating_add(pause)
    }

    /// Reads all alerts.
    async fn summary(&self, tells: bool) -> Result<Summary, StorageError> {
        let (mut summary, mut after) = (Summary::default(), None::<String>);
        let teller = self.teller();
        loop {
            let (page, next) = self.book().page(after.as_deref(), PAGE).await?;
            for stored in page {
                let has_news = tells && teller.has_news(&stored);
                summary.add(stored, has_news);
            }
            after = next;
            if after.is_none() {
                return Ok(summary);
            }
        }
    }

    fn measure(&self, summary: &Summary) {
        let number = |cause: &AlertCause| summary.lasting.get(cause).map_or(0, |(number, _)| *number);
        let of_storage = self.own().of_storage.clone();
        for cause in AlertCause::ALL {
            let own = of_storage.iter().filter(|(about, state)| about.cause == cause && state.lasts()).count();
            self.provisioner.counts().levels.set_alerts(cause.name(), number(&cause) + own);
        }
    }

    /// Sends these alerts, and those about the storage. Returns when to try again, if a receiver has accepted nothing.
    async fn tell(&self, mut alerts: Vec<Stored>) -> Result<Option<u64>, StorageError> {
        let teller = self.teller();
        let of_storage = self.own().of_storage.clone();
        let own = of_storage.into_iter().map(|(about, state)| Stored::in_memory(about, state));
        alerts.extend(own.filter(|stored| teller.has_news(stored)));
        if alerts.is_empty() {
            return Ok(None);
        }
        let told = teller.tell(self.book(), &mut alerts).await;
        let mut own = self.own();
        for stored in alerts.into_iter().filter(Stored::is_in_memory) {
            if teller.is_done(&stored) {
                own.of_storage.remove(&stored.about);
            } else {
                own.of_storage.insert(stored.about, stored.state);
            }
        }
        told
    }

    fn teller(&self) -> Teller<'_> {
        let origin = Origin { server: self.provisioner.base_url(), now: self.now() };
        let (settings, failing) = (&self.settings, &self.failing);
        Teller { settings, mailer: self.provisioner.mailer(), origin, failing }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn p9_a_component_counts_as_failing_when_it_had_no_answer_three_times_in_a_row() {
        let mut silent = Silent::default();
        let looks = [true, true, false, true, true, true, true, false, true];
        let counts = looks.map(|is_silent| silent.lasts(is_silent));
        assert_eq!(counts, [false, false, false, false, false, true, true, false, false]);
    }
}
