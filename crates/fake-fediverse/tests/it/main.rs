//! The fake fediverse seen from outside, as a client sees it.

mod browser;
mod client;
mod faults;
mod gotosocial;
mod home;
mod moderation;
mod origins;
mod resolve;
mod sign_in;
mod webhooks;
