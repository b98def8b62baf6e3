//! One server, one daemon, and what rules make of what happens there.

mod acting;
mod book;
mod circles;
mod counts;
mod crash;
mod filing;
mod house;
mod inbox;
mod media;
mod people;
mod walk;
