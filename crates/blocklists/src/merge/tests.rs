use proptest::prelude::*;

use super::*;
use crate::{list::Stance, name::Name, signature::sha256};

fn row<'a>(domain: &'a str, severity: Severity, comment: &'a str) -> Row<'a> {
    Row {
        name: Name::Plain(Cow::Borrowed(domain)),
        stance: Stance::Block(severity),
        flags: Flags::default(),
        public_comment: Cow::Borrowed(comment),
        private_comment: Cow::Borrowed(""),
        line: 1,
    }
}

fn voter<'a>(name: &'a str, rows: &'a [Row<'a>]) -> Voter<'a> {
    Voter {
        name,
        weight: 1,
        role: Role::Block,
        rows,
        leaving: &[],
        is_read: true,
    }
}

fn merging(method: Method, votes: u32, percent: u32) -> Merging {
    Merging {
        method,
        votes,
        percent,
        covering: Covering::Hold,
    }
}

fn severity(voters: &[Voter<'_>], merging: Merging) -> Option<Severity> {
    merge(voters, &merging, &Guard::default(), &[])
        .get("bad.social")
        .map(|entry| entry.severity)
}

use Severity::{Noop, Silence, Suspend};

/// Check 12.
#[test]
fn three_lists_agree_as_the_policy_says() {
    let rows = [
        row("bad.social", Suspend, ""),
        row("bad.social", Silence, ""),
        row("bad.social", Noop, ""),
    ];
    let lists: Vec<Voter<'_>> = ["a", "b", "c"]
        .iter()
        .zip(rows.chunks(1))
        .map(|(name, rows)| voter(name, rows))
        .collect();
    assert_eq!(severity(&lists, merging(Method::Max, 0, 0)), Some(Suspend));
    assert_eq!(severity(&lists, merging(Method::Min, 0, 0)), Some(Noop));
    assert_eq!(severity(&lists, merging(Method::Consensus, 2, 0)), Some(Silence));
    assert_eq!(severity(&lists, merging(Method::Consensus, 0, 66)), Some(Silence));
    assert_eq!(severity(&lists, merging(Method::Consensus, 4, 0)), None);
    assert_eq!(severity(&lists[..1], merging(Method::Max, 2, 0)), None);
    let heavy = [Voter { weight: 2, ..lists[0] }, lists[1], lists[2]];
    assert_eq!(severity(&heavy, merging(Method::Consensus, 2, 0)), Some(Suspend));
}

/// Check 13.
#[test]
fn a_list_without_a_flag_does_not_clear_it() {
    let mut told = row("bad.social", Suspend, "");
    told.flags.reject_media = Some(true);
    let (told, silent) = ([told], [row("bad.social", Suspend, "")]);
    let lists = [voter("a", &told), voter("b", &silent)];
    for method in [Method::Min, Method::Max] {
        let merged = merge(&lists, &merging(method, 0, 0), &Guard::default(), &[]);
        assert_eq!(merged.entries[0].flags.reject_media, Some(true), "{method:?}");
        assert_eq!(merged.entries[0].flags.reject_reports, None);
    }
    let mut denied = row("bad.social", Suspend, "");
    denied.flags.reject_media = Some(false);
    let denied = [denied];
    let lists = [voter("a", &told), voter("b", &denied)];
    let flag = |method| {
        merge(&lists, &merging(method, 0, 0), &Guard::default(), &[]).entries[0]
            .flags
            .reject_media
    };
    assert_eq!((flag(Method::Min), flag(Method::Max)), (Some(false), Some(true)));
}

/// Check 14.
#[test]
fn comments_merge_the_same_however_often() {
    let once = comment(["spam; hate", "spam, hate", "Hate, racism"].into_iter());
    assert_eq!(once, "spam, hate, racism");
    assert_eq!(comment([&*once, &*once].into_iter()), once);
    assert_eq!(comment([&*once, "hate;spam"].into_iter()), once);
    assert_eq!(comment(["one; as it is"].into_iter()), "one; as it is");
    let long = "ü".repeat(5000);
    assert_eq!(comment([&*long].into_iter()).chars().count(), LONGEST_COMMENT);
    assert_eq!(comment([&*long, "x"].into_iter()).chars().count(), LONGEST_COMMENT);
}

/// Check 15.
#[test]
fn an_allowed_domain_is_spared_from_all_sides() {
    let block = [
        row("good.social", Suspend, ""),
        row("x.good.social", Suspend, ""),
        row("social.town", Suspend, ""),
        row("bad.social", Suspend, ""),
    ];
    let allow = [row("good.social", Noop, ""), row("nice.social.town", Noop, "")];
    let lists = [
        voter("a", &block),
        Voter {
            role: Role::Allow,
            ..voter("friends", &allow)
        },
    ];
    let merged = merge(&lists, &Merging::default(), &Guard::default(), &[]);
    let domains: Vec<&str> = merged.entries.iter().map(|entry| &*entry.domain).collect();
    assert_eq!(domains, ["bad.social"]);
    assert_eq!(merged.allowed.len(), 2);
    assert_eq!(merged.covering, [(Cow::Borrowed("social.town"), "nice.social.town")]);
    let exempting = Merging {
        covering: Covering::Exempt,
        ..Merging::default()
    };
    let merged = merge(&lists, &exempting, &Guard::default(), &[]);
    let found: Vec<_> = merged
        .entries
        .iter()
        .map(|entry| (&*entry.domain, entry.severity, entry.exempts))
        .collect();
    assert_eq!(
        found,
        [
            ("bad.social", Suspend, false),
            ("nice.social.town", Noop, true),
            ("social.town", Suspend, false)
        ]
    );
}

#[test]
fn a_veto_bounds_and_a_noop_in_it_clears() {
    let block = [
        row("bad.social", Suspend, ""),
        row("x.odd.social", Suspend, ""),
        row("cleared.social", Suspend, ""),
    ];
    let veto = [row("odd.social", Silence, ""), row("cleared.social", Noop, "")];
    let lists = [
        voter("a", &block),
        Voter {
            role: Role::Veto,
            ..voter("retractions", &veto)
        },
    ];
    let merged = merge(&lists, &Merging::default(), &Guard::default(), &[]);
    let found: Vec<_> = merged
        .entries
        .iter()
        .map(|entry| (&*entry.domain, entry.severity))
        .collect();
    assert_eq!(found, [("bad.social", Suspend), ("x.odd.social", Silence)]);
}

/// Check 16.
#[test]
fn a_list_that_was_never_read_holds_a_count() {
    let rows = [row("bad.social", Suspend, "")];
    let lists = [
        voter("a", &rows),
        Voter {
            is_read: false,
            ..voter("b", &[])
        },
    ];
    let half = merging(Method::Consensus, 0, 100);
    let merged = merge(&lists, &half, &Guard::default(), &[]);
    assert_eq!(merged.unread, ["b"]);
    assert!(merged.is_held(&half), "never computed with fewer lists");
    assert_eq!(merged.entries.len(), 0, "its vote stays in the denominator");
    assert!(!merged.is_held(&Merging::default()));
}

/// Check 11.
#[test]
fn a_hidden_name_is_told_by_its_digest() {
    let hidden = |pattern: &str, domain: &str| Row {
        name: Name::Hidden(Box::new(crate::name::Hidden {
            pattern: pattern.to_owned(),
            digest: Some(sha256(domain.as_bytes())),
        })),
        ..row("", Suspend, "")
    };
    let stars = [
        hidden("ba*.so****", "bad.social"),
        hidden("pe**.social", "peer.social"),
        hidden("no****.social", "nobody.social"),
        hidden("xx*.so****", "odd.social"),
    ];
    let plain = [row("bad.social", Silence, ""), row("odd.social", Silence, "")];
    let lists = [voter("stars", &stars), voter("plain", &plain)];
    let merged = merge(&lists, &merging(Method::Max, 0, 0), &Guard::default(), &["peer.social"]);
    let found: Vec<_> = merged
        .entries
        .iter()
        .map(|entry| (&*entry.domain, entry.severity))
        .collect();
    assert_eq!(
        found,
        [
            ("bad.social", Suspend),
            ("odd.social", Silence),
            ("peer.social", Suspend)
        ]
    );
    assert!(merged.entries[0].says.iter().any(|say| say.by_digest));
    assert_eq!(
        merged.hidden, 2,
        "one is unknown, and of one the letters do not fit the digest"
    );
    let twice = merge(&lists, &merging(Method::Max, 2, 0), &Guard::default(), &[]);
    assert_eq!(twice.entries.len(), 1, "a resolved name counts for consensus");
}

/// Check 8.
#[test]
fn a_domain_twice_in_one_list_has_one_vote() {
    let rows = [row("bad.social", Suspend, "x"), row("bad.social", Silence, "y")];
    let turned = [rows[1].clone(), rows[0].clone()];
    for rows in [&rows, &turned] {
        let lists = [voter("a", rows)];
        assert_eq!(severity(&lists, merging(Method::Max, 0, 0)), Some(Suspend));
        assert_eq!(severity(&lists, merging(Method::Min, 0, 0)), Some(Silence));
        assert_eq!(severity(&lists, merging(Method::Consensus, 2, 0)), None);
        assert_eq!(
            merge(&lists, &Merging::default(), &Guard::default(), &[]).doubled.len(),
            1
        );
    }
}

#[test]
fn what_leaves_still_counts() {
    let (now, before) = (
        [row("weak.social", Noop, "")],
        [row("weak.social", Suspend, ""), row("bad.social", Silence, "")],
    );
    let lists = [Voter {
        leaving: &before,
        ..voter("a", &now)
    }];
    for method in [Method::Max, Method::Min] {
        let merged = merge(&lists, &merging(method, 0, 0), &Guard::default(), &[]);
        let found: Vec<_> = merged
            .entries
            .iter()
            .map(|entry| (&*entry.domain, entry.severity))
            .collect();
        assert_eq!(found, [("bad.social", Silence), ("weak.social", Suspend)]);
        assert!(merged.entries.iter().all(|entry| entry.says[0].is_leaving));
    }
}

/// Check 23. Canaries, and check 7: suffixes, are named with the lists that hold them.
#[test]
fn what_the_guard_refuses_is_reported_once() {
    let (a, b) = (
        [row("aud.invalid", Suspend, ""), row("cf", Suspend, "")],
        [row("aud.invalid", Suspend, "")],
    );
    let merged = merge(
        &[voter("a", &a), voter("b", &b)],
        &Merging::default(),
        &Guard::default(),
        &[],
    );
    assert!(merged.entries.is_empty());
    assert_eq!(
        merged.refused,
        [
            (Cow::Borrowed("aud.invalid"), Refusal::Canary, vec![0, 1]),
            (Cow::Borrowed("cf"), Refusal::PublicSuffix, vec![0]),
        ]
    );
}

type Said = (u8, u8, Option<bool>, u8);

fn rows_of(said: &[Said]) -> Vec<Row<'static>> {
    const DOMAINS: [&str; 6] = ["a.social", "b.social", "x.b.social", "c.social", "d.town", "e.town"];
    const COMMENTS: [&str; 4] = ["", "spam", "hate; spam", "racism, spam"];
    said.iter()
        .map(|(domain, severity, media, comment)| {
            let mut row = row(
                DOMAINS[usize::from(*domain) % DOMAINS.len()],
                [Noop, Silence, Suspend][usize::from(*severity) % 3],
                COMMENTS[usize::from(*comment) % COMMENTS.len()],
            );
            row.flags.reject_media = *media;
            row
        })
        .collect()
}

proptest! {
    /// Check 12. All permutations, of lists and of rows.
    #[test]
    fn order_never_matters(
        lists in prop::collection::vec((prop::collection::vec(any::<Said>(), 0..8), 0..3_u32, 0..3_u8), 1..5),
        method in 0..3_usize, votes in 0..3_u32, percent in 0..101_u32, seed in any::<u64>(),
    ) {
        let merging = Merging {
            method: [Method::Max, Method::Min, Method::Consensus][method],
            votes, percent,
            covering: if seed % 2 == 0 { Covering::Hold } else { Covering::Exempt },
        };
        let names = ["a", "b", "c", "d", "e"];
        let rows: Vec<Vec<Row<'_>>> = lists.iter().map(|(said, ..)| rows_of(said)).collect();
        let mut turned = rows.clone();
        for rows in &mut turned {
            rows.reverse();
            if !rows.is_empty() {
                let by = usize::try_from(seed % rows.len() as u64).unwrap();
                rows.rotate_left(by);
            }
        }
        let build = |rows: &'static [Vec<Row<'static>>]| -> Vec<Voter<'static>> {
            rows.iter().zip(&lists).zip(names).map(|((rows, (_, weight, role)), name)| Voter {
                name, weight: *weight, rows, leaving: &[], is_read: true,
                role: [Role::Block, Role::Allow, Role::Veto][usize::from(*role)],
            }).collect()
        };
        // Leaked, since a test's rows borrow for as long as it runs.
        let (rows, turned): (&'static _, &'static _) = (Box::leak(Box::new(rows)), Box::leak(Box::new(turned)));
        let straight = merge(&build(rows), &merging, &Guard::default(), &[]);
        let mut voters = build(turned);
        voters.reverse();
        prop_assert_eq!(&straight, &merge(&voters, &merging, &Guard::default(), &[]));
    }

    /// The merged list, merged with itself, is itself.
    #[test]
    fn merging_again_changes_nothing(said in prop::collection::vec(any::<Said>(), 0..10), more in prop::collection::vec(any::<Said>(), 0..10)) {
        let (a, b) = (rows_of(&said), rows_of(&more));
        for method in [Method::Max, Method::Min] {
            let merging = Merging { method, ..Merging::default() };
            let once = merge(&[voter("a", &a), voter("b", &b)], &merging, &Guard::default(), &[]);
            let rows: Vec<Row<'_>> = once.entries.iter().map(|entry| Row {
                name: Name::Plain(entry.domain.clone()),
                stance: Stance::Block(entry.severity),
                flags: entry.flags,
                public_comment: entry.public_comment.clone(),
                private_comment: entry.private_comment.clone(),
                line: 1,
            }).collect();
            let twice = merge(&[voter("m", &rows), voter("n", &rows)], &merging, &Guard::default(), &[]);
            let plain = |merged: &Merged<'_>| -> Vec<_> {
                merged.entries.iter().map(|it| (it.domain.to_string(), it.severity, it.flags, it.public_comment.to_string())).collect()
            };
            prop_assert_eq!(plain(&once), plain(&twice));
        }
    }
}
