//! Traces: the work for a request, and the time that each part of it took, in the form of OpenTelemetry.
//!
//! Each HTTP request to the standalone server has a span. Below it, each call of the component has one, and below that
//! each function of a capability that the component calls. A run of jobs has a trace of its own; requests that it sends
//! on behalf of an earlier request belong to the trace of that one. Without [`Traces`], or without the feature `otlp`,
//! no span is made.
//!
//! | file | what it does |
//! |---|---|
//! | `spans` | makes spans, and passes traces on (W3C Trace Context) |
//! | `route` | the path of a request with placeholders for names and ids |
//! | `export` | keeps finished spans in a bounded queue, and hands them over in batches |
//! | `collector` | the trait of their receiver |
//! | `without` | replaces all that if the feature `otlp` is off |
//!
//! Making a span never waits: a span that finds the queue full is dropped and counted. No span has a query, a header
//! field, a body, or data of an organization's storage. Organizations, paths and receivers are named only if the
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
