//! Carries out: snapshots, restores, dumps, commands, messages.

pub mod command;
pub mod dump;
pub mod notify;
pub mod restore;
pub mod safeguard;
pub mod send;
pub mod snapshot;
mod target;
