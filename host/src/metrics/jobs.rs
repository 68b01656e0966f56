//! Jobs of organizations that are due: emails, webhook events, warnings and refreshes.

use prometheus::{Gauge, IntCounterVec, Opts, Registry};

use super::registered;

/// How a run of an organization's jobs ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum JobOutcome {
    /// The component did the due work.
    Done,
    /// The component did not answer. The jobs run again after a pause.
    Failed,
    /// Another host has taken the jobs over.
    TakenOver,
}

/// Counts runs of jobs.
pub(crate) struct Jobs {
    ended: IntCounterVec,
    overdue: Gauge,
}

impl Jobs {
    pub(super) fn new(registry: &Registry) -> Result<Self, prometheus::Error> {
        let ended = Opts::new(
            "insomnia_scim_jobs_total",
            "Runs of an organization's due jobs, by how they ended: done, failed, taken over by another host.",
        );
        let overdue = Gauge::new(
            "insomnia_scim_jobs_overdue_seconds",
            "For how long the jobs that wait longest have been due without being run by any host.",
        )?;
        Ok(Self {
            ended: registered(registry, IntCounterVec::new(ended, &["outcome"])?)?,
            overdue: registered(registry, overdue)?,
        })
    }

    /// The jobs that have been waiting longest were due this many milliseconds ago.
    pub(crate) fn waited(&self, milliseconds: u64) {
        self.overdue.set(milliseconds as f64 / 1_000.0);
    }

    /// Counts a run that ended.
    pub(crate) fn ended(&self, outcome: JobOutcome) {
        let outcome = match outcome {
            JobOutcome::Done => "done",
            JobOutcome::Failed => "failed",
            JobOutcome::TakenOver => "taken-over",
        };
        self.ended.with_label_values(&[outcome]).inc();
    }
}
