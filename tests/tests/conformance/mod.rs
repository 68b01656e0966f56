//! The server, tested with programs that others wrote: a conformance suite, and another server that gets the same
//! requests.

mod differential;
mod tester;
