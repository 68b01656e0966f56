//! The server against what others wrote: a conformance suite, and another server that is asked the same.

mod differential;
mod tester;
