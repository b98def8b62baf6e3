//! The door for visitors, knocked at without a socket.

mod actor;
mod api;
mod archive;
mod blocklists;
mod growth;
mod guests;
mod house;
mod metering;
mod moderation;
mod outage;
mod pace;
mod palette;
mod reach;
mod registrations;
mod sign_in;
mod stories;
mod webhooks;
