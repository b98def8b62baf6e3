//! The feature on SQLite against the simulated fediverse.

mod care;
mod holds;
mod home;
mod house;
mod live;
mod threads;
