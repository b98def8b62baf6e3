//! The feature on SQLite against the simulated fediverse.

mod domain_blocks;
mod fires;
mod gotosocial;
mod house;
mod lists;
mod servers;
mod stage;
mod ways_back;
