//! One server, one daemon, and what rules make of what happens there.

mod acting;
mod book;
mod crash;
mod filing;
mod house;
mod inbox;
mod people;
mod walk;
