//! The feature on SQLite against the simulated fediverse, with programs that misbehave.

mod command;
mod house;
mod mail;
mod notify;
mod pg_dump;
mod snapshot;
