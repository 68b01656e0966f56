//! What time makes due, over a host in memory.

mod budget;
mod clocks;
mod email;
mod expiry;
mod growth;
mod life;
mod retention;
mod webhook;

use super::*;
