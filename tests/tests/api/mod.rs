//! The admin API over HTTP, against the server process.

mod audit;
mod caller;
mod components;
mod connector;
mod document;
mod fleet;
mod guard;
mod idempotency;
mod journal;
mod keys;
mod openapi_tools;
mod organizations;
mod pages;
mod people;
mod problems;
mod scopes;
