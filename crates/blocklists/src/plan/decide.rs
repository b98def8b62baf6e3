//! One decision per domain.

use mastodon::{AdminDomainBlock, DomainBlockFields};
use model::Severity;
use store::block_entries::State;

use super::{
    Action, Facts, Hold, Kind, Leaves, Note, Operation, Own, Plan, Reason, StateChange, Topic,
    ties::{Softened, soften},
};
use crate::{
    config::{Retract, WeakerLocal},
    list::severity_word,
    merge::{Entry, Method},
    name::with_parents,
};

impl Own {
    /// Whether the block is ours to change.
    pub(super) fn is_ours(&self) -> bool {
        self.state == State::Ours
    }

    /// Whether the server still shows it as we left it.
    fn is_as_left(&self, live: &AdminDomainBlock) -> bool {
        self.written.as_ref().is_none_or(|written| is_same(written, live))
    }
}

/// Whether two views of a block say the same. No comment and an empty one are the same; so are the times.
pub(crate) fn is_same(a: &AdminDomainBlock, b: &AdminDomainBlock) -> bool {
    a.id == b.id
        && a.is() == b.is()
        && (a.reject_media, a.reject_reports, a.obfuscate) == (b.reject_media, b.reject_reports, b.obfuscate)
        && a.private_comment == b.private_comment
        && a.public_comment == b.public_comment
}

/// Every domain that the lists want blocked.
pub(super) fn wanted(facts: &Facts<'_>, plan: &mut Plan) {
    for entry in facts.merged.entries.iter().filter(|entry| is_wanted(entry)) {
        let domain = &*entry.domain;
        match (facts.live.get(domain), facts.own.get(domain)) {
            (None, None) => create(facts, entry, plan),
            (None, Some(own)) => absent(facts, entry, own, plan),
            (Some(live), Some(own)) if own.is_ours() => {
                if own.is_as_left(live) {
                    adjust(facts, entry, live, own.before.as_ref(), plan);
                    moved(facts, entry, own, plan);
                } else {
                    drifted(domain, plan);
                }
            }
            (Some(_), Some(own)) if own.state == State::Drifted => {
                note(
                    plan,
                    domain,
                    Topic::Drifted,
                    "a moderator changed it; `egret blocks adopt` hands it back to the lists",
                );
            }
            (Some(live), _) => foreign(facts, entry, live, plan),
        }
    }
}

/// A block of severity `noop` without flags blocks nothing, unless it is an exception.
fn is_wanted(entry: &Entry<'_>) -> bool {
    let flags = entry.flags;
    entry.exempts
        || entry.severity > Severity::Noop
        || flags.reject_media == Some(true)
        || flags.reject_reports == Some(true)
}

fn create(facts: &Facts<'_>, entry: &Entry<'_>, plan: &mut Plan) {
    if entry.severity < Severity::Suspend
        && !entry.exempts
        && let Some(parent) = covering(facts, entry)
    {
        note(
            plan,
            &entry.domain,
            Topic::Covered,
            format!("the block of {parent} covers it"),
        );
        return;
    }
    if facts.only_suspends && entry.severity < Severity::Suspend {
        let wanted = severity_word(entry.severity);
        note(
            plan,
            &entry.domain,
            Topic::Unable,
            format!("the server knows suspension alone, and the lists want {wanted}"),
        );
        return;
    }
    let Softened {
        severity,
        ties,
        cap,
        hold,
    } = soften(facts, entry, None);
    let mut fields = DomainBlockFields {
        severity: (!facts.only_suspends).then_some(severity),
        obfuscate: entry.flags.obfuscate.filter(|flag| *flag),
        public_comment: some(&entry.public_comment),
        private_comment: some(&entry.private_comment).or_else(|| some(&facts.policy.stamp)),
        ..DomainBlockFields::default()
    };
    if !facts.only_suspends {
        fields.reject_media = entry.flags.reject_media.filter(|flag| *flag);
        fields.reject_reports = entry.flags.reject_reports.filter(|flag| *flag);
    }
    if facts.only_suspends && cap.is_some() {
        let ties = ties.unwrap_or_default();
        let text = format!(
            "{} follows, {} followers, and the server knows suspension alone",
            ties.follows, ties.followers
        );
        note(plan, &entry.domain, Topic::Unable, text);
        return;
    }
    plan.operations.push(Operation {
        domain: entry.domain.to_string(),
        kind: Kind::Create,
        action: Action::Create { fields },
        before: None,
        says: reasons(facts, entry),
        rule: rule(facts, entry),
        ties,
        cap,
        exempts: entry.exempts,
        leaves: Leaves::Ours,
        hold,
    });
}

/// A parent whose block, there or wanted, makes a softer one below it pointless: the server would refuse it.
fn covering<'f>(facts: &'f Facts<'_>, entry: &'f Entry<'_>) -> Option<&'f str> {
    with_parents(&entry.domain).skip(1).find(|parent| {
        facts
            .live
            .get(*parent)
            .is_some_and(|block| block.is() >= entry.severity)
            || facts
                .merged
                .get(parent)
                .is_some_and(|above| above.severity >= entry.severity && is_wanted(above))
    })
}

/// Wanted, known to us, and not on the server.
fn absent(facts: &Facts<'_>, entry: &Entry<'_>, own: &Own, plan: &mut Plan) {
    let domain = &*entry.domain;
    match own.state {
        State::Quarantined => note(plan, domain, Topic::Quarantined, "the server refuses it"),
        State::Covered => match covered_by(facts, entry) {
            Some(parent) => note(plan, domain, Topic::Covered, format!("the block of {parent} covers it")),
            None => create(facts, entry, plan),
        },
        _ if facts.policy.recreate => create(facts, entry, plan),
        State::Dismissed => note(
            plan,
            domain,
            Topic::Dismissed,
            "it was lifted by hand, and is not made again",
        ),
        State::Ours | State::Drifted => {
            note(
                plan,
                domain,
                Topic::Dismissed,
                "it was lifted by hand, and is not made again",
            );
            plan.states.push(StateChange {
                domain: domain.to_owned(),
                to: Some("dismissed".to_owned()),
                note: "lifted by hand".to_owned(),
                reason: None,
            });
        }
    }
}

/// Whether what the server once called covered still is.
pub(super) fn is_covered(facts: &Facts<'_>, entry: &Entry<'_>) -> bool {
    covered_by(facts, entry).is_some()
}

fn covered_by<'f>(facts: &'f Facts<'_>, entry: &'f Entry<'_>) -> Option<&'f str> {
    let mut parents = with_parents(&entry.domain).skip(1);
    covering(facts, entry).or_else(|| parents.find(|parent| facts.live.contains_key(*parent)))
}

fn drifted(domain: &str, plan: &mut Plan) {
    note(
        plan,
        domain,
        Topic::Drifted,
        "a moderator changed it; `egret blocks adopt` hands it back to the lists",
    );
    plan.states.push(StateChange {
        domain: domain.to_owned(),
        to: Some("drifted".to_owned()),
        note: "changed by hand".to_owned(),
        reason: None,
    });
}

/// Wanted and made by somebody else.
fn foreign(facts: &Facts<'_>, entry: &Entry<'_>, live: &AdminDomainBlock, plan: &mut Plan) {
    let (is, wanted) = (severity_word(live.is()), severity_word(entry.severity));
    if live.is() >= entry.severity {
        note(
            plan,
            &entry.domain,
            Topic::LocalDecision,
            format!("local decision kept: {is}, the lists want {wanted}"),
        );
    } else if facts.policy.weaker_local == WeakerLocal::Raise && !facts.only_suspends {
        adjust(facts, entry, live, Some(live), plan);
    } else {
        note(
            plan,
            &entry.domain,
            Topic::Suggestion,
            format!("made by hand as {is}; the lists want {wanted}"),
        );
    }
}

/// Ours (or ours to raise), and not quite as wanted. `theirs`: the block as somebody made it before us.
fn adjust(
    facts: &Facts<'_>,
    entry: &Entry<'_>,
    live: &AdminDomainBlock,
    theirs: Option<&AdminDomainBlock>,
    plan: &mut Plan,
) {
    let mut fields = differing(entry, live);
    // What people wrote about their own block stays, however hard it becomes.
    if theirs.is_some_and(|block| !block.public_comment.is_empty()) {
        fields.public_comment = None;
    }
    if theirs.is_some_and(|block| !block.private_comment.is_empty()) {
        fields.private_comment = None;
    }
    let (mut ties, mut cap, mut hold) = (None, None, None);
    let mut kind = Kind::Update;
    if facts.only_suspends {
        (fields.severity, fields.reject_media, fields.reject_reports) = (None, None, None);
        if entry.severity < Severity::Suspend {
            note(
                plan,
                &entry.domain,
                Topic::Unable,
                "the server knows suspension alone, so it stays suspended",
            );
        }
    } else if entry.severity > live.is() {
        let softened = soften(facts, entry, Some(live.is()));
        fields.severity = (softened.severity > live.is()).then_some(softened.severity);
        (ties, cap, hold) = (softened.ties, softened.cap, softened.hold);
        if let (Some(cap), Some(ties)) = (&cap, &ties) {
            let until = cap
                .until
                .map_or(String::new(), |until| format!(" until {}", until.format("%Y-%m-%d")));
            let text = format!("capped{until}: {} follows, {} followers", ties.follows, ties.followers);
            note(plan, &entry.domain, Topic::Capped, text);
        }
        if fields.severity.is_none() {
            hold = None;
        }
    } else if entry.severity < live.is() {
        fields.severity = Some(entry.severity);
        kind = Kind::Weaken;
        if !facts.merged.unread.is_empty() {
            hold = Some(Hold::doubt("a list was never read"));
        }
    }
    if fields.is_empty() {
        return;
    }
    plan.operations.push(Operation {
        domain: entry.domain.to_string(),
        kind,
        action: Action::Update {
            id: live.id.clone(),
            fields,
        },
        before: Some(live.clone()),
        says: reasons(facts, entry),
        rule: rule(facts, entry),
        ties,
        cap,
        exempts: false,
        leaves: Leaves::Ours,
        hold,
    });
}

/// Other lists want it than those we hold it for.
fn moved(facts: &Facts<'_>, entry: &Entry<'_>, own: &Own, plan: &mut Plan) {
    let says = reasons(facts, entry);
    if says.iter().map(|say| &say.list).eq(&own.lists)
        || plan.operations.last().is_some_and(|it| it.domain == entry.domain)
    {
        return;
    }
    plan.states.push(StateChange {
        domain: entry.domain.to_string(),
        to: Some("ours".to_owned()),
        note: "other lists want it now".to_owned(),
        reason: Some(serde_json::json!({ "rule": rule(facts, entry), "says": says })),
    });
}

/// Flags and comments that the lists state and the server shows otherwise. What no list states is not ours.
fn differing(entry: &Entry<'_>, live: &AdminDomainBlock) -> DomainBlockFields {
    let flag = |stated: Option<bool>, is: bool| stated.filter(|flag| *flag != is);
    let comment = |stated: &str, is: &str| (!stated.is_empty() && stated != is).then(|| stated.to_owned());
    DomainBlockFields {
        severity: None,
        reject_media: flag(entry.flags.reject_media, live.reject_media),
        reject_reports: flag(entry.flags.reject_reports, live.reject_reports),
        obfuscate: flag(entry.flags.obfuscate, live.obfuscate),
        public_comment: comment(&entry.public_comment, &live.public_comment),
        private_comment: comment(&entry.private_comment, &live.private_comment),
    }
}

/// Everything we have a record of and the lists do not want.
pub(super) fn unwanted(facts: &Facts<'_>, plan: &mut Plan) {
    // What a list that was never read says, nobody knows: it may want the very domain that a moderator lifted, and would
    // have it blocked again once that is forgotten.
    let may_forget = facts.merged.unread.is_empty();
    let forgotten = |domain: &str, note: &str| StateChange {
        domain: domain.to_owned(),
        to: None,
        note: note.to_owned(),
        reason: None,
    };
    for (domain, own) in &facts.own {
        if facts.merged.get(domain).is_some_and(is_wanted) {
            continue;
        }
        let Some(live) = facts.live.get(domain) else {
            if may_forget {
                plan.states.push(forgotten(domain, "gone, and no list wants it"));
            }
            continue;
        };
        match own.state {
            State::Ours if own.is_as_left(live) => retract(facts, domain, own, live, plan),
            State::Ours => drifted(domain, plan),
            State::Drifted => note(
                plan,
                domain,
                Topic::Drifted,
                "a moderator changed it, and no list wants it any more",
            ),
            // Made by hand meanwhile: theirs.
            State::Dismissed | State::Covered | State::Quarantined if may_forget => {
                plan.states.push(forgotten(domain, "somebody's own block now"));
            }
            State::Dismissed | State::Covered | State::Quarantined => {}
        }
    }
}

fn retract(facts: &Facts<'_>, domain: &str, own: &Own, live: &AdminDomainBlock, plan: &mut Plan) {
    let rule = if facts.merged.allowed.iter().any(|(name, _)| name == domain) {
        "an allow list or veto spares it"
    } else if facts.merged.covering.iter().any(|(name, _)| name == domain) {
        "it covers an allowed domain"
    } else if facts.merged.refused.iter().any(|(name, ..)| name == domain) {
        "it must not be blocked"
    } else {
        "no list wants it any more"
    };
    let id = live.id.clone();
    let (action, kind, leaves) = match (&own.before, facts.policy.retract) {
        (_, Retract::Keep) => {
            note(plan, domain, Topic::Left, format!("{rule}; the policy leaves it"));
            return;
        }
        // It was there before us: it becomes what it was.
        (Some(before), _) => {
            let fields = restoring(before, live);
            if fields.is_empty() {
                return;
            }
            (Action::Update { id, fields }, Kind::Weaken, Leaves::Nothing)
        }
        (None, Retract::Noop) if !facts.only_suspends => {
            if live.is() == Severity::Noop && !live.reject_media && !live.reject_reports {
                return;
            }
            let fields = DomainBlockFields {
                severity: (live.is() != Severity::Noop).then_some(Severity::Noop),
                reject_media: live.reject_media.then_some(false),
                reject_reports: live.reject_reports.then_some(false),
                ..DomainBlockFields::default()
            };
            (Action::Update { id, fields }, Kind::Remove, Leaves::Ours)
        }
        (None, _) => (Action::Delete { id }, Kind::Remove, Leaves::Nothing),
    };
    let hold = (!facts.merged.unread.is_empty()).then(|| Hold::doubt("a list was never read"));
    plan.operations.push(Operation {
        domain: domain.to_owned(),
        kind,
        action,
        before: Some(live.clone()),
        says: Vec::new(),
        rule: rule.to_owned(),
        ties: None,
        cap: None,
        exempts: false,
        leaves,
        hold,
    });
}

/// What to set so that a block becomes what it was.
pub(crate) fn restoring(before: &AdminDomainBlock, live: &AdminDomainBlock) -> DomainBlockFields {
    DomainBlockFields {
        severity: (before.is() != live.is()).then_some(before.is()),
        reject_media: (before.reject_media != live.reject_media).then_some(before.reject_media),
        reject_reports: (before.reject_reports != live.reject_reports).then_some(before.reject_reports),
        obfuscate: (before.obfuscate != live.obfuscate).then_some(before.obfuscate),
        public_comment: (before.public_comment != live.public_comment).then(|| before.public_comment.clone()),
        private_comment: (before.private_comment != live.private_comment).then(|| before.private_comment.clone()),
    }
}

fn reasons(facts: &Facts<'_>, entry: &Entry<'_>) -> Vec<Reason> {
    entry
        .says
        .iter()
        .map(|say| Reason {
            list: facts
                .merged
                .lists
                .get(say.list as usize)
                .copied()
                .unwrap_or("?")
                .to_owned(),
            severity: say.severity,
            by_digest: say.by_digest,
            is_leaving: say.is_leaving,
        })
        .collect()
}

fn rule(facts: &Facts<'_>, entry: &Entry<'_>) -> String {
    if entry.exempts {
        return "an exception for an allowed domain".to_owned();
    }
    let count = entry.says.len();
    match facts.policy.merge {
        Method::Max => format!("the hardest of {count}"),
        Method::Min => format!("the softest of {count}"),
        Method::Consensus => format!("consensus of {count}"),
    }
}

fn note(plan: &mut Plan, domain: &str, topic: Topic, text: impl Into<String>) {
    plan.notes.push(Note {
        domain: domain.to_owned(),
        topic,
        text: text.into(),
    });
}

fn some(text: &str) -> Option<String> {
    (!text.is_empty()).then(|| text.to_owned())
}
