//! The component's face: `wit/` on one side, the crate's own modules on the other. Compiled for wasm only.

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
