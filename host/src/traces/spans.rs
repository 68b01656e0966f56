//! Makes spans, and passes traces on.
//!
//! The current span is known to the thread that polls its future: [`Span::within`] sets it during each poll. Log lines
//! of that time have its ids.

use std::pin::Pin;
use std::str::FromStr as _;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use http::{HeaderMap, Method};
use insomnia_scim_contract::TraceParent;
use opentelemetry::trace::{
    FutureExt as _, Link, SpanContext, SpanKind, Status, TraceContextExt as _, Tracer as _, TracerProvider as _,
};
use opentelemetry::trace::{SpanId, TraceFlags, TraceId, TraceState};
use opentelemetry::{Context, KeyValue, Value};
use opentelemetry_sdk::Resource;
use opentelemetry_sdk::trace::{Sampler, SdkTracer, SdkTracerProvider};
use prometheus::{IntCounterVec, Opts};

use super::collector::Collector;
use super::export::{self, Outcomes, Task};
use super::route;

/// The default name of the service.
const SERVICE: &str = "insomnia-scim";
/// How long the first span of a batch waits for others: as long as with OpenTelemetry's own queue by default.
const DELAY: Duration = Duration::from_secs(5);
/// The longest `tracestate` that is accepted from a caller and sent to the collector, in bytes, as W3C Trace Context
/// requires.
const LONGEST_STATE: usize = 512;
/// The methods that semantic conventions name; another one is `_OTHER`.
const METHODS: [Method; 9] = [
    Method::CONNECT,
    Method::DELETE,
    Method::GET,
    Method::HEAD,
    Method::OPTIONS,
    Method::PATCH,
    Method::POST,
    Method::PUT,
    Method::TRACE,
];

/// Whether any [`Traces`] were started in this process. If not, asking for the current span costs nothing.
static ON: AtomicBool = AtomicBool::new(false);

/// The callers whose `traceparent` decides whether the trace of a request is kept.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Followed {
    /// No caller's.
    #[default]
    Nobody,
    /// That of [`TrustedProxies`](crate::server::TrustedProxies). They must not pass on what strangers send.
    TrustedProxies,
    /// Every caller's: any sender of a request can decide.
    Everybody,
}

/// The choice of the traces that are kept.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Sampling {
    /// The share of traces that are kept: 1 keeps all, 0 none. Traces that begin here are chosen by their ids. A
    /// request with a `traceparent` of a caller who is not followed belongs to that trace as well, but chance decides
    /// whether it is kept, because the caller has chosen the id.
    pub share: f64,
    /// The callers whose `traceparent` decides in place of the share.
    pub followed: Followed,
}

/// Keeps all traces, whatever their callers say.
impl Default for Sampling {
    fn default() -> Self {
        Self { share: 1.0, followed: Followed::default() }
    }
}

/// The reason why a sampler can't be used.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum InvalidSampling {
    /// There is no such sampler.
    #[error(
        "there is no sampler {0:?}; there are always_on, always_off, traceidratio, parentbased_always_on, \
         parentbased_always_off and parentbased_traceidratio"
    )]
    Sampler(String),
    /// It is no share.
    #[error("{0:?} is no share of traces: a number from 0 to 1")]
    Share(String),
}

impl Sampling {
    /// The sampler that OpenTelemetry calls so (`OTEL_TRACES_SAMPLER`), with its argument (`OTEL_TRACES_SAMPLER_ARG`), which is 1
    /// if there is none. The parents that `parentbased_…` follows are trusted proxies.
    ///
    /// # Errors
    /// [`InvalidSampling`] says what can't be read.
    pub fn named(name: &str, argument: Option<&str>) -> Result<Self, InvalidSampling> {
        let (root, followed) = match name.strip_prefix("parentbased_") {
            Some(root) => (root, Followed::TrustedProxies),
            None => (name, Followed::Nobody),
        };
        let share = match root {
            "always_on" => 1.0,
            "always_off" => 0.0,
            "traceidratio" => argument.map_or(Ok(1.0), Self::share_of)?,
            _ => return Err(InvalidSampling::Sampler(name.to_owned())),
        };
        Ok(Self { share, followed })
    }

    /// Reads a share.
    ///
    /// # Errors
    /// [`InvalidSampling::Share`] if it is no number from 0 to 1.
    pub fn share_of(text: &str) -> Result<f64, InvalidSampling> {
        let share = text.parse().ok().filter(|share| (0.0..=1.0).contains(share));
        share.ok_or_else(|| InvalidSampling::Share(text.to_owned()))
    }

    /// For a request with a `traceparent`, [`Sampling::keeps`] has decided.
    fn sampler(self) -> Sampler {
        Sampler::ParentBased(Box::new(Sampler::TraceIdRatioBased(self.share)))
    }

    /// Whether a request is kept whose caller says this about it.
    fn keeps(self, said: bool, is_trusted: bool) -> bool {
        match self.followed {
            Followed::Everybody => said,
            Followed::TrustedProxies if is_trusted => said,
            _ => self.share >= 1.0 || f64::from(chance()) < self.share * CHANCES,
        }
    }
}

/// How many values [`chance`] can return.
const CHANCES: f64 = 4_294_967_296.0;

/// An unpredictable number; the largest one if the system has no random numbers, so that no trace is chosen then.
fn chance() -> u32 {
    let mut bytes = [0; 4];
    if getrandom::fill(&mut bytes).is_ok() { u32::from_le_bytes(bytes) } else { u32::MAX }
}

/// The settings for making and sending traces.
pub struct TracesConfig {
    collector: Arc<dyn Collector>,
    service_name: Option<String>,
    sampling: Sampling,
    names: bool,
    delay: Duration,
}

impl TracesConfig {
    /// All traces go to this collector.
    #[must_use]
    pub fn new(collector: Arc<dyn Collector>) -> Self {
        Self { collector, service_name: None, sampling: Sampling::default(), names: false, delay: DELAY }
    }

    /// The name of the service (`service.name`). The default is the value of `OTEL_SERVICE_NAME` or
    /// `OTEL_RESOURCE_ATTRIBUTES`, else `insomnia-scim`.
    #[must_use]
    pub fn service_name(mut self, name: impl Into<String>) -> Self {
        self.service_name = Some(name.into());
        self
    }

    /// The choice of the traces that are kept.
    #[must_use]
    pub fn sampling(mut self, sampling: Sampling) -> Self {
        self.sampling = sampling;
        self
    }

    /// Whether spans name the organization, the path that was sent and the hosts to which requests are posted. By
    /// default they do not, so that traces may be kept by systems that must not know who the customers are.
    #[must_use]
    pub fn name_organizations(mut self, names: bool) -> Self {
        self.names = names;
        self
    }

    /// How long the first span of a batch waits for others; five seconds by default.
    #[must_use]
    pub fn delay(mut self, delay: Duration) -> Self {
        self.delay = delay;
        self
    }

    fn resource(&self) -> Resource {
        let found = Resource::builder().build();
        let key = "service.name";
        let named = found.get(&key.into()).filter(|name| !name.as_str().starts_with("unknown_service"));
        let name = match &self.service_name {
            Some(name) => Value::from(name.clone()),
            None => named.unwrap_or_else(|| SERVICE.into()),
        };
        let version = KeyValue::new("service.version", env!("CARGO_PKG_VERSION"));
        Resource::builder().with_attribute(KeyValue::new(key, name)).with_attribute(version).build()
    }
}

/// Makes spans, and sends them. Without a [`TracesConfig`] it makes none.
#[derive(Clone, Default)]
pub struct Traces(Option<Arc<Inner>>);

struct Inner {
    tracer: SdkTracer,
    task: Task,
    outcomes: IntCounterVec,
    sampling: Sampling,
    /// Whether organizations are named.
    names: bool,
}

/// The first span of this process in a trace, which the contexts below it contain.
struct Root(Context);

impl Traces {
    /// Begins to make spans. Call it in a Tokio runtime.
    ///
    /// # Errors
    /// If the counter of spans can't be made, which is a fault of this crate.
    pub fn start(config: &TracesConfig) -> Result<Self, prometheus::Error> {
        let outcomes = Opts::new(
            "insomnia_scim_spans_total",
            "Spans that ended, by what became of them: exported to the collector, or dropped because it took none.",
        );
        let outcomes = IntCounterVec::new(outcomes, &["outcome"])?;
        for outcome in ["exported", "dropped"] {
            outcomes.with_label_values(&[outcome]).reset();
        }
        let resource = config.resource();
        let counted = Outcomes(outcomes.clone());
        let (queue, task) = export::start(Arc::clone(&config.collector), &resource, config.delay, counted);
        let provider = SdkTracerProvider::builder()
            .with_span_processor(queue)
            .with_sampler(config.sampling.sampler())
            .with_resource(resource)
            .build();
        ON.store(true, Ordering::Relaxed);
        let tracer = provider.tracer(env!("CARGO_PKG_NAME"));
        let (sampling, names) = (config.sampling, config.names);
        Ok(Self(Some(Arc::new(Inner { tracer, task, outcomes, sampling, names }))))
    }

    /// Sends the waiting spans, and makes no further ones. It does not wait for longer than `most`.
    pub async fn stop(&self, most: Duration) {
        if let Some(inner) = &self.0 {
            inner.task.stop(most).await;
        }
    }

    /// Whether spans are made.
    pub(crate) fn is_on(&self) -> bool {
        self.0.is_some()
    }

    /// The counts of sent and dropped spans.
    pub(crate) fn outcomes(&self) -> Option<IntCounterVec> {
        self.0.as_ref().map(|inner| inner.outcomes.clone())
    }

    /// The span of an HTTP request: in the caller's trace, if the request names one, else in a new one. `path` has no
    /// secrets. `is_trusted` says whether a trusted proxy has sent the request.
    pub(crate) fn of_request(&self, method: &Method, path: &str, headers: &HeaderMap, is_trusted: bool) -> Span {
        let Some(inner) = &self.0 else { return Span(None) };
        let mut attributes = vec![KeyValue::new("http.request.method", named(method))];
        let mut name = in_name(method).to_owned();
        if path == "/scim" || path.starts_with("/scim/") {
            let route = route::of_scim(path);
            name = format!("{name} {route}");
            if !inner.names {
                attributes.push(KeyValue::new("url.path", route.clone()));
            }
            attributes.push(KeyValue::new("http.route", route));
        }
        if inner.names {
            attributes.push(KeyValue::new("url.path", path.to_owned()));
        }
        let builder = inner.tracer.span_builder(name).with_kind(SpanKind::Server).with_attributes(attributes);
        let caller = caller(headers, |said| inner.sampling.keeps(said, is_trusted));
        Span::first(inner.tracer.build_with_context(builder, &caller))
    }

    /// The span of a run of an organization's jobs, in a trace of its own.
    pub(crate) fn of_jobs(&self, organization: &str) -> Span {
        let Some(inner) = &self.0 else { return Span(None) };
        let builder = inner.tracer.span_builder("jobs");
        let span = Span::first(inner.tracer.build_with_context(builder, &Context::new()));
        inner.name(&span, organization);
        span
    }

    /// The span of a call of the component, below the current span; none if there is none. `function` has the form
    /// `insomnia_scim_jobs.call_run_due`.
    pub(crate) fn of_call(&self, function: &'static str, organization: &str) -> Span {
        let Some((inner, above)) = self.current() else { return Span(None) };
        let name = function.trim_start_matches("insomnia_scim_").replace(".call_", ".");
        let span = inner.below(name, SpanKind::Internal, &above);
        inner.name(&span, organization);
        if inner.names && !organization.starts_with('_') {
            above.span().set_attribute(KeyValue::new("insomnia.organization", organization.to_owned()));
        }
        span
    }

    /// The span of a function of a capability, below the current span; none if there is none.
    pub(crate) fn of_capability(&self, capability: &'static str, function: &'static str) -> Span {
        let Some((inner, above)) = self.current() else { return Span(None) };
        inner.below(format!("{capability}.{function}"), SpanKind::Internal, &above)
    }

    /// The span of an HTTP request that the component sends. The request gets the span's `traceparent`.
    ///
    /// If the component sends the request on behalf of an earlier one, it already has the `traceparent` of that. The
    /// span is then in the trace of the earlier request, with a link to the current span, which has a link to the
    /// earlier request.
    pub(crate) fn of_sending(&self, method: &str, url: &str, headers: &mut Vec<(String, String)>) -> Span {
        let Some((inner, above)) = self.current() else { return Span(None) };
        let is_parent = |name: &str| name.eq_ignore_ascii_case("traceparent");
        let earlier = headers.iter().find(|(name, _)| is_parent(name));
        let earlier = earlier.and_then(|(_, value)| TraceParent::parse(value));
        let method = Method::from_bytes(method.as_bytes()).unwrap_or_default();
        let mut builder = inner.tracer.span_builder(in_name(&method)).with_kind(SpanKind::Client);
        let mut attributes = vec![KeyValue::new("http.request.method", named(&method))];
        if inner.names
            && let Ok(url) = url::Url::parse(url)
        {
            let host = url.host_str().unwrap_or_default().to_owned();
            attributes.push(KeyValue::new("server.address", host));
            attributes.extend(url.port_or_known_default().map(|port| KeyValue::new("server.port", i64::from(port))));
        }
        builder = builder.with_attributes(attributes);
        let span = match earlier.map(|earlier| remote(earlier, TraceState::default())) {
            None => inner.tracer.build_with_context(builder, &above),
            Some(earlier) => {
                let root = above.get::<Root>().map_or(&above, |root| &root.0);
                root.span().add_link(earlier.clone(), Vec::new());
                builder = builder.with_links(vec![Link::with_context(above.span().span_context().clone())]);
                inner.tracer.build_with_context(builder, &Context::new().with_remote_span_context(earlier))
            }
        };
        let span = Span::of(&above, span);
        if let Some(own) = span.0.as_ref().and_then(parent) {
            headers.retain(|(name, _)| !is_parent(name));
            headers.push(("traceparent".to_owned(), own.to_string()));
        }
        span
    }

    /// The current context, if spans are made and there is a current span.
    fn current(&self) -> Option<(&Inner, Context)> {
        let inner = self.0.as_deref()?;
        let above = Context::current();
        above.span().span_context().is_valid().then_some((inner, above))
    }
}

impl Inner {
    fn below(&self, name: String, kind: SpanKind, above: &Context) -> Span {
        Span::of(above, self.tracer.build_with_context(self.tracer.span_builder(name).with_kind(kind), above))
    }

    /// Names the organization, if the operator wants that. The host's own spaces are not organizations.
    fn name(&self, span: &Span, organization: &str) {
        if self.names && !organization.starts_with('_') {
            span.set("insomnia.organization", || organization.to_owned());
        }
    }
}

/// A span, or none. It ends when it is dropped.
pub(crate) struct Span(Option<Context>);

impl Span {
    /// No span.
    pub(crate) fn none() -> Self {
        Self(None)
    }

    /// A span without a parent in this process.
    fn first(span: opentelemetry_sdk::trace::Span) -> Self {
        let context = Context::new().with_span(span);
        Self(Some(context.with_value(Root(context.clone()))))
    }

    fn of(above: &Context, span: opentelemetry_sdk::trace::Span) -> Self {
        Self(Some(above.with_span(span)))
    }

    /// Whether there is one.
    pub(crate) fn is_on(&self) -> bool {
        self.0.is_some()
    }

    /// Sets an attribute; its value is only computed if somebody sees it.
    pub(crate) fn set(&self, key: &'static str, value: impl FnOnce() -> String) {
        if let Some(context) = &self.0
            && context.span().is_recording()
        {
            context.span().set_attribute(KeyValue::new(key, value()));
        }
    }

    /// Notes that it failed, and the kind of failure.
    pub(crate) fn fail(&self, kind: &'static str) {
        if let Some(context) = &self.0 {
            context.span().set_attribute(KeyValue::new("error.type", kind));
            context.span().set_status(Status::error(kind));
        }
    }

    /// Notes the status of an HTTP answer. With `of_server`, a refusal (400 to 499) is no failure.
    pub(crate) fn answered(&self, status: u16, of_server: bool) {
        let Some(context) = &self.0 else { return };
        context.span().set_attribute(KeyValue::new("http.response.status_code", i64::from(status)));
        if status >= 500 || (status >= 400 && !of_server) {
            context.span().set_attribute(KeyValue::new("error.type", status.to_string()));
            context.span().set_status(Status::error(""));
        }
    }

    /// The future with this span as the current one.
    pub(crate) fn within<'f, T: 'f>(
        &self,
        future: Pin<Box<dyn Future<Output = T> + Send + 'f>>,
    ) -> Pin<Box<dyn Future<Output = T> + Send + 'f>> {
        match &self.0 {
            Some(context) => Box::pin(future.with_context(context.clone())),
            None => future,
        }
    }
}

impl Drop for Span {
    fn drop(&mut self) {
        if let Some(context) = &self.0 {
            context.span().end();
        }
    }
}

/// The future with the present current span, even if another task runs it.
pub(crate) fn carried<'f, T: 'f>(
    future: Pin<Box<dyn Future<Output = T> + Send + 'f>>,
) -> Pin<Box<dyn Future<Output = T> + Send + 'f>> {
    if ON.load(Ordering::Relaxed) { Box::pin(future.with_current_context()) } else { future }
}

/// Notes the route of the request that is being served.
pub(crate) fn note_route(method: &Method, route: &str) {
    if !ON.load(Ordering::Relaxed) {
        return;
    }
    let context = Context::current();
    let root = context.get::<Root>().map_or(&context, |root| &root.0);
    if root.span().is_recording() {
        root.span().update_name(format!("{} {route}", in_name(method)));
        root.span().set_attribute(KeyValue::new("http.route", route.to_owned()));
    }
}

/// The `traceparent` for what the current span causes.
pub(crate) fn traceparent() -> Option<String> {
    let is_on = ON.load(Ordering::Relaxed);
    is_on.then(Context::current).as_ref().and_then(parent).map(|parent| parent.to_string())
}

/// The ids of the current trace and span, in hexadecimal digits.
#[cfg(feature = "cli")]
pub(crate) fn ids() -> Option<(TraceId, SpanId)> {
    if !ON.load(Ordering::Relaxed) {
        return None;
    }
    Context::map_current(|context| {
        let span = context.span();
        let known = span.span_context();
        known.is_valid().then(|| (known.trace_id(), known.span_id()))
    })
}

/// The context of the request's caller; an empty one if the request has none or an invalid one. `keeps` decides whether
/// the trace is kept, given whether the caller keeps it.
fn caller(headers: &HeaderMap, keeps: impl FnOnce(bool) -> bool) -> Context {
    let mut parents = headers.get_all("traceparent").iter();
    let parent = match (parents.next(), parents.next()) {
        (Some(parent), None) => parent.to_str().ok().and_then(TraceParent::parse),
        _ => None,
    };
    let Some(mut parent) = parent else { return Context::new() };
    parent.sampled = keeps(parent.sampled);
    let states: Vec<_> = headers.get_all("tracestate").iter().filter_map(|state| state.to_str().ok()).collect();
    let state = states.join(",");
    let state = if state.len() > LONGEST_STATE { None } else { TraceState::from_str(&state).ok() };
    Context::new().with_remote_span_context(remote(parent, state.unwrap_or_default()))
}

fn remote(parent: TraceParent, state: TraceState) -> SpanContext {
    let flags = TraceFlags::default().with_sampled(parent.sampled);
    SpanContext::new(TraceId::from_bytes(parent.trace), SpanId::from_bytes(parent.span), flags, true, state)
}

fn parent(context: &Context) -> Option<TraceParent> {
    let span = context.span();
    let known = span.span_context();
    let (trace, span) = (known.trace_id().to_bytes(), known.span_id().to_bytes());
    known.is_valid().then(|| TraceParent { trace, span, sampled: known.is_sampled() })
}

fn named(method: &Method) -> String {
    if METHODS.contains(method) { method.as_str().to_owned() } else { "_OTHER".to_owned() }
}

/// The method in the form with which the name of a span begins.
fn in_name(method: &Method) -> String {
    if METHODS.contains(method) { method.as_str().to_owned() } else { "HTTP".to_owned() }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn p9_samplers_have_the_names_of_opentelemetry_and_a_wrong_one_is_refused() {
        use Followed::{Nobody, TrustedProxies};
        let sampling = |share, followed| Ok(Sampling { share, followed });
        for (name, argument, expected) in [
            ("always_on", None, sampling(1.0, Nobody)),
            ("parentbased_always_off", Some("7"), sampling(0.0, TrustedProxies)),
            ("parentbased_traceidratio", Some("0.25"), sampling(0.25, TrustedProxies)),
            ("traceidratio", None, sampling(1.0, Nobody)),
            ("traceidratio", Some("1.5"), Err(InvalidSampling::Share("1.5".into()))),
            ("traceidratio", Some("NaN"), Err(InvalidSampling::Share("NaN".into()))),
            ("parentbased_", None, Err(InvalidSampling::Sampler("parentbased_".into()))),
            ("jaeger_remote", None, Err(InvalidSampling::Sampler("jaeger_remote".into()))),
        ] {
            assert_eq!(Sampling::named(name, argument), expected, "{name} {argument:?}");
        }
    }

    #[test]
    fn p9_what_a_caller_says_of_its_trace_counts_for_those_who_are_followed_only() {
        use Followed::{Everybody, Nobody, TrustedProxies};
        // Each case: who is followed, whether a trusted proxy has sent the request, and whether the caller's choice
        // counts.
        for (followed, is_trusted, counts) in [
            (Nobody, false, false),
            (Nobody, true, false),
            (TrustedProxies, false, false),
            (TrustedProxies, true, true),
            (Everybody, false, true),
            (Everybody, true, true),
        ] {
            for said in [false, true] {
                for share in [0.0, 1.0] {
                    let expected = if counts { said } else { share >= 1.0 };
                    let kept = Sampling { share, followed }.keeps(said, is_trusted);
                    assert_eq!(kept, expected, "{followed:?}, {is_trusted}, {said}, {share}");
                }
            }
        }
        let half = Sampling { share: 0.5, followed: Nobody };
        let kept = (0..1_000).filter(|_| half.keeps(true, true)).count();
        assert!((300..700).contains(&kept), "{kept} of 1,000");
    }

    #[test]
    fn p9_only_one_valid_traceparent_says_who_the_caller_is() {
        let of = |fields: &[(&'static str, &'static str)]| {
            let mut headers = HeaderMap::new();
            for (name, value) in fields {
                headers.append(*name, value.parse().unwrap());
            }
            let context = caller(&headers, |said| said);
            let state = context.span().span_context().trace_state().header();
            parent(&context).map(|parent| (parent.to_string(), state))
        };
        const VALID: &str = "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01";
        let some = |state: &str| Some((VALID.to_owned(), state.to_owned()));
        assert_eq!(of(&[("traceparent", VALID)]), some(""));
        assert_eq!(of(&[("traceparent", VALID), ("tracestate", "a=1"), ("tracestate", "b=2")]), some("a=1,b=2"));
        assert_eq!(
            of(&[("traceparent", VALID), ("tracestate", "no-pair")]),
            some(""),
            "a wrong state is no reason to begin anew"
        );
        assert_eq!(of(&[("traceparent", VALID), ("traceparent", VALID)]), None, "which of two is not known");
        assert_eq!(of(&[("traceparent", &VALID[1..])]), None);
        assert_eq!(of(&[("tracestate", "a=1")]), None);
    }
}
