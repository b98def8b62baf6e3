//! The archive against a simulated fediverse, on SQLite.

mod house;
mod imports;
mod media;
mod recheck;
mod walks;
