//! The feature on SQLite against the simulated fediverse, with programs that misbehave.

mod command;
mod house;
mod pg_dump;
mod snapshot;
