//! The door for visitors, knocked at without a socket.

mod api;
mod house;
mod palette;
mod stories;
