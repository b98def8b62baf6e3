//! How far a listing has come that goes branch by branch: what a restart needs to go on.

use model::Uri;
use serde::{Deserialize, Serialize};

/// A longer text is not kept; the walk begins anew. Ten thousand replies take a tenth of it.
const MOST_TEXT: usize = 16 << 20;
const VERSION: u32 = 1;

/// The state of a walk. Opaque: keep it, and hand it back.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Walk {
    /// Found so far, with parents where told.
    pub(super) replies: Vec<(Uri, Option<Uri>)>,
    pub(super) excluded: Vec<Uri>,
    pub(super) gone: Vec<Uri>,
    /// Known to the origin's API: uri, id there, number of replies.
    pub(super) nodes: Vec<(Uri, String, u64)>,
    /// Of those, by address only, so that their number of replies is still to be asked for.
    pub(super) unmeasured: Vec<(Uri, String)>,
    /// Whose collections are still to be read.
    pub(super) queue: Vec<Uri>,
    /// Asked about; never again in this walk.
    pub(super) tried: Vec<Uri>,
}

#[derive(Deserialize)]
struct Kept {
    version: u32,
    walk: Walk,
}

impl Walk {
    /// Nothing left to do.
    pub(super) fn is_over(&self) -> bool {
        self.nodes.is_empty() && self.unmeasured.is_empty() && self.queue.is_empty()
    }

    /// For the store; `None` if it is too long to be worth keeping.
    pub fn to_text(&self) -> Option<String> {
        let text = serde_json::json!({"version": VERSION, "walk": self}).to_string();
        (text.len() <= MOST_TEXT).then_some(text)
    }

    /// What [`Self::to_text`] wrote; `None` for anything else, also what another version wrote.
    pub fn from_text(text: &str) -> Option<Self> {
        let kept: Kept = serde_json::from_str(text).ok()?;
        (kept.version == VERSION).then_some(kept.walk)
    }
}
