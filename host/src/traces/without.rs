//! The replacement for spans without the feature `otlp`: nothing happens.

use std::pin::Pin;

use http::{HeaderMap, Method};

/// Makes no spans.
#[derive(Clone, Default)]
pub(crate) struct Traces {}

impl Traces {
    pub(crate) fn is_on(&self) -> bool {
        false
    }

    pub(crate) fn of_request(&self, _: &Method, _: &str, _: &HeaderMap, _: bool) -> Span {
        Span
    }

    pub(crate) fn of_jobs(&self, _: &str) -> Span {
        Span
    }

    pub(crate) fn of_call(&self, _: &'static str, _: &str) -> Span {
        Span
    }

    pub(crate) fn of_capability(&self, _: &'static str, _: &'static str) -> Span {
        Span
    }

    pub(crate) fn of_sending(&self, _: &str, _: &str, _: &mut Vec<(String, String)>) -> Span {
        Span
    }
}

/// No span.
pub(crate) struct Span;

impl Span {
    pub(crate) fn none() -> Self {
        Self
    }

    pub(crate) fn is_on(&self) -> bool {
        false
    }

    pub(crate) fn set(&self, _: &'static str, _: impl FnOnce() -> String) {}

    pub(crate) fn fail(&self, _: &'static str) {}

    pub(crate) fn answered(&self, _: u16, _: bool) {}

    pub(crate) fn within<'f, T: 'f>(
        &self,
        future: Pin<Box<dyn Future<Output = T> + Send + 'f>>,
    ) -> Pin<Box<dyn Future<Output = T> + Send + 'f>> {
        future
    }
}

pub(crate) fn carried<'f, T: 'f>(
    future: Pin<Box<dyn Future<Output = T> + Send + 'f>>,
) -> Pin<Box<dyn Future<Output = T> + Send + 'f>> {
    future
}

pub(crate) fn note_route(_: &Method, _: &str) {}

pub(crate) fn traceparent() -> Option<String> {
    None
}
