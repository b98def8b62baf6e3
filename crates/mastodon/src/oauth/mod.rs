//! How somebody lends us a token: register, let them agree in a browser, swap their code for it.
//!
//! The same for the terminal (the server shows the code, so it works over ssh and no address of ours is needed) and
//! for pages (the server sends the browser back to us). Always with PKCE (S256) and, where a browser comes back, with
//! a `state`: a code that somebody else got hold of is worth nothing without the verifier, and a visit that did not
//! start with us is refused.

mod app;
mod consent;
mod error;

pub use app::{App, Granted, Redirect, register};
pub use consent::{Consent, Verifier};
pub use error::Error;
