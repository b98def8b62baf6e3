//! Who asked for an account.

use chrono::TimeDelta;
use serde_json::json;
use store::{
    Db,
    applicants::{self, Applicant, Asked, Decision, Event, Filter, Mail, MailState, Seen, State},
    testing::on_each_engine,
};

use crate::minute;

const SERVER: &str = "home.example";

fn seen(id: &str) -> Seen {
    Seen {
        account_id: id.into(),
        username: format!("User_{id}"),
        email: format!("user{id}@nyc.gov"),
        email_hash: format!("hash {id}"),
        domain: "nyc.gov".into(),
        network: "192.0.2.0/24".into(),
        reason_hash: String::new(),
        facts: json!({"reason": "a\u{0}b"}),
        signed_up_at: minute(id.parse().unwrap_or(0)),
    }
}

fn decision(id: &str, state: State) -> Decision {
    Decision {
        account_id: id.into(),
        state,
        verdict: "approve".into(),
        rule: Some("government".into()),
        why: "because".into(),
        ruleset: "r1".into(),
        stopped: None,
        act_at: None,
        ended_by: state.is_end().then(|| "egret".to_owned()),
        look: (None, 0),
        flag: None,
        answers: None,
        seen: None,
        event: None,
        mail: None,
        forget: false,
    }
}

async fn one(db: &Db, id: &str) -> Applicant {
    applicants::load(db, SERVER, &[id.to_owned()])
        .await
        .unwrap()
        .pop()
        .unwrap()
}

async fn ids(db: &Db, filter: &Filter) -> Vec<String> {
    let found = applicants::list(db, filter, 10).await.unwrap();
    found.into_iter().map(|row| row.account_id).collect()
}

#[tokio::test]
async fn whoever_is_seen_is_written_down_once() {
    on_each_engine(async |db| {
        applicants::see(&db, SERVER, &[seen("1"), seen("2"), seen("1")], minute(0))
            .await
            .unwrap();
        applicants::decide(&db, SERVER, &[decision("1", State::Hold)], minute(1))
            .await
            .unwrap();
        let changed = Seen {
            email_hash: "another".into(),
            ..seen("1")
        };
        applicants::see(&db, SERVER, &[changed], minute(2)).await.unwrap();
        let row = one(&db, "1").await;
        assert_eq!(
            (row.state, row.seen_at, &*row.email_hash),
            (State::Hold, minute(2), "hash 1"),
            "as it was judged"
        );
        assert_eq!(one(&db, "2").await.state, State::Waiting);
        let missing = applicants::missing(&db, SERVER, minute(1), 10).await.unwrap();
        assert_eq!(missing.iter().map(|row| &*row.account_id).collect::<Vec<_>>(), ["2"]);
        assert!(!format!("{row:?} {:?}", seen("1")).contains("nyc"), "no address prints");
    })
    .await;
}

#[tokio::test]
async fn an_end_stays_an_end_unless_the_server_still_shows_them_much_later() {
    on_each_engine(async |db| {
        applicants::see(&db, SERVER, &[seen("1")], minute(0)).await.unwrap();
        let ended = Decision {
            look: (Some(minute(60)), 0),
            ..decision("1", State::Approved)
        };
        applicants::decide(&db, SERVER, &[ended], minute(1)).await.unwrap();
        applicants::see(&db, SERVER, &[seen("1")], minute(2)).await.unwrap();
        let row = one(&db, "1").await;
        assert_eq!(
            (row.state, row.ended_at, row.ended_by.as_deref()),
            (State::Approved, Some(minute(1)), Some("egret"))
        );
        assert_eq!(applicants::approvals_since(&db, SERVER, minute(1)).await.unwrap(), 1);
        assert_eq!(applicants::approvals_since(&db, SERVER, minute(2)).await.unwrap(), 0);
        applicants::see(&db, SERVER, &[seen("1")], minute(20)).await.unwrap();
        let row = one(&db, "1").await;
        assert_eq!((row.state, row.ended_at, row.look_at), (State::Waiting, None, None));
    })
    .await;
}

#[tokio::test]
async fn a_wish_is_answered_once_and_a_newer_one_stays() {
    on_each_engine(async |db| {
        applicants::see(&db, SERVER, &[seen("1")], minute(0)).await.unwrap();
        assert!(
            applicants::ask(&db, SERVER, "1", Asked::Hold, "ada", minute(1))
                .await
                .unwrap()
        );
        assert!(
            !applicants::ask(&db, SERVER, "7", Asked::Hold, "ada", minute(1))
                .await
                .unwrap()
        );
        let due = applicants::due(&db, SERVER, minute(1), true, 10).await.unwrap();
        assert_eq!(due[0].asked_hash.as_deref(), Some("hash 1"));
        assert!(
            applicants::ask(&db, SERVER, "1", Asked::Approve, "grace", minute(2))
                .await
                .unwrap()
        );
        let answer = Decision {
            answers: Some(minute(1)),
            ..decision("1", State::Hold)
        };
        applicants::decide(&db, SERVER, std::slice::from_ref(&answer), minute(3))
            .await
            .unwrap();
        assert_eq!(one(&db, "1").await.asked.as_deref(), Some("approve"));
        let answer = Decision {
            answers: Some(minute(2)),
            ..answer
        };
        applicants::decide(&db, SERVER, &[answer], minute(3)).await.unwrap();
        assert_eq!(one(&db, "1").await.asked, None);
        let history = applicants::events(&db, SERVER, "1").await.unwrap();
        assert_eq!(
            history.iter().map(|line| &*line.by).collect::<Vec<_>>(),
            ["ada", "grace"]
        );
    })
    .await;
}

#[tokio::test]
async fn what_is_due_is_found() {
    on_each_engine(async |db| {
        let all: Vec<Seen> = ["1", "2", "3", "4", "5"].map(seen).into();
        applicants::see(&db, SERVER, &all, minute(0)).await.unwrap();
        let rows = [
            decision("1", State::Ready),
            Decision {
                act_at: Some(minute(10)),
                ..decision("2", State::Veto)
            },
            Decision {
                look: (Some(minute(20)), 1),
                ..decision("3", State::Approved)
            },
            decision("4", State::Hold),
        ];
        applicants::decide(&db, SERVER, &rows, minute(1)).await.unwrap();
        let due = async |at: i64| -> Vec<String> {
            let rows = applicants::due(&db, SERVER, minute(at), true, 10).await.unwrap();
            rows.into_iter().map(|row| row.account_id).collect()
        };
        assert_eq!(due(9).await, ["1"]);
        assert_eq!(due(10).await, ["1", "2"]);
        assert_eq!(due(20).await, ["1", "2", "3"]);
        applicants::ask(&db, SERVER, "5", Asked::Reject, "ada", minute(2))
            .await
            .unwrap();
        assert_eq!(due(9).await, ["5", "1"], "people first");
        let observing = applicants::due(&db, SERVER, minute(20), false, 10).await.unwrap();
        let observing: Vec<&str> = observing.iter().map(|row| &*row.account_id).collect();
        assert_eq!(observing, ["5", "3"], "what is decided stays so");
    })
    .await;
}

#[tokio::test]
async fn the_crowd_is_those_like_somebody() {
    on_each_engine(async |db| {
        let like = |id: &str, at: i64, network: &str, reason: &str, address: &str| Seen {
            network: network.into(),
            reason_hash: reason.into(),
            email_hash: address.into(),
            signed_up_at: minute(at),
            ..seen(id)
        };
        let all = [
            like("1", 0, "n1", "r1", "a1"),
            like("2", 30, "n1", "r1", "a2"),
            like("3", 61, "n1", "", "a1"),
            like("4", 0, "", "r1", "a4"),
            like("5", 0, "n2", "", "a1"),
        ];
        applicants::see(&db, SERVER, &all, minute(70)).await.unwrap();
        applicants::decide(&db, SERVER, &[decision("5", State::Rejected)], minute(71))
            .await
            .unwrap();
        let crowds = applicants::crowd(&db, SERVER, &all, TimeDelta::hours(1)).await.unwrap();
        let of = |id: &str| {
            let crowd = crowds.get(id).copied().unwrap_or_default();
            (crowd.neighbours, crowd.same_reason, crowd.same_address, crowd.rejected)
        };
        assert_eq!(of("1"), (1, 2, 1, 1));
        assert_eq!(of("2"), (2, 2, 0, 0));
        assert_eq!(of("3"), (1, 0, 1, 1));
        assert_eq!(of("4"), (0, 2, 0, 0));
        let far = applicants::crowd(&db, SERVER, &all, TimeDelta::MAX).await.unwrap();
        assert_eq!(far["1"].neighbours, 0, "no window is no crowd");
        let crowded: Vec<Seen> = (1000..1300)
            .map(|id| like(&id.to_string(), 0, "n9", "r9", "a9"))
            .collect();
        applicants::see(&db, SERVER, &crowded, minute(70)).await.unwrap();
        let many = applicants::crowd(&db, SERVER, &crowded[..1], TimeDelta::hours(1))
            .await
            .unwrap()["1000"];
        let most = i64::from(applicants::COUNTED);
        assert_eq!(
            (many.neighbours, many.same_reason, many.same_address),
            (most, most, most)
        );
    })
    .await;
}

#[tokio::test]
async fn people_are_found_by_what_they_wrote() {
    on_each_engine(async |db| {
        let all: Vec<Seen> = (1..=4).map(|n| seen(&n.to_string())).collect();
        applicants::see(&db, SERVER, &all, minute(9)).await.unwrap();
        applicants::see(&db, "other.example", &[seen("1")], minute(9))
            .await
            .unwrap();
        applicants::decide(&db, SERVER, &[decision("2", State::Hold)], minute(9))
            .await
            .unwrap();
        let search = |text: &str| Filter {
            server: Some(SERVER.into()),
            search: Some(text.into()),
            ..Filter::default()
        };
        assert_eq!(ids(&db, &search("USER_3")).await, ["3"]);
        assert_eq!(ids(&db, &search("user4@")).await, ["4"]);
        assert_eq!(ids(&db, &search("%")).await, Vec::<String>::new());
        assert_eq!(ids(&db, &search("NYC")).await, ["4", "3", "2", "1"]);
        let held = Filter {
            states: vec![State::Hold, State::Veto],
            rule: Some("government".into()),
            ..Filter::default()
        };
        assert_eq!(ids(&db, &held).await, ["2"]);
        let page = Filter {
            before: Some((minute(3), "3".into())),
            ..search("nyc")
        };
        assert_eq!(ids(&db, &page).await, ["2", "1"]);
        assert_eq!(applicants::find(&db, "1").await.unwrap().len(), 2);
        assert!(
            applicants::counts(&db)
                .await
                .unwrap()
                .contains(&(SERVER.into(), State::Hold, 1))
        );
        let rules = applicants::counts_by_rule(&db).await.unwrap();
        assert!(rules.contains(&(Some("government".into()), "approve".into(), State::Hold, 1)));
    })
    .await;
}

#[tokio::test]
async fn a_letter_goes_once_and_is_forgotten() {
    on_each_engine(async |db| {
        applicants::see(&db, SERVER, &[seen("1")], minute(0)).await.unwrap();
        let mail = Mail {
            id: String::new(),
            server: SERVER.into(),
            account_id: "1".into(),
            recipient: "user1@nyc.gov".into(),
            body: "sorry".into(),
            tries: 0,
        };
        let rejected = Decision {
            mail: Some(mail),
            ..decision("1", State::Rejected)
        };
        applicants::decide(&db, SERVER, std::slice::from_ref(&rejected), minute(1))
            .await
            .unwrap();
        applicants::decide(&db, SERVER, &[rejected], minute(1)).await.unwrap();
        let due = applicants::mails_due(&db, minute(1), 10).await.unwrap();
        assert_eq!(due.len(), 1);
        assert!(!format!("{due:?}").contains("nyc"));
        assert!(applicants::try_mail(&db, &due[0].id, minute(5)).await.unwrap());
        applicants::end_mail(&db, &due[0].id, MailState::Waiting, Some("busy"), minute(1))
            .await
            .unwrap();
        assert!(applicants::mails_due(&db, minute(4), 10).await.unwrap().is_empty());
        let due = applicants::mails_due(&db, minute(5), 10).await.unwrap();
        assert_eq!((due[0].tries, &*due[0].recipient), (1, "user1@nyc.gov"));
        applicants::end_mail(&db, &due[0].id, MailState::Sent, None, minute(6))
            .await
            .unwrap();
        assert!(applicants::mails_due(&db, minute(99), 10).await.unwrap().is_empty());
        assert!(!applicants::try_mail(&db, &due[0].id, minute(99)).await.unwrap());
        assert_eq!(applicants::mails(&db).await.unwrap(), [(MailState::Sent, 1)]);
    })
    .await;
}

#[tokio::test]
async fn who_they_were_is_forgotten_and_what_was_decided_stays() {
    on_each_engine(async |db| {
        applicants::see(&db, SERVER, &[seen("1"), seen("2")], minute(0))
            .await
            .unwrap();
        let event = Event {
            kind: "judged",
            by: "egret".into(),
            detail: json!({"rule": "free-mail"}),
            inputs: Some(json!({"email": "user1@nyc.gov"})),
        };
        let hashed = Decision {
            event: Some(event.clone()),
            forget: true,
            ..decision("1", State::Rejected)
        };
        let clear = Decision {
            event: Some(event),
            ..decision("2", State::Rejected)
        };
        applicants::decide(&db, SERVER, &[hashed, clear], minute(1))
            .await
            .unwrap();
        let row = one(&db, "1").await;
        assert_eq!((row.email, &*row.username, &*row.email_hash), (None, "", "hash 1"));
        assert_eq!(applicants::verdicts(&db, None, 10).await.unwrap().len(), 1);
        assert_eq!(applicants::forget(&db, minute(1), minute(2), 10).await.unwrap(), 0);
        assert_eq!(applicants::forget(&db, minute(2), minute(2), 10).await.unwrap(), 2);
        assert_eq!(applicants::forget(&db, minute(2), minute(2), 10).await.unwrap(), 0);
        for id in ["1", "2"] {
            let row = one(&db, id).await;
            assert_eq!(
                (row.email, &*row.username, &*row.email_hash, &*row.domain),
                (None, "", "", "")
            );
            assert_eq!((row.rule.as_deref(), row.facts), (Some("government"), json!({})));
            assert_eq!(
                applicants::events(&db, SERVER, id).await.unwrap().len(),
                1,
                "what was decided stays"
            );
        }
        assert!(applicants::verdicts(&db, None, 10).await.unwrap().is_empty());
        assert_eq!(applicants::events_since(&db, "", 10).await.unwrap().len(), 2);
    })
    .await;
}

#[tokio::test]
async fn rules_of_the_config_are_shown_beside_those_of_people() {
    on_each_engine(async |db| {
        let rule = |name: &str, by: &str| applicants::StoredRule {
            name: name.into(),
            rule: json!({"name": name}),
            changed_by: by.into(),
            changed_at: minute(0),
        };
        let names = async || -> Vec<(String, String)> {
            let rules = applicants::rules(&db).await.unwrap();
            rules.into_iter().map(|rule| (rule.name, rule.changed_by)).collect()
        };
        applicants::show_config_rules(&db, &[rule("a", "config"), rule("b", "config")])
            .await
            .unwrap();
        assert!(
            !applicants::save_rule(&db, &rule("a", "ada")).await.unwrap(),
            "the config's stands"
        );
        assert!(applicants::save_rule(&db, &rule("c", "ada")).await.unwrap());
        applicants::show_config_rules(&db, &[rule("b", "config")])
            .await
            .unwrap();
        assert_eq!(
            names().await,
            [("b".into(), "config".into()), ("c".into(), "ada".into())]
        );
        assert!(!applicants::delete_rule(&db, "b").await.unwrap());
        assert!(applicants::delete_rule(&db, "c").await.unwrap());
        let list = applicants::List {
            source: "free.txt".into(),
            body: "mail.example".into(),
            names: 1,
            etag: None,
            fetched_at: Some(minute(0)),
            checked_at: minute(1),
            trouble: Some("is gone".into()),
        };
        applicants::save_list(&db, &list).await.unwrap();
        applicants::save_list(&db, &list).await.unwrap();
        assert_eq!(applicants::lists(&db).await.unwrap(), [list]);
        assert_eq!(
            applicants::list_versions(&db).await.unwrap(),
            [("free.txt".into(), minute(0))]
        );
    })
    .await;
}
