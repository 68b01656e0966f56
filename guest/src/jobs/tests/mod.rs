//! What time makes due, over a host in memory.

mod email;
mod expiry;
mod life;
mod webhook;

use super::*;
