//! The jobs against a simulated fediverse.

mod followings;
mod house;
mod others;
mod trouble;
