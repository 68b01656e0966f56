//! Insomnia's rules, driven by requests of the identity provider over a host in memory.

mod events;
mod guard;
mod memberships;
mod passphrases;
mod preview;
mod property;
mod seats;
mod teams;
mod without_seat;
