//! Carries plans out, an account's page at a time, and remembers.

mod account;
mod contexts;
mod pass;

pub(crate) use contexts::contexts;
pub(crate) use pass::{Pass, run};
