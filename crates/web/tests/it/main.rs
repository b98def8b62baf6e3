//! The door for visitors, knocked at without a socket.

mod house;
mod stories;
