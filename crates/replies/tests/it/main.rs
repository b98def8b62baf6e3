//! The feature on SQLite against the simulated fediverse.

mod care;
mod home;
mod house;
mod threads;
