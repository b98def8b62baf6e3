//! Decisions: what is kept, what a restore would change, what people are told. Pure.

pub mod keep;
pub mod message;
pub mod restore;
