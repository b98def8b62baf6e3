//! The fake fediverse seen from outside, as a client sees it.

mod client;
mod faults;
mod home;
mod origins;
mod resolve;
