//! Against the simulated server.

mod crash;
mod gotosocial;
mod house;
mod letters;
mod pending;
mod people;
mod scale;
