//! The feature on SQLite against the simulated fediverse.

mod home;
mod house;
