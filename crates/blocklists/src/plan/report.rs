//! What lists name and no server gets to hear of: said with its reason, so that nobody has to wonder.

use super::{Note, Plan, Topic};
use crate::merge::Merged;

/// Notes on everything that was left out before a server was looked at.
pub(super) fn left_out(merged: &Merged<'_>, plan: &mut Plan) {
    let name = |list: u32| merged.lists.get(list as usize).copied().unwrap_or("?");
    let mut note = |domain: &str, topic: Topic, text: String| {
        plan.notes.push(Note {
            domain: domain.to_owned(),
            topic,
            text,
        });
    };
    for (domain, refusal, lists) in &merged.refused {
        let lists: Vec<&str> = lists.iter().map(|list| name(*list)).collect();
        note(
            domain,
            Topic::Refused,
            format!("never blocked, {refusal} ({})", lists.join(", ")),
        );
    }
    for (domain, allowed) in &merged.covering {
        note(
            domain,
            Topic::Covering,
            format!("left out: it would cover {allowed}, which is allowed"),
        );
    }
    for (domain, list) in &merged.doubled {
        let text = format!("{} names it twice, with two severities", name(*list));
        note(domain, Topic::Doubled, text);
    }
    (plan.hidden, plan.outvoted) = (merged.hidden, merged.outvoted);
}
