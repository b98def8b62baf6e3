//! Against the simulated server.

mod crash;
mod elsewhere;
mod gotosocial;
mod house;
mod letters;
mod pending;
mod people;
mod scale;
