//! Syncs shared blocklists. Every block is an effect.

pub mod apply;
pub mod config;
pub mod gather;
pub mod guard;
pub mod import;
mod jobs;
pub mod list;
pub mod merge;
pub mod name;
pub mod outputs;
pub mod plan;
pub mod safety;
pub mod signature;
pub mod stage;
pub mod undo;
pub mod why;

pub use config::Config;
pub use jobs::{after, carry_out, jobs, plan as make_plan, save as save_plan, tell};
