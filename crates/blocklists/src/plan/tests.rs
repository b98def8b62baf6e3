use mastodon::DomainBlockFields;
use model::Severity::{self, Noop, Silence, Suspend};

use super::*;
use crate::{
    config::{Retract, WeakerLocal},
    guard::Guard,
    list::{Reading, parse},
    merge::{Merging, Role, Voter, merge},
};

fn now() -> DateTime<Utc> {
    "2026-03-01T12:00:00Z".parse().unwrap()
}

fn block(id: &str, domain: &str, severity: Severity) -> AdminDomainBlock {
    AdminDomainBlock {
        id: id.to_owned(),
        domain: domain.to_owned(),
        severity: Some(severity),
        reject_media: false,
        reject_reports: false,
        private_comment: String::new(),
        public_comment: String::new(),
        obfuscate: false,
        created_at: None,
    }
}

fn ours(written: &AdminDomainBlock) -> Own {
    Own {
        state: State::Ours,
        written: Some(written.clone()),
        before: None,
        told_at: None,
        lists: BTreeSet::from(["list".to_owned()]),
    }
}

/// A server, and one list.
struct Scene {
    list: &'static str,
    policy: Policy,
    live: Vec<AdminDomainBlock>,
    own: Vec<(&'static str, Own)>,
    peers: Option<Vec<&'static str>>,
    ties: Vec<(&'static str, u64)>,
    counting: Counting,
    only_suspends: bool,
    unread: Option<Role>,
    reading: Reading,
    now: DateTime<Utc>,
}

impl Scene {
    fn of(list: &'static str) -> Self {
        Self {
            list,
            policy: Policy::default(),
            live: Vec::new(),
            own: Vec::new(),
            peers: Some(Vec::new()),
            ties: Vec::new(),
            counting: Counting::Done,
            only_suspends: false,
            unread: None,
            reading: Reading::default(),
            now: now(),
        }
    }

    fn with<T>(&self, look: impl FnOnce(&Facts<'_>) -> T) -> T {
        let parsed = (!self.list.is_empty()).then(|| parse(self.list, &self.reading).unwrap());
        let rows = parsed.as_ref().map_or(&[][..], |parsed| &parsed.rows);
        let voter = Voter {
            name: "list",
            weight: 1,
            role: Role::Block,
            rows,
            leaving: &[],
            is_read: true,
        };
        let mut voters = vec![voter];
        if let Some(role) = self.unread {
            voters.push(Voter {
                name: "other",
                role,
                rows: &[],
                is_read: false,
                ..voter
            });
        }
        let merging: Merging = self.policy.merging();
        let merged = merge(&voters, &merging, &Guard::new(["home.social"], [], false), &[]);
        look(&Facts {
            server: "home.social",
            policy: &self.policy,
            merged: &merged,
            doubts: Vec::new(),
            live: by_domain(self.live.clone()),
            own: self
                .own
                .iter()
                .map(|(domain, own)| ((*domain).to_owned(), own.clone()))
                .collect(),
            met: self.peers.as_ref().map(|peers| {
                let peers: Vec<String> = peers.iter().map(|peer| (*peer).to_owned()).collect();
                met(&peers)
            }),
            ties: self
                .ties
                .iter()
                .map(|(domain, follows)| {
                    (
                        (*domain).to_owned(),
                        Ties {
                            follows: *follows,
                            ..Ties::default()
                        },
                    )
                })
                .collect(),
            counting: self.counting,
            only_suspends: self.only_suspends,
            now: self.now,
        })
    }

    fn plan(&self) -> Plan {
        self.with(plan)
    }
}

fn sent(plan: &Plan) -> Vec<(&str, &str, Option<Severity>)> {
    plan.free(false)
        .map(|it| {
            let severity = match &it.action {
                Action::Create { fields } | Action::Update { fields, .. } => fields.severity,
                Action::Delete { .. } => None,
            };
            (&*it.domain, it.action.word(), severity)
        })
        .collect()
}

fn topics(plan: &Plan) -> Vec<(&str, Topic)> {
    plan.notes.iter().map(|note| (&*note.domain, note.topic)).collect()
}

const ONE: &str = "domain,severity\nbad.social,suspend\n";

/// Check 25. The pure part.
#[test]
fn an_empty_server_gets_each_entry_once() {
    let scene = Scene::of("domain,severity\na.social,suspend\nb.social,silence\nc.social,suspend\n");
    let plan = scene.plan();
    assert_eq!(
        sent(&plan),
        [
            ("a.social", "create", Some(Suspend)),
            ("b.social", "create", Some(Silence)),
            ("c.social", "create", Some(Suspend)),
        ]
    );
    assert!(plan.text().contains("+ a.social suspend"), "{}", plan.text());
}

/// The one every feature has: carried out, and planned again, nothing is left. Check 27. Check 33. On the way: the
/// list spells names otherwise, and the server knows no comment where the list has an empty one.
#[test]
fn carried_out_and_planned_again_nothing_is_left() {
    let mut scene = Scene::of(
        "domain,severity,public_comment,reject_media\nBad.Social,suspend,,true\nb\u{fc}cher.social.,silence,spam,\n",
    );
    let plan = scene.plan();
    assert_eq!(sent(&plan).len(), 2);
    for (n, operation) in plan.operations.iter().enumerate() {
        let Action::Create { fields } = &operation.action else {
            panic!()
        };
        let made = made(&n.to_string(), &operation.domain, fields);
        let domain: &'static str = Box::leak(operation.domain.clone().into_boxed_str());
        scene.own.push((domain, ours(&made)));
        scene.live.push(made);
    }
    let again = scene.plan();
    assert!(
        again.operations.is_empty() && again.notes.is_empty() && again.states.is_empty(),
        "{again:?}"
    );
}

fn made(id: &str, domain: &str, fields: &DomainBlockFields) -> AdminDomainBlock {
    AdminDomainBlock {
        reject_media: fields.reject_media.unwrap_or_default(),
        reject_reports: fields.reject_reports.unwrap_or_default(),
        private_comment: fields.private_comment.clone().unwrap_or_default(),
        public_comment: fields.public_comment.clone().unwrap_or_default(),
        ..block(id, domain, fields.severity.unwrap_or(Silence))
    }
}

/// Check 26.
#[test]
fn only_what_differs_is_sent() {
    let mut scene = Scene::of("domain,severity,public_comment\nbad.social,suspend,spam\n");
    let live = AdminDomainBlock {
        private_comment: "court order".to_owned(),
        ..block("1", "bad.social", Suspend)
    };
    scene.own = vec![("bad.social", ours(&live))];
    scene.live = vec![live];
    let plan = scene.plan();
    let fields = DomainBlockFields {
        public_comment: Some("spam".to_owned()),
        ..DomainBlockFields::default()
    };
    assert_eq!(
        plan.operations[0].action,
        Action::Update {
            id: "1".to_owned(),
            fields
        }
    );
}

/// Check 28.
#[test]
fn a_block_made_by_hand_stays_as_it_is() {
    let mut scene = Scene::of("domain,severity\nhard.social,silence\nsoft.social,suspend\n");
    scene.live = vec![block("1", "hard.social", Suspend), block("2", "soft.social", Silence)];
    let plan = scene.plan();
    assert_eq!(sent(&plan), []);
    assert_eq!(
        topics(&plan),
        [
            ("hard.social", Topic::LocalDecision),
            ("soft.social", Topic::Suggestion)
        ]
    );
    assert!(plan.notes[0].text.contains("local decision kept"));
    scene.policy.weaker_local = WeakerLocal::Raise;
    scene.ties = vec![("soft.social", 0)];
    assert_eq!(sent(&scene.plan()), [("soft.social", "update", Some(Suspend))]);
}

/// Check 29.
#[test]
fn follows_cap_until_they_are_gone() {
    let mut scene = Scene::of("domain,severity,public_comment\nbad.social,suspend,spam\n");
    scene.peers = Some(vec!["x.bad.social"]);
    scene.ties = vec![("bad.social", 12)];
    let plan = scene.plan();
    assert_eq!(sent(&plan), [("bad.social", "create", Some(Silence))]);
    assert!(plan.operations[0].text().contains("12 follows") && plan.operations[0].text().contains("capped"));

    let live = AdminDomainBlock {
        public_comment: "spam".to_owned(),
        ..block("1", "bad.social", Silence)
    };
    scene.own = vec![("bad.social", ours(&live))];
    scene.live = vec![live.clone()];
    let plan = scene.plan();
    assert_eq!(
        (sent(&plan), topics(&plan)),
        (vec![], vec![("bad.social", Topic::Capped)])
    );

    let other = AdminDomainBlock {
        public_comment: String::new(),
        ..live.clone()
    };
    scene.own = vec![("bad.social", ours(&other))];
    scene.live = vec![other];
    assert_eq!(
        sent(&scene.plan()),
        [("bad.social", "update", None)],
        "another field changes, and no severity goes along"
    );

    scene.own = vec![("bad.social", ours(&live))];
    scene.live = vec![live];
    scene.ties = vec![("bad.social", 0)];
    let plan = scene.plan();
    let fields = DomainBlockFields {
        severity: Some(Suspend),
        ..DomainBlockFields::default()
    };
    assert_eq!(
        plan.operations[0].action,
        Action::Update {
            id: "1".to_owned(),
            fields
        }
    );
}

#[test]
fn a_stage_ends_and_then_it_is_a_suspension() {
    let mut scene = Scene::of(ONE);
    scene.policy.stage = Some(std::time::Duration::from_secs(7 * 24 * 3600));
    scene.ties = vec![("bad.social", 3)];
    let live = block("1", "bad.social", Silence);
    let since = Own {
        told_at: Some(now()),
        ..ours(&live)
    };
    scene.own = vec![("bad.social", since)];
    scene.live = vec![live];
    assert_eq!(sent(&scene.plan()), []);
    scene.now = now() + chrono::TimeDelta::days(8);
    assert_eq!(sent(&scene.plan()), [("bad.social", "update", Some(Suspend))]);
}

/// Check 31. Who cannot count holds suspensions of peers, and nothing else.
#[test]
fn uncounted_follows_hold_suspensions_of_peers_alone() {
    let mut scene = Scene::of("domain,severity\npeer.social,suspend\nquiet.social,silence\nunknown.social,suspend\n");
    scene.peers = Some(vec!["peer.social", "quiet.social"]);
    for counting in [Counting::Refused, Counting::NotAsked] {
        scene.counting = counting;
        let plan = scene.plan();
        let domains: Vec<&str> = plan.free(false).map(|it| &*it.domain).collect();
        assert_eq!(domains, ["quiet.social", "unknown.social"]);
        assert_eq!(plan.free(true).count(), 3, "a human may know better");
    }
    scene.peers = None;
    assert_eq!(scene.plan().held().count(), 2, "without a list of peers any may be one");
    scene.policy.max_followed_severity = Suspend;
    assert_eq!(scene.plan().held().count(), 0);
}

/// Candidates for a count are what would be blocked harder and may be met: nothing else costs a request.
#[test]
fn only_candidates_among_peers_are_counted() {
    let mut scene =
        Scene::of("domain,severity\na.social,suspend\nb.social,suspend\nc.social,suspend\nd.social,suspend\n");
    scene.peers = Some(vec!["a.social", "x.b.social", "d.social"]);
    scene.live = vec![block("1", "d.social", Suspend)];
    assert_eq!(scene.with(candidates), ["a.social", "b.social"]);
}

/// Check 37.
#[test]
fn what_a_moderator_changed_is_theirs() {
    let mut scene = Scene::of(ONE);
    let left = block("1", "bad.social", Suspend);
    for edited in [
        block("1", "bad.social", Silence),
        AdminDomainBlock {
            private_comment: "see ticket".to_owned(),
            ..left.clone()
        },
        block("2", "bad.social", Suspend),
    ] {
        scene.own = vec![("bad.social", ours(&left))];
        scene.live = vec![edited];
        let plan = scene.plan();
        assert_eq!(
            (sent(&plan), topics(&plan)),
            (vec![], vec![("bad.social", Topic::Drifted)])
        );
        assert_eq!(plan.states[0].to.as_deref(), Some("drifted"));
        scene.list = "domain,severity\nother.social,silence\n";
        assert!(
            scene.plan().operations.iter().all(|it| it.domain != "bad.social"),
            "nor is it lifted"
        );
        scene.list = ONE;
    }
}

/// Check 38.
#[test]
fn what_was_lifted_by_hand_is_not_made_again() {
    let mut scene = Scene::of(ONE);
    scene.own = vec![("bad.social", ours(&block("1", "bad.social", Suspend)))];
    let plan = scene.plan();
    assert_eq!((sent(&plan), plan.states[0].to.as_deref()), (vec![], Some("dismissed")));
    scene.own[0].1.state = State::Dismissed;
    assert_eq!(sent(&scene.plan()), []);
    scene.policy.recreate = true;
    assert_eq!(sent(&scene.plan()), [("bad.social", "create", Some(Suspend))]);
}

/// Check 40. What our own record allows; the waiting is the list's. And check 41: what was there before us stays.
#[test]
fn only_what_is_ours_is_lifted() {
    let mut scene = Scene::of("domain,severity\nother.social,suspend\n");
    let live = block("1", "bad.social", Suspend);
    scene.live = vec![
        live.clone(),
        block("2", "manual.social", Suspend),
        block("3", "other.social", Suspend),
    ];
    assert_eq!(sent(&scene.plan()), []);
    scene.own = vec![("bad.social", ours(&live))];
    assert_eq!(sent(&scene.plan()), [("bad.social", "delete", None)]);
    scene.policy.retract = Retract::Noop;
    assert_eq!(sent(&scene.plan()), [("bad.social", "update", Some(Noop))]);
    scene.policy.retract = Retract::Keep;
    assert!(topics(&scene.plan()).contains(&("bad.social", Topic::Left)));
    scene.policy.retract = Retract::Delete;
    scene.own[0].1.before = Some(block("1", "bad.social", Silence));
    assert_eq!(
        sent(&scene.plan()),
        [("bad.social", "update", Some(Silence))],
        "raised, it becomes what it was"
    );
}

/// Check 18. A list that was never read holds what would go, and check 16: a count.
#[test]
fn a_list_that_was_never_read_holds_what_would_go() {
    let mut scene = Scene::of("domain,severity\nother.social,suspend\n");
    scene.unread = Some(Role::Block);
    let live = block("1", "bad.social", Suspend);
    scene.own = vec![("bad.social", ours(&live))];
    scene.live = vec![live];
    let plan = scene.plan();
    assert_eq!(sent(&plan), [("other.social", "create", Some(Suspend))]);
    assert_eq!(plan.free(true).count(), 1, "nor does an approval lift it");
    scene.policy.votes = 2;
    let plan = scene.plan();
    assert!(plan.operations.is_empty() && !plan.doubts.is_empty());
}

/// Nor is a moderator's word forgotten: that list may want the very domain.
#[test]
fn a_list_that_was_never_read_makes_nobody_forget() {
    let lifted = Own {
        state: State::Dismissed,
        ..ours(&block("1", "bad.social", Suspend))
    };
    let mut scene = Scene::of("domain,severity\nother.social,suspend\n");
    scene.own = vec![("bad.social", lifted)];
    let forgotten = |scene: &Scene| scene.plan().states.iter().any(|change| change.to.is_none());
    assert!(forgotten(&scene), "no list wants it");
    scene.unread = Some(Role::Block);
    assert!(!forgotten(&scene));
    scene.live = vec![block("2", "bad.social", Silence)];
    assert!(!forgotten(&scene));
}

/// Whom an allow list spares nobody knows before it was read once, and a suspension cuts follows for good.
#[test]
fn a_list_that_spares_and_was_never_read_holds_what_is_new() {
    for role in [Role::Allow, Role::Veto] {
        let mut scene = Scene::of("domain,severity,public_comment\nbad.social,suspend,\nours.social,suspend,spam\n");
        let live = block("1", "ours.social", Silence);
        let gone = block("2", "gone.social", Silence);
        scene.own = vec![("ours.social", ours(&live)), ("gone.social", ours(&gone))];
        scene.live = vec![live, gone];
        scene.ties = vec![("ours.social", 0)];
        assert_eq!(scene.plan().free(false).count(), 3);
        scene.unread = Some(role);
        let plan = scene.plan();
        let free: Vec<&str> = plan.free(true).map(|it| &*it.domain).collect();
        assert_eq!(free, ["gone.social"], "to lift needs nobody's word");
        assert!(plan.doubts.iter().any(|doubt| doubt.contains("never read")), "{plan:?}");
    }
}

/// What a moderator wrote about a block of theirs stays, however hard it becomes, and in later runs too.
#[test]
fn a_raised_block_keeps_its_words() {
    let mut scene = Scene::of("domain,severity,public_comment,private_comment\nbad.social,suspend,spam,from a list\n");
    scene.policy.weaker_local = WeakerLocal::Raise;
    scene.ties = vec![("bad.social", 0)];
    let theirs = AdminDomainBlock {
        private_comment: "court order".to_owned(),
        ..block("1", "bad.social", Silence)
    };
    scene.live = vec![theirs.clone()];
    let fields = |scene: &Scene| -> Vec<DomainBlockFields> {
        let fields = |it: &Operation| match &it.action {
            Action::Update { fields, .. } => fields.clone(),
            other => panic!("{other:?}"),
        };
        scene.plan().operations.iter().map(fields).collect()
    };
    let raised = DomainBlockFields {
        severity: Some(Suspend),
        public_comment: Some("spam".to_owned()),
        ..DomainBlockFields::default()
    };
    let reading = Reading {
        fields: vec![crate::list::Field::PublicComment, crate::list::Field::PrivateComment],
        ..Reading::default()
    };
    scene.reading = reading;
    assert_eq!(fields(&scene), [raised]);
    let live = AdminDomainBlock {
        public_comment: "spam".to_owned(),
        severity: Some(Suspend),
        ..theirs.clone()
    };
    let own = Own {
        before: Some(theirs),
        ..ours(&live)
    };
    (scene.own, scene.live) = (vec![("bad.social", own)], vec![live]);
    assert_eq!(fields(&scene), []);
}

/// Check 21. The policy's bounds.
#[test]
fn too_much_at_once_waits_for_a_human() {
    let mut scene = Scene::of("domain,severity\na.social,suspend\nb.social,suspend\nc.social,silence\n");
    scene.policy.alone_creates = 2;
    let plan = scene.plan();
    assert_eq!((plan.free(false).count(), plan.free(true).count()), (0, 3));
    scene.policy.alone_creates = 3;
    scene.peers = Some(vec!["c.social"]);
    scene.ties = vec![("c.social", 101)];
    let plan = scene.plan();
    assert_eq!(plan.held().map(|it| &*it.domain).collect::<Vec<_>>(), ["c.social"]);
}

/// Check 32. A parent's block covers what is softer below it.
#[test]
fn what_a_parent_covers_is_not_asked_for() {
    let mut scene = Scene::of("domain,severity\nx.bad.social,silence\ny.bad.social,suspend\n");
    scene.live = vec![block("1", "bad.social", Silence)];
    let plan = scene.plan();
    assert_eq!(sent(&plan), [("y.bad.social", "create", Some(Suspend))]);
    assert_eq!(topics(&plan), [("x.bad.social", Topic::Covered)]);
    let covered = Own {
        state: State::Covered,
        written: None,
        before: None,
        told_at: None,
        lists: BTreeSet::new(),
    };
    scene.own = vec![("y.bad.social", covered)];
    assert_eq!(sent(&scene.plan()), [], "what the server told once is remembered");
    scene.peers = Some(vec!["y.bad.social"]);
    let asked = |scene: &Scene| scene.with(candidates);
    assert!(asked(&scene).is_empty());
    scene.live.clear();
    assert_eq!(
        asked(&scene),
        ["y.bad.social"],
        "its follows are counted before it is made"
    );
    scene.ties = vec![("y.bad.social", 0)];
    assert_eq!(sent(&scene.plan()).len(), 2, "until the parent's block is gone");
}

#[test]
fn a_server_without_severities_is_asked_for_suspensions_alone() {
    let mut scene = Scene::of("domain,severity,reject_media\na.social,silence,true\nb.social,suspend,true\n");
    scene.only_suspends = true;
    let plan = scene.plan();
    assert_eq!(sent(&plan), [("b.social", "create", None)]);
    assert_eq!(topics(&plan), [("a.social", Topic::Unable)]);
    let Action::Create { fields } = &plan.operations[0].action else {
        panic!()
    };
    assert_eq!(fields.reject_media, None);
    let live = AdminDomainBlock {
        severity: None,
        ..block("1", "b.social", Suspend)
    };
    scene.own = vec![("b.social", ours(&live))];
    scene.live = vec![live];
    assert_eq!(sent(&scene.plan()), []);
}

/// Check 44. The pure part.
#[test]
fn a_plan_is_named_by_what_it_does_and_by_the_server() {
    let mut scene = Scene::of(ONE);
    let hash = scene.plan().hash;
    assert_eq!(scene.plan().hash, hash);
    scene.live = vec![block("1", "other.social", Silence)];
    assert_ne!(scene.plan().hash, hash);
    let plan = scene.plan();
    let read: Plan = serde_json::from_value(serde_json::to_value(&plan).unwrap()).unwrap();
    assert_eq!(read, plan);
}

#[test]
fn an_exception_goes_before_the_block_it_is_an_exception_to() {
    let parsed = parse("domain,severity\nbad.social,suspend\n", &Reading::default()).unwrap();
    let allow = Reading {
        default_severity: Some(Noop),
        ..Reading::default()
    };
    let good = parse("good.bad.social\n", &allow).unwrap();
    let block = Voter {
        name: "a",
        weight: 1,
        role: Role::Block,
        rows: &parsed.rows,
        leaving: &[],
        is_read: true,
    };
    let voters = [
        block,
        Voter {
            name: "b",
            role: Role::Allow,
            rows: &good.rows,
            ..block
        },
    ];
    let merging = Merging {
        covering: crate::merge::Covering::Exempt,
        ..Merging::default()
    };
    let merged = merge(&voters, &merging, &Guard::default(), &[]);
    let found = Scene::of(ONE).with(|facts| {
        plan(&Facts {
            merged: &merged,
            ..facts.clone()
        })
    });
    assert_eq!(
        sent(&found),
        [
            ("good.bad.social", "create", Some(Noop)),
            ("bad.social", "create", Some(Suspend))
        ]
    );
}
