//! The feature on SQLite against the simulated fediverse.

mod domain_blocks;
mod gotosocial;
mod house;
mod lists;
mod ways_back;
