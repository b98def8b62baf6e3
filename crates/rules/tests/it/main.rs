//! The engine from outside.

mod clean;
mod counters;
mod docs;
mod evasion;
mod exempt;
mod hostile;
mod house;
mod import;
mod properties;
mod reading;
mod rules;
mod scopes;
mod subjects;
