//! Sends finished spans to the collector.
//!
//! Spans wait in a bounded queue, and a task takes them out in batches. If the collector does not accept a batch, the
//! task tries it again for half a minute; meanwhile the queue fills, and spans that find no room are dropped. So a
//! collector that is down costs a bounded amount of memory, and no request waits for it.

use std::fmt;
use std::sync::Arc;
use std::time::Duration;

use opentelemetry::Context;
use opentelemetry_proto::tonic::collector::trace::v1::ExportTraceServiceRequest;
use opentelemetry_proto::transform::common::tonic::ResourceAttributesWithSchema;
use opentelemetry_proto::transform::trace::tonic::group_spans_by_resource_and_scope;
use opentelemetry_sdk::Resource;
use opentelemetry_sdk::error::OTelSdkResult;
use opentelemetry_sdk::trace::{Span, SpanData, SpanProcessor};
use prometheus::IntCounterVec;
use prost::Message as _;
use tokio::sync::mpsc::{self, Receiver, Sender};
use tokio::task::JoinHandle;
use tokio::time::{Instant, sleep, timeout, timeout_at};
use tokio_util::sync::CancellationToken;

use super::collector::{Collector, NotTaken};
use crate::hourly::warn_hourly;

/// The most spans that wait: as many as OpenTelemetry's own queue has by default.
const QUEUE: usize = 2_048;
/// How many spans are sent at a time.
const BATCH: usize = 512;
/// How often a batch is tried.
const TRIES: u32 = 6;
/// The pause after the first try; each one after it is twice as long.
const FIRST_PAUSE: Duration = Duration::from_secs(1);
/// The longest pause, even if a collector asks for more.
const LONGEST_PAUSE: Duration = Duration::from_secs(30);

/// The counters of spans.
#[derive(Clone)]
pub(super) struct Outcomes(pub(super) IntCounterVec);

impl Outcomes {
    fn exported(&self, spans: usize) {
        self.0.with_label_values(&["exported"]).inc_by(spans as u64);
    }

    fn dropped(&self, spans: usize) {
        self.0.with_label_values(&["dropped"]).inc_by(spans as u64);
    }
}

/// Puts finished spans into the queue.
pub(super) struct Queue {
    spans: Sender<SpanData>,
    outcomes: Outcomes,
}

impl fmt::Debug for Queue {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Queue").finish_non_exhaustive()
    }
}

impl SpanProcessor for Queue {
    fn on_start(&self, _: &mut Span, _: &Context) {}

    fn on_end(&self, span: SpanData) {
        if span.span_context.is_sampled() && self.spans.try_send(span).is_err() {
            self.outcomes.dropped(1);
            warn_hourly!("traces-queue"; "a span is dropped, since as many as there is room for wait for the collector");
        }
    }

    /// The task sends without being asked; [`Task::stop`] waits for the last batch.
    fn force_flush(&self) -> OTelSdkResult {
        Ok(())
    }

    fn shutdown_with_timeout(&self, _: Duration) -> OTelSdkResult {
        Ok(())
    }
}

/// The task that sends spans.
pub(super) struct Task {
    ended: CancellationToken,
    task: tokio::sync::Mutex<Option<JoinHandle<()>>>,
}

impl Task {
    /// Sends the waiting spans, without a second try, and ends. It does not wait for longer than `most`.
    pub(super) async fn stop(&self, most: Duration) {
        self.ended.cancel();
        if let Some(task) = self.task.lock().await.take() {
            let _ = timeout(most, task).await;
        }
    }
}

/// Starts the task. Call it in a Tokio runtime.
pub(super) fn start(
    collector: Arc<dyn Collector>,
    resource: &Resource,
    delay: Duration,
    outcomes: Outcomes,
) -> (Queue, Task) {
    let (spans, waiting) = mpsc::channel(QUEUE);
    let ended = CancellationToken::new();
    let export =
        Export { collector, resource: resource.into(), delay, outcomes: outcomes.clone(), ended: ended.clone() };
    let task = tokio::spawn(export.run(waiting));
    (Queue { spans, outcomes }, Task { ended, task: tokio::sync::Mutex::new(Some(task)) })
}

struct Export {
    collector: Arc<dyn Collector>,
    resource: ResourceAttributesWithSchema,
    delay: Duration,
    outcomes: Outcomes,
    ended: CancellationToken,
}

impl Export {
    async fn run(self, mut waiting: Receiver<SpanData>) {
        loop {
            let first = tokio::select! {
                biased;
                () = self.ended.cancelled() => break,
                first = waiting.recv() => first,
            };
            let Some(first) = first else { return };
            let mut batch = vec![first];
            let end = Instant::now() + self.delay;
            while batch.len() < BATCH && !self.ended.is_cancelled() {
                let left = BATCH - batch.len();
                let more = tokio::select! {
                    biased;
                    () = self.ended.cancelled() => break,
                    more = timeout_at(end, waiting.recv_many(&mut batch, left)) => more,
                };
                if !matches!(more, Ok(1..)) {
                    break;
                }
            }
            self.send(batch).await;
        }
        loop {
            let mut batch = Vec::new();
            while batch.len() < BATCH
                && let Ok(span) = waiting.try_recv()
            {
                batch.push(span);
            }
            if batch.is_empty() {
                return;
            }
            self.send(batch).await;
        }
    }

    /// Sends a batch, and tries again if that may help.
    async fn send(&self, batch: Vec<SpanData>) {
        let spans = batch.len();
        let resource_spans = group_spans_by_resource_and_scope(batch, &self.resource);
        let message = ExportTraceServiceRequest { resource_spans }.encode_to_vec();
        let mut pause = FIRST_PAUSE;
        for tried in 1.. {
            let why = match self.collector.take(message.clone()).await {
                Ok(()) => return self.outcomes.exported(spans),
                Err(NotTaken::Later { why, after }) if tried < TRIES && !self.ended.is_cancelled() => {
                    warn_hourly!("traces-again"; "spans are not taken, and are sent again: {why}");
                    let asked = after.unwrap_or(pause).clamp(pause, LONGEST_PAUSE.max(pause));
                    tokio::select! {
                        () = self.ended.cancelled() => {}
                        () = sleep(asked) => {}
                    }
                    pause *= 2;
                    continue;
                }
                Err(why) => why,
            };
            warn_hourly!("traces-dropped"; spans, "spans are not taken, and are dropped: {why}");
            return self.outcomes.dropped(spans);
        }
    }
}

#[cfg(test)]
mod tests {
    use std::sync::Mutex;
    use std::sync::atomic::{AtomicUsize, Ordering};

    use async_trait::async_trait;
    use opentelemetry::trace::{Span as _, Tracer as _, TracerProvider as _};
    use opentelemetry_sdk::trace::SdkTracerProvider;
    use prometheus::Opts;

    use super::*;

    /// A collector that refuses this many messages, and then accepts all.
    #[derive(Default)]
    struct Taker {
        refusals: AtomicUsize,
        taken: Mutex<Vec<usize>>,
    }

    #[async_trait]
    impl Collector for Taker {
        async fn take(&self, message: Vec<u8>) -> Result<(), NotTaken> {
            let left = self.refusals.fetch_update(Ordering::Relaxed, Ordering::Relaxed, |left| left.checked_sub(1));
            if left.is_ok() {
                return Err(NotTaken::Later { why: "away".into(), after: None });
            }
            let request = ExportTraceServiceRequest::decode(&message[..]).unwrap();
            let spans = request.resource_spans.iter().flat_map(|of| &of.scope_spans).map(|of| of.spans.len()).sum();
            self.taken.lock().unwrap().push(spans);
            Ok(())
        }
    }

    struct World {
        taker: Arc<Taker>,
        task: Task,
        spans: SdkTracerProvider,
        outcomes: Outcomes,
    }

    fn world(refusals: usize) -> World {
        let taker = Arc::new(Taker { refusals: refusals.into(), ..Taker::default() });
        let outcomes = Outcomes(IntCounterVec::new(Opts::new("spans", "Spans."), &["outcome"]).unwrap());
        let resource = Resource::builder_empty().build();
        let (queue, task) = start(taker.clone(), &resource, Duration::from_secs(5), outcomes.clone());
        World { taker, task, spans: SdkTracerProvider::builder().with_span_processor(queue).build(), outcomes }
    }

    impl World {
        fn end(&self, spans: usize) {
            let tracer = self.spans.tracer("test");
            (0..spans).for_each(|_| tracer.start("span").end());
        }

        fn count(&self, outcome: &str) -> u64 {
            self.outcomes.0.with_label_values(&[outcome]).get()
        }
    }

    #[tokio::test(start_paused = true)]
    async fn p9_spans_are_sent_in_batches_after_a_while() {
        let world = world(0);
        world.end(3);
        sleep(Duration::from_secs(4)).await;
        assert!(world.taker.taken.lock().unwrap().is_empty());
        sleep(Duration::from_secs(2)).await;
        assert_eq!(*world.taker.taken.lock().unwrap(), [3]);
        world.end(BATCH + 1);
        sleep(Duration::from_secs(1)).await;
        assert_eq!(*world.taker.taken.lock().unwrap(), [3, BATCH], "a full batch does not wait");
        world.task.stop(Duration::from_secs(1)).await;
        assert_eq!(*world.taker.taken.lock().unwrap(), [3, BATCH, 1], "the rest goes at the end");
        assert_eq!((world.count("exported"), world.count("dropped")), (BATCH as u64 + 4, 0));
    }

    #[tokio::test(start_paused = true)]
    async fn p9_a_collector_that_comes_back_in_time_loses_nothing() {
        let world = world(TRIES as usize - 1);
        world.end(2);
        sleep(Duration::from_secs(60)).await;
        assert_eq!(*world.taker.taken.lock().unwrap(), [2]);
        assert_eq!(world.count("dropped"), 0);
    }

    #[tokio::test(start_paused = true)]
    async fn p9_what_finds_the_queue_full_is_dropped_and_counted_and_the_end_waits_for_nobody() {
        let world = world(usize::MAX);
        world.end(1);
        sleep(Duration::from_secs(6)).await;
        world.end(QUEUE + 7);
        assert_eq!(world.count("dropped"), 7);
        let begun = Instant::now();
        world.task.stop(Duration::from_secs(1)).await;
        assert!(begun.elapsed() <= Duration::from_secs(1));
        assert_eq!(world.count("dropped"), QUEUE as u64 + 8, "what nobody took is counted as well");
        assert_eq!(world.count("exported"), 0);
    }
}
