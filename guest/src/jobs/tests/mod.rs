//! Tests of the background jobs with a host in memory.

mod budget;
mod clocks;
mod email;
mod expiry;
mod growth;
mod life;
mod retention;
mod webhook;

use super::*;
