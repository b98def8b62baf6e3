//! Answers of servers.

use model::{Account, AdminAccount, Context, DomainBlock, Instance, NodeInfo, Status};
use serde_json::Value;

pub(super) fn read(data: &[u8]) {
    let Ok(text) = std::str::from_utf8(data) else { return };
    if let Ok(status) = serde_json::from_str::<Status>(text) {
        // What is kept is read again.
        let kept = serde_json::to_string(&status).expect("a status is JSON");
        let again: Status = serde_json::from_str(&kept).expect("what we wrote is read");
        assert_eq!(status, again);
    }
    let _ = serde_json::from_str::<Account>(text);
    let _ = serde_json::from_str::<AdminAccount>(text);
    let _ = serde_json::from_str::<Context>(text);
    let _ = serde_json::from_str::<DomainBlock>(text);
    let _ = serde_json::from_str::<Instance>(text);
    let _ = serde_json::from_str::<NodeInfo>(text);
    raw(text);
}

/// The bytes of items as the server sent them: as many as a JSON reader finds, and the same.
fn raw(text: &str) {
    let ours = mastodon::raw_items(text);
    let Ok(theirs) = serde_json::from_str::<Vec<Value>>(text) else {
        return;
    };
    let ours = ours.expect("an array has items");
    assert_eq!(ours.len(), theirs.len());
    for (ours, theirs) in ours.iter().zip(theirs) {
        assert_eq!(serde_json::from_str::<Value>(ours).ok(), Some(theirs));
        let _ = mastodon::raw_field(ours, "account");
    }
}
