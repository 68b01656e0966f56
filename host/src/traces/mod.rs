//! Traces: what happened because of a request, and how long each part of it took, in the form of OpenTelemetry.
//!
//! A span is made for each HTTP request to the standalone server, below it one for each call of the component, and below that
//! one for each function of a capability that the component calls. A run of jobs has a trace of its own; what it posts on behalf
//! of a request belongs to the trace of that request. Without [`Traces`], or without the feature `otlp`, no span is made.
//!
//! | file | what it does |
//! |---|---|
//! | `spans` | makes spans, and passes traces on (W3C Trace Context) |
//! | `route` | the path of a request with placeholders in the place of names and ids |
//! | `export` | keeps finished spans in a bounded queue, and hands them over in batches |
//! | `collector` | who takes them |
//! | `without` | stands in for all that where the feature `otlp` is off |
//!
//! Making a span never waits: a span that finds the queue full is dropped and counted. No span has a query, a header
//! field, a body, or what stands in an organization's storage. Organizations, paths and receivers are named only if the
//! operator wants it ([`TracesConfig::name_organizations`]).

#[cfg(feature = "otlp")]
mod collector;
#[cfg(feature = "otlp")]
mod export;
#[cfg(feature = "otlp")]
mod route;
#[cfg(feature = "otlp")]
mod spans;
#[cfg(not(feature = "otlp"))]
mod without;

#[cfg(feature = "otlp")]
pub use collector::{Collector, NotTaken};
#[cfg(all(feature = "otlp", feature = "cli"))]
pub(crate) use spans::ids;
#[cfg(feature = "otlp")]
pub use spans::{Followed, InvalidSampling, Sampling, Traces, TracesConfig};
#[cfg(feature = "otlp")]
pub(crate) use spans::{Span, carried, note_route, traceparent};
#[cfg(not(feature = "otlp"))]
pub(crate) use without::{Span, Traces, carried, note_route, traceparent};
