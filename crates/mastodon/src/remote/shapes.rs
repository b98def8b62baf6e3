//! What kind of thing an address names, by its shape: a table, one row per shape.

use model::Uri;

/// What an address looks like.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Shape {
    /// A status: the id to use in the origin's API.
    Status {
        /// The id on its server.
        id: String,
    },
    /// A status whose API id only a redirect tells (Pleroma's `/objects/UUID`).
    Redirecting,
    /// A copy of another server's post (`/@user@other/1`): ask for its uri.
    Copy,
    /// A post of software whose API is not spoken yet; `kind` is its name for it.
    Foreign {
        /// `note`, `post`, `comment`, `video`, `display`, …
        kind: &'static str,
        /// The id on its server.
        id: String,
    },
    /// An account.
    Profile {
        /// Name on its server.
        name: String,
    },
    /// Anything else.
    Unknown,
}

/// Reads an address.
pub fn read(_uri: &Uri) -> Shape {
    todo!()
}
