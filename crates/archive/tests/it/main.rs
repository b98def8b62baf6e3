//! The archive against a simulated fediverse, on SQLite.

mod exports;
mod house;
mod imports;
mod kills;
mod large;
mod media;
mod pace;
mod recheck;
mod walks;
