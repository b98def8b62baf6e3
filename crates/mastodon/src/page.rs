//! Paging by `Link`.

/// Where the next page starts: opaque, made by the server, good for the same call on the same server only.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Cursor(pub(crate) String);

impl Cursor {
    /// For the store.
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// From the store.
    pub fn stored(text: impl Into<String>) -> Self {
        Self(text.into())
    }
}

/// One page of a list, newest first.
#[derive(Debug, Clone)]
pub struct Page<T> {
    /// The items; those that could not be read are left out.
    pub items: Vec<T>,
    /// Older items, if there may be any.
    pub next: Option<Cursor>,
    /// Newer items than these.
    pub prev: Option<Cursor>,
}
