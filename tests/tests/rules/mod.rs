//! Insomnia's rules (P1 to P6), tested from outside: with the built component, and with a clock that the tests set.

mod clocks;
mod deletion;
mod deliveries;
mod enabling;
mod faults;
mod full;
mod journal;
mod licences;
mod life;
mod mailbox;
mod matching;
mod network;
mod oauth;
pub(crate) mod organization;
mod passphrases;
mod refresh;
mod secrets;
mod subscriber;
mod tokens;
mod warnings;
mod wire;
pub(crate) mod world;
