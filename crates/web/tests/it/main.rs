//! The door for visitors, knocked at without a socket.

mod actor;
mod api;
mod blocklists;
mod guests;
mod house;
mod pace;
mod palette;
mod registrations;
mod sign_in;
mod stories;
mod webhooks;
