//! Connects the exports and imports of `wit/` with the crate's own modules. Compiled for wasm only.

mod acts;
mod bindings;
mod connector;
mod directory;
mod errors;
mod imports;
mod jobs;
mod journal;
mod oauth;
mod overview;
mod schemas;
mod scim;
mod streams;

struct Component;
