//! The effective config as the daemon hands it over: for looking at, with secrets masked before it gets here.

use std::sync::{Arc, Mutex, PoisonError};

use serde::Serialize;
use utoipa::ToSchema;

/// One key of the config.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, ToSchema)]
pub struct Setting {
    /// `replies.home.every`
    pub key: String,
    /// As it holds; a secret is masked.
    pub value: String,
    /// Where it came from: `default`, a file, an environment variable, a flag.
    pub source: String,
}

/// The config that holds now. Clone it freely: all clones show the same.
#[derive(Debug, Clone, Default)]
pub struct Effective(Arc<Mutex<Arc<[Setting]>>>);

impl Effective {
    /// Puts another config in place, at the start and after a reload.
    pub fn replace(&self, settings: Vec<Setting>) {
        *self.0.lock().unwrap_or_else(PoisonError::into_inner) = settings.into();
    }

    /// Every key, in the order of the config.
    pub(crate) fn list(&self) -> Arc<[Setting]> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }
}
