//! Cases, hits, rules and all that belongs to them, on both engines.

use chrono::{DateTime, Utc};
use serde_json::json;
use store::{
    cases::{self, Asked, Case, Filter, Line, State},
    exemptions::{self, Exemption},
    findings::{self, AccountFinding, DomainFinding},
    reversals::{self, Reversal},
    rule_hits::{self, Hit},
    rulesets::{self, Backtest, Standing, StoredRuleset},
    seen::{self, SeenAccount, SeenStatus},
    seen_media::{self, SeenMedia},
    testing::{self, on_each_engine},
    wrote_to,
};

use crate::{id, minute};

fn case(account: &str, at: i64) -> Case {
    Case {
        reference: format!("EG-{account}-{at}"),
        acct: format!("Eve{account}@bad.example"),
        score: 1.5,
        statuses: vec!["1".into(), "2\0".into()],
        forward: true,
        actions: json!([{ "action": "silence" }]),
        look_at: Some(minute(at)),
        ..testing::case(&id(), account, minute(at))
    }
}

fn hit(account: &str, status: &str, standing: &str, case: Option<&Case>) -> Hit {
    Hit {
        id: id(),
        server: "home.example".into(),
        account_id: account.into(),
        acct: format!("eve{account}"),
        domain: "bad.example".into(),
        status_id: status.into(),
        digest: "d".into(),
        rule: "casino".into(),
        standing: standing.into(),
        weight: 0.5,
        ruleset: 1,
        evidence: json!({ "matched": "casino" }),
        case_id: case.map(|case| case.id.clone()),
        at: minute(1),
    }
}

#[tokio::test]
async fn an_account_has_one_case_that_is_not_over() {
    on_each_engine(async |db| {
        let first = case("1", 0);
        let line = Line::new(Some(&first), "opened", "egret", json!({}), minute(0));
        assert!(cases::open(&db, &first, &line).await.unwrap());
        assert!(!cases::open(&db, &case("1", 1), &line).await.unwrap());
        let kept = cases::load(&db, &first.reference).await.unwrap().unwrap();
        assert_eq!((kept.score, kept.forward, &*kept.statuses[1]), (1.5, true, "2\u{fffd}"));
        assert!(
            cases::ask(&db, &first.id, Asked::Approve, "ada", "now", minute(2))
                .await
                .unwrap()
        );
        let changed = Case {
            state: State::Reported,
            updated_at: minute(3),
            report_id: Some("7".into()),
            reported_at: Some(minute(3)),
            ..kept.clone()
        };
        assert!(
            !cases::save(&db, &changed, kept.updated_at, &[]).await.unwrap(),
            "somebody asked meanwhile"
        );
        let asked = cases::asked(&db, "home.example", 9).await.unwrap().remove(0);
        let changed = Case { asked: None, ..changed };
        assert!(
            cases::save(
                &db,
                &changed,
                asked.updated_at,
                &[line.clone()].map(|line| Line { id: id(), ..line })
            )
            .await
            .unwrap()
        );
        assert_eq!(
            cases::of_report(&db, "home.example", "7").await.unwrap().unwrap().id,
            first.id
        );
        assert_eq!(cases::reported_since(&db, "home.example", minute(0)).await.unwrap(), 1);
        assert_eq!(
            cases::due(&db, "home.example", State::Reported, minute(9), 9)
                .await
                .unwrap()
                .len(),
            1
        );
        let over = Case {
            state: State::Resolved,
            verdict: Some("confirmed".into()),
            ended_at: Some(minute(4)),
            updated_at: minute(4),
            ..changed.clone()
        };
        assert!(cases::save(&db, &over, changed.updated_at, &[]).await.unwrap());
        assert!(cases::current(&db, "home.example", "1").await.unwrap().is_none());
        let second = case("1", 5);
        assert!(
            cases::open(&db, &second, &Line { id: id(), ..line }).await.unwrap(),
            "the next one"
        );
        assert_eq!(cases::of_account(&db, "home.example", "1", 9).await.unwrap().len(), 2);
        rule_hits::save(&db, &[hit("1", "1", "live", Some(&over))])
            .await
            .unwrap();
        let filter = Filter {
            servers: Some(vec!["home.example".into()]),
            states: vec![State::Resolved],
            search: Some("eve1".into()),
            rule: Some("casino".into()),
            domain: Some("bad.example".into()),
            before: None,
        };
        assert_eq!(cases::list(&db, &filter, 9).await.unwrap().len(), 1);
        assert_eq!(cases::counts(&db).await.unwrap().len(), 2);
        assert_eq!(cases::by_day(&db, minute(0)).await.unwrap().len(), 2);
        assert_eq!(
            cases::by_domain(&db, minute(0), 9).await.unwrap(),
            [("home.example".into(), "bad.example".into(), 1, 1)]
        );
        assert_eq!(cases::lines(&db, &first.id).await.unwrap().len(), 4);
        assert_eq!(cases::lines_since(&db, "", 99).await.unwrap().len(), 4);
        assert_eq!(cases::newest_lines(&db, None, 2).await.unwrap().len(), 2);
        assert_eq!(
            rule_hits::verdicts(&db, minute(0)).await.unwrap(),
            [("casino".to_owned(), 1, 0)]
        );
        assert_eq!(cases::delete_older(&db, minute(9)).await.unwrap(), 1);
        // Many names have an underscore: it is looked for as it is.
        let named = Case {
            acct: "Big_spender@bad.example".into(),
            ..case("3", 6)
        };
        let opened = Line::new(Some(&named), "opened", "egret", json!({}), minute(6));
        assert!(cases::open(&db, &named, &opened).await.unwrap());
        for (search, found) in [
            ("big_s", 1),
            ("g_s", 1),
            ("bi_spender", 0),
            ("b%r", 0),
            ("b\0", 0),
            ("!", 0),
        ] {
            let filter = Filter {
                search: Some(search.into()),
                ..Filter::default()
            };
            assert_eq!(cases::list(&db, &filter, 9).await.unwrap().len(), found, "{search:?}");
        }
    })
    .await;
}

#[tokio::test]
async fn a_hit_is_a_hit_once() {
    on_each_engine(async |db| {
        let (a, b) = (hit("1", "1", "live", None), hit("1", "1", "live", None));
        assert_eq!(rule_hits::save(&db, &[a.clone(), b]).await.unwrap(), vec![a.id.clone()]);
        rule_hits::save(&db, &[hit("2", "1", "shadow", None)]).await.unwrap();
        assert_eq!(rule_hits::live_of(&db, "home.example", "1", 9).await.unwrap().len(), 1);
        let one = case("1", 0);
        cases::open(
            &db,
            &one,
            &Line::new(Some(&one), "opened", "egret", json!({}), minute(0)),
        )
        .await
        .unwrap();
        rule_hits::attach(&db, &one.id, std::slice::from_ref(&a.id))
            .await
            .unwrap();
        assert_eq!(rule_hits::of_case(&db, &one.id, 9).await.unwrap().len(), 1);
        assert_eq!(
            rule_hits::similar(&db, "home.example", "1", 9).await.unwrap(),
            [("2".into(), "eve2".into(), 1)]
        );
        let numbers = rule_hits::numbers(&db, minute(0)).await.unwrap();
        assert_eq!(
            numbers
                .iter()
                .map(|line| (&*line.standing, line.hits, line.accounts))
                .collect::<Vec<_>>(),
            [("live", 1, 1), ("shadow", 1, 1)]
        );
        assert_eq!(rule_hits::timeline(&db, minute(0)).await.unwrap().len(), 2);
        assert_eq!(rule_hits::forget(&db, minute(9)).await.unwrap(), 2);
        assert_eq!(rule_hits::forget(&db, minute(9)).await.unwrap(), 0);
        assert_eq!(
            rule_hits::of_rule(&db, "casino", None, 9).await.unwrap()[0].evidence,
            json!({})
        );
        assert_eq!(rule_hits::delete_older(&db, minute(9)).await.unwrap(), 2);
    })
    .await;
}

#[tokio::test]
async fn rules_are_versions_and_two_who_change_them_at_once_do_not_both_win() {
    on_each_engine(async |db| {
        let stored = |digest: &str| StoredRuleset {
            version: 0,
            digest: digest.into(),
            rules: "[]".into(),
            note: "n".into(),
            by: "ada".into(),
            at: minute(0),
        };
        let line = || Line::new(None, "rules", "ada", json!({}), minute(0));
        assert_eq!(rulesets::save(&db, 0, &stored("a"), &line()).await.unwrap(), Some(1));
        assert_eq!(rulesets::save(&db, 0, &stored("b"), &line()).await.unwrap(), None);
        assert_eq!(rulesets::stamp(&db).await.unwrap(), (1, None));
        let standing = Standing {
            name: "casino".into(),
            digest: "x".into(),
            standing: "live".into(),
            why: "w".into(),
            backtest: Some("t".into()),
            by: "ada".into(),
            at: minute(1),
        };
        rulesets::set_standing(&db, &standing, &line()).await.unwrap();
        assert_eq!(rulesets::stamp(&db).await.unwrap().1, Some(minute(1)));
        assert_eq!(rulesets::standings(&db).await.unwrap(), std::slice::from_ref(&standing));
        // A process whose clock is behind: what it says is noticed all the same.
        let off = Standing {
            standing: "off".into(),
            at: minute(0),
            ..standing
        };
        rulesets::set_standing(&db, &off, &line()).await.unwrap();
        assert!(rulesets::stamp(&db).await.unwrap().1 > Some(minute(1)));
        assert_eq!(rulesets::standings(&db).await.unwrap()[0].standing, "off");
        let test = Backtest {
            id: "t".into(),
            state: "asked".into(),
            rules: "[]".into(),
            digests: json!({ "casino": "x" }),
            since: minute(0),
            result: None,
            by: "ada".into(),
            at: minute(1),
            ended_at: None,
        };
        rulesets::save_backtest(&db, &test).await.unwrap();
        assert_eq!(rulesets::backtests_asked(&db, 9).await.unwrap().len(), 1);
        let done = Backtest {
            state: "done".into(),
            result: Some(json!({ "statuses": 1 })),
            ended_at: Some(minute(2)),
            ..test
        };
        rulesets::save_backtest(&db, &done).await.unwrap();
        assert_eq!(rulesets::backtest(&db, "t").await.unwrap().unwrap(), done);
        assert_eq!(
            rulesets::delete_backtests(&db, minute(9)).await.unwrap(),
            0,
            "a rule stands on it"
        );
        assert_eq!(
            (
                rulesets::list(&db, None, 9).await.unwrap().len(),
                rulesets::backtests(&db, 9).await.unwrap().len()
            ),
            (1, 1)
        );
    })
    .await;
}

#[tokio::test]
async fn what_is_spared_taken_back_and_noticed_is_kept() {
    on_each_engine(async |db| {
        let line = || Line::new(None, "exempted", "ada", json!({}), minute(0));
        let spared = Exemption {
            id: id(),
            server: "home.example".into(),
            account_id: "1".into(),
            domain: String::new(),
            rule: "casino".into(),
            until: Some(minute(9)),
            why: "w".into(),
            by: "ada".into(),
            at: minute(0),
        };
        exemptions::insert(&db, &spared, &line()).await.unwrap();
        assert_eq!(
            exemptions::of(&db, "home.example", "1", minute(8)).await.unwrap().len(),
            1
        );
        assert_eq!(
            exemptions::of(&db, "home.example", "1", minute(9)).await.unwrap().len(),
            0
        );
        assert_eq!(
            (
                exemptions::list(&db, minute(1), 9).await.unwrap().len(),
                exemptions::load(&db, &spared.id).await.unwrap().is_some()
            ),
            (1, true)
        );
        assert!(exemptions::delete(&db, &spared.id, &line()).await.unwrap());
        assert!(!exemptions::delete(&db, &spared.id, &line()).await.unwrap());

        let end = Reversal {
            id: id(),
            case_id: "c".into(),
            server: "home.example".into(),
            account_id: "1".into(),
            action: "silence".into(),
            due_at: minute(5),
            state: "waiting".into(),
            tries: 0,
            next_try_at: minute(5),
            note: None,
            ended_at: None,
        };
        reversals::insert(&db, &end).await.unwrap();
        reversals::insert(
            &db,
            &Reversal {
                id: id(),
                ..end.clone()
            },
        )
        .await
        .unwrap();
        assert_eq!(
            reversals::due(&db, "home.example", minute(4), 9).await.unwrap().len(),
            0
        );
        assert_eq!(
            reversals::due(&db, "home.example", minute(5), 9).await.unwrap(),
            vec![end.clone()]
        );
        reversals::put_off(&db, &end.id, minute(7), "busy").await.unwrap();
        assert_eq!(reversals::waiting(&db, 9).await.unwrap()[0].tries, 1);
        assert_eq!(reversals::waiting_for(&db, "home.example", "1").await.unwrap().len(), 1);
        assert!(reversals::end(&db, &end.id, "done", minute(8)).await.unwrap());
        assert!(!reversals::end(&db, &end.id, "over", minute(8)).await.unwrap());
        assert_eq!(reversals::of_case(&db, "c").await.unwrap()[0].state, "done");

        let domain = DomainFinding {
            server: "home.example".into(),
            domain: "bad.example".into(),
            accounts: 3,
            confirmed: 1,
            state: "open".into(),
            by: None,
            severity: None,
            first_at: minute(0),
            last_at: minute(0),
        };
        assert!(findings::save_domain(&db, &domain).await.unwrap());
        assert!(
            !findings::save_domain(&db, &DomainFinding { accounts: 4, ..domain })
                .await
                .unwrap()
        );
        assert_eq!(findings::domains(&db, Some("open"), 9).await.unwrap()[0].accounts, 4);
        assert!(
            findings::set_domain(&db, "home.example", "bad.example", "taken", Some("silence"), "ada")
                .await
                .unwrap()
        );
        let taken = findings::domains(&db, Some("taken"), 9).await.unwrap().remove(0);
        assert_eq!(
            (taken.severity.as_deref(), taken.by.as_deref()),
            (Some("silence"), Some("ada"))
        );
        let finding = AccountFinding {
            id: id(),
            feature: "metering".into(),
            server: "home.example".into(),
            account_id: String::new(),
            acct: "eve".into(),
            kind: "spike".into(),
            text: "t".into(),
            at: minute(0),
        };
        assert!(findings::tell_account(&db, &finding).await.unwrap());
        assert!(
            !findings::tell_account(
                &db,
                &AccountFinding {
                    id: id(),
                    ..finding.clone()
                }
            )
            .await
            .unwrap()
        );
        assert_eq!(
            findings::accounts_open(&db, "home.example", 9).await.unwrap(),
            vec![finding.clone()]
        );
        findings::take_account(&db, &finding.id, minute(1)).await.unwrap();
        assert_eq!(findings::accounts_open(&db, "home.example", 9).await.unwrap(), []);
    })
    .await;
}

#[tokio::test]
async fn what_was_seen_is_kept_as_it_was_last_and_forgotten_in_time() {
    on_each_engine(async |db| {
        let account = SeenAccount {
            server: "home.example".into(),
            account_id: "1".into(),
            acct: "eve".into(),
            domain: String::new(),
            facts: json!({ "bio": "a\0b" }),
            digest: "d".into(),
            ruleset: 0,
            first_at: minute(0),
            seen_at: minute(0),
            judged_at: None,
            looked_at: None,
        };
        seen::save(&db, &[account.clone(), account.clone()], &[]).await.unwrap();
        seen::looked(&db, "home.example", "1", Some(minute(1))).await.unwrap();
        let later = SeenAccount {
            ruleset: 3,
            first_at: minute(2),
            seen_at: minute(2),
            judged_at: Some(minute(2)),
            ..account
        };
        seen::save(&db, &[later], &[]).await.unwrap();
        let kept = seen::accounts(&db, "home.example", &["1".into()])
            .await
            .unwrap()
            .remove(0);
        assert_eq!(
            (
                kept.ruleset,
                kept.judged_at,
                kept.looked_at,
                kept.first_at,
                kept.seen_at
            ),
            (3, Some(minute(2)), Some(minute(1)), minute(0), minute(2))
        );
        let status = |id: &str, edited: Option<i64>, digest: &str| SeenStatus {
            server: "home.example".into(),
            status_id: id.into(),
            account_id: "1".into(),
            facts: json!({}),
            digest: digest.into(),
            text_hash: "h".into(),
            created_at: minute(0),
            edited_at: edited.map(minute),
            seen_at: minute(1),
            seen_by: "one".into(),
        };
        for (edited, digest) in [
            (None, "first"),
            (Some(5), "second"),
            (Some(4), "older"),
            (None, "oldest"),
        ] {
            seen::save(&db, &[], &[status("7", edited, digest)]).await.unwrap();
        }
        assert_eq!(
            seen::statuses(&db, "home.example", &["7".into()]).await.unwrap()[0].digest,
            "second"
        );
        seen::save(&db, &[], &[status("8", None, "x")]).await.unwrap();
        assert_eq!(
            seen::statuses_of(&db, "home.example", "1", minute(0), 9)
                .await
                .unwrap()
                .len(),
            2
        );
        let first = seen::past(&db, minute(0), None, 1).await.unwrap().remove(0);
        let rest = seen::past(
            &db,
            minute(0),
            Some((first.seen_at, &first.server, &first.status_id)),
            9,
        )
        .await
        .unwrap();
        assert_eq!((&*first.status_id, rest.len()), ("7", 1));
        assert_eq!(seen::all_accounts(&db, ("", ""), 9).await.unwrap().len(), 1);
        assert_eq!(seen::counts(&db).await.unwrap(), (1, 2));
        assert_eq!(seen::delete_older(&db, minute(9)).await.unwrap(), 3);
    })
    .await;
}

/// What a process wrote down itself it need not read again; what others did it reads, page by page.
#[tokio::test]
async fn what_others_saw_is_read_and_what_was_seen_here_is_not() {
    on_each_engine(async |db| {
        let account = SeenAccount {
            server: "home.example".into(),
            account_id: "1".into(),
            acct: "eve@far.example".into(),
            domain: "far.example".into(),
            facts: json!({}),
            digest: "d".into(),
            ruleset: 0,
            first_at: minute(0),
            seen_at: minute(0),
            judged_at: None,
            looked_at: None,
        };
        let status = |n: i64, by: &str| SeenStatus {
            server: "home.example".into(),
            status_id: n.to_string(),
            account_id: "1".into(),
            facts: json!({ "id": n.to_string() }),
            digest: "d".into(),
            text_hash: String::new(),
            created_at: minute(n),
            edited_at: None,
            seen_at: minute(n),
            seen_by: by.into(),
        };
        let rows: Vec<_> = (0..9)
            .map(|n| status(n, if n % 3 == 0 { "one" } else { "two" }))
            .collect();
        seen::save(&db, &[account], &rows).await.unwrap();
        let read = async |except: Option<&str>, since: i64| {
            let (mut ids, mut after): (Vec<String>, Option<(DateTime<Utc>, String)>) = (Vec::new(), None);
            loop {
                let from = after.as_ref().map(|(at, id)| (*at, id.as_str()));
                let page = seen::counted(&db, "home.example", except, minute(since), from, 2)
                    .await
                    .unwrap();
                let Some(last) = page.last() else { return ids.join("") };
                after = Some((last.seen_at, last.status_id.clone()));
                assert!(page.iter().all(|row| row.acct == "eve@far.example"));
                ids.extend(page.into_iter().map(|row| row.status_id));
            }
        };
        assert_eq!(read(None, 0).await, "012345678");
        assert_eq!(read(Some("one"), 0).await, "124578");
        assert_eq!(read(Some("two"), 4).await, "6");
        assert_eq!(
            seen::counted_since(&db, "home.example", 2).await.unwrap(),
            Some(minute(6))
        );
        assert_eq!(seen::counted_since(&db, "home.example", 50).await.unwrap(), None);
        assert_eq!(seen::counted_since(&db, "else.example", 0).await.unwrap(), None);
    })
    .await;
}

#[tokio::test]
async fn files_are_wanted_once_and_remembered_by_status_and_place() {
    on_each_engine(async |db| {
        let file = |status: &str, file: &str| SeenMedia {
            server: "home.example".into(),
            status_id: status.into(),
            file: file.into(),
            preview: String::new(),
            account_id: "1".into(),
            state: "wanted".into(),
            hashes: Vec::new(),
            tries: 0,
            look_at: Some(minute(1)),
            note: None,
            seen_at: minute(1),
        };
        let all = [file("7", "a"), file("7", "b"), file("8", "a")];
        assert_eq!(seen_media::want(&db, &all).await.unwrap(), 3);
        assert_eq!(seen_media::want(&db, &all[..1]).await.unwrap(), 0);
        assert_eq!(seen_media::wanted(&db, "home.example", minute(0), 9).await.unwrap(), []);
        assert_eq!(
            seen_media::wanted(&db, "home.example", minute(1), 9)
                .await
                .unwrap()
                .len(),
            3
        );
        let known = SeenMedia {
            state: "known".into(),
            hashes: vec!["sha256:00".into()],
            look_at: None,
            ..file("7", "a")
        };
        seen_media::save(&db, &known).await.unwrap();
        assert_eq!(
            seen_media::wanted(&db, "home.example", minute(1), 9)
                .await
                .unwrap()
                .len(),
            2
        );
        let of = seen_media::of_statuses(&db, "home.example", &["7".into()])
            .await
            .unwrap();
        assert!(of.len() == 2 && of.contains(&known));
        let at = seen_media::at(&db, "home.example", &["a".into()]).await.unwrap();
        assert!(at.len() == 2 && at.contains(&known));
        assert_eq!(seen_media::delete_older(&db, minute(2)).await.unwrap(), 3);
    })
    .await;
}

#[tokio::test]
async fn whoever_was_written_to_is_known_for_a_while() {
    on_each_engine(async |db| {
        let to = [
            "Eve@far.example".to_owned(),
            "eve@far.example".to_owned(),
            "bob".to_owned(),
        ];
        wrote_to::save(&db, "home.example", "Ada", &to, minute(0))
            .await
            .unwrap();
        wrote_to::save(&db, "home.example", "ada", &to[2..], minute(5))
            .await
            .unwrap();
        let who = async |to: &str| {
            let of = ["Ada".to_owned(), "carol".to_owned()];
            wrote_to::who(&db, "home.example", to, &of).await.unwrap()
        };
        assert_eq!(who("EVE@far.example").await, ["ada"]);
        assert!(who("mallory").await.is_empty());
        assert_eq!(wrote_to::delete_older(&db, minute(1)).await.unwrap(), 1);
        assert!(who("eve@far.example").await.is_empty());
        assert_eq!(who("bob").await, ["ada"]);
    })
    .await;
}
