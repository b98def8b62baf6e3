//! The pool against servers that misbehave, on 127.0.0.1.

mod actor;
mod limits;
mod mail;
mod manners;
mod redirects;
mod sending;
mod server;
mod tls;
