//! What strangers, tenants and a broken machine can't do to a server. The codes F1, F2 and so on are the numbers of
//! faults that an attack on an early build found.

mod answers;
mod broken_requests;
mod components;
mod connections;
mod http2;
mod logging;
mod machine;
mod memory;
mod quotas;
mod soak;
