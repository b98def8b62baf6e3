//! Stories of the whole daemon in this process, against a simulated fediverse, on both database engines.

mod browser;
mod corpus;
mod faults;
mod live;
mod lives;
mod neighbour;
mod replies;
mod rulebook;
mod signed;
mod simulation;
