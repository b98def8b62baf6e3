//! The engine from outside.

mod house;
mod rules;
