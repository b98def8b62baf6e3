//! The ledger.

use serde_json::json;
use store::{
    effects::{self, Effect, State},
    testing::on_each_engine,
};

use crate::{id, minute, start};

fn effect(key: &str, state: State) -> Effect {
    Effect {
        id: id(),
        feature: "blocklists".to_owned(),
        server: "home.example".to_owned(),
        kind: "domain_block.create".to_owned(),
        key: key.to_owned(),
        intent: json!({"domain": key, "n": [1, 2.5, null]}),
        reason: json!({"list": "a"}),
        state,
        note: None,
        result: None,
        planned_at: start(),
        changed_at: start(),
    }
}

#[tokio::test]
async fn an_effect_comes_back_as_it_went_in() {
    on_each_engine(async |db| {
        let mut one = effect("bad.example", State::Held);
        one.note = Some("quota".to_owned());
        one.result = Some(json!({"id": "1"}));
        assert_eq!(effects::insert(&db, &one).await.unwrap(), Some(()));
        assert_eq!(effects::load(&db, &one.id).await.unwrap(), Some(one));
        assert_eq!(effects::load(&db, "none").await.unwrap(), None);
    })
    .await;
}

#[tokio::test]
async fn a_nul_in_evidence_does_not_stop_the_ledger() {
    on_each_engine(async |db| {
        let mut one = effect("bad.example", State::Held);
        one.reason = json!({"post": ["a\0b"]});
        effects::insert(&db, &one).await.unwrap().unwrap();
        let kept = effects::load(&db, &one.id).await.unwrap().unwrap();
        assert_eq!(kept.reason, json!({"post": ["a\u{fffd}b"]}));
    })
    .await;
}

#[tokio::test]
async fn whatever_json_a_server_answers_can_be_read_again() {
    on_each_engine(async |db| {
        let answers = [json!(5), json!(2.5), json!(true), json!(null), json!("5"), json!([1])];
        for (n, answer) in answers.into_iter().enumerate() {
            let mut one = effect(&format!("{n}.example"), State::Done);
            one.result = Some(answer);
            effects::insert(&db, &one).await.unwrap().unwrap();
        }
        let kept = effects::list(&db, None, None, None, 9).await.unwrap();
        let results: Vec<_> = kept
            .into_iter()
            .rev()
            .map(|one| one.result.unwrap_or_default())
            .collect();
        assert_eq!(
            results,
            [
                json!("5"),
                json!("2.5"),
                json!(true),
                json!(null),
                json!("5"),
                json!([1])
            ]
        );
    })
    .await;
}

#[tokio::test]
async fn one_wish_has_one_living_effect() {
    on_each_engine(async |db| {
        for alive in [State::Held, State::Intended, State::Done] {
            let key = format!("{alive:?}.example");
            assert!(effects::insert(&db, &effect(&key, alive)).await.unwrap().is_some());
            for second in [State::Held, State::Intended, State::Rehearsed] {
                assert!(effects::insert(&db, &effect(&key, second)).await.unwrap().is_none());
            }
        }
        for ended in [State::Failed, State::Undone, State::Rehearsed] {
            let key = format!("{ended:?}.example");
            assert!(effects::insert(&db, &effect(&key, ended)).await.unwrap().is_some());
            assert!(
                effects::insert(&db, &effect(&key, State::Intended))
                    .await
                    .unwrap()
                    .is_some()
            );
        }
    })
    .await;
}

#[tokio::test]
async fn a_repeated_rehearsal_stays_one_row() {
    on_each_engine(async |db| {
        let (first, second) = (
            effect("a.example", State::Rehearsed),
            effect("a.example", State::Rehearsed),
        );
        assert!(effects::insert(&db, &first).await.unwrap().is_some());
        assert!(effects::insert(&db, &second).await.unwrap().is_some());
        assert_eq!(effects::list(&db, None, None, None, 9).await.unwrap(), [second]);
        // Many in one statement: a wish that is there twice, and one that is alive already.
        let alive = effect("b.example", State::Done);
        effects::insert(&db, &alive).await.unwrap().unwrap();
        let many = ["a.example", "a.example", "b.example", "c.example"].map(|key| effect(key, State::Rehearsed));
        assert_eq!(effects::rehearse(&db, &many).await.unwrap(), 2);
        let rehearsed = effects::list(&db, None, Some(State::Rehearsed), None, 9).await.unwrap();
        assert_eq!(rehearsed, [many[3].clone(), many[1].clone()]);
    })
    .await;
}

#[tokio::test]
async fn of_many_at_once_one_is_recorded() {
    on_each_engine(async |db| {
        let tasks: Vec<_> = (0..16)
            .map(|_| {
                let db = db.clone();
                tokio::spawn(async move {
                    effects::insert(&db, &effect("a.example", State::Intended))
                        .await
                        .unwrap()
                })
            })
            .collect();
        let mut recorded = 0;
        for task in tasks {
            recorded += u32::from(task.await.unwrap().is_some());
        }
        assert_eq!(recorded, 1);
    })
    .await;
}

#[tokio::test]
async fn an_effect_moves_only_from_where_it_is() {
    on_each_engine(async |db| {
        let one = effect("a.example", State::Intended);
        effects::insert(&db, &one).await.unwrap().unwrap();
        let advance = async |from, to, result: Option<serde_json::Value>| {
            effects::advance(&db, &one.id, from, to, Some("why"), result.as_ref(), minute(1))
                .await
                .unwrap()
        };
        assert!(!advance(State::Held, State::Done, None).await);
        assert!(advance(State::Intended, State::Done, Some(json!({"id": "7"}))).await);
        assert!(!advance(State::Intended, State::Failed, None).await);
        assert!(advance(State::Done, State::Undone, None).await);
        let kept = effects::load(&db, &one.id).await.unwrap().unwrap();
        assert_eq!(
            (kept.state, kept.note.as_deref(), kept.changed_at),
            (State::Undone, Some("why"), minute(1))
        );
        assert_eq!(kept.result, Some(json!({"id": "7"})));
    })
    .await;
}

/// Somebody says "wait" while a run is about to send: who says it first is right.
#[tokio::test]
async fn a_held_effect_goes_on_only_as_it_was_read() {
    on_each_engine(async |db| {
        let mut held = effect("a.example", State::Held);
        held.note = Some("quota".to_owned());
        effects::insert(&db, &held).await.unwrap().unwrap();
        let said = effects::advance(
            &db,
            &held.id,
            State::Held,
            State::Held,
            Some("held by ada"),
            None,
            minute(1),
        );
        assert!(said.await.unwrap());
        let go_on = async |held: &Effect| {
            effects::go_on(&db, held, State::Intended, None, minute(2))
                .await
                .unwrap()
        };
        assert!(!go_on(&held).await);
        held = effects::load(&db, &held.id).await.unwrap().unwrap();
        assert_eq!(held.note.as_deref(), Some("held by ada"));
        held.intent = json!({"domain": "a.example", "severity": "suspend"});
        assert!(go_on(&held).await);
        assert!(!go_on(&held).await);
        let sent = effects::load(&db, &held.id).await.unwrap().unwrap();
        assert_eq!(
            (sent.state, sent.note, sent.changed_at),
            (State::Intended, None, minute(2))
        );
        assert_eq!(sent.intent, held.intent);
    })
    .await;
}

#[tokio::test]
async fn a_failed_effect_is_not_revived_beside_a_living_one() {
    on_each_engine(async |db| {
        let failed = effect("a.example", State::Failed);
        effects::insert(&db, &failed).await.unwrap().unwrap();
        effects::insert(&db, &effect("a.example", State::Held))
            .await
            .unwrap()
            .unwrap();
        let moved = effects::advance(&db, &failed.id, State::Failed, State::Intended, None, None, minute(1)).await;
        assert!(!moved.unwrap());
    })
    .await;
}

#[tokio::test]
async fn effects_are_listed_and_counted() {
    on_each_engine(async |db| {
        let mut all = [
            effect("a.example", State::Done),
            effect("b.example", State::Held),
            effect("c.example", State::Done),
            effect("d.example", State::Intended),
        ];
        all[2].feature = "moderation".to_owned();
        for one in &all {
            effects::insert(&db, one).await.unwrap().unwrap();
        }
        let keys = async |feature, state, before| -> String {
            let effects = effects::list(&db, feature, state, before, 9).await.unwrap();
            effects.iter().map(|one| &one.key[..1]).collect()
        };
        assert_eq!(keys(None, None, None).await, "dcba");
        assert_eq!(keys(Some("blocklists"), None, None).await, "dba");
        assert_eq!(keys(None, Some(State::Done), None).await, "ca");
        assert_eq!(keys(Some("blocklists"), Some(State::Done), Some(&all[1].id)).await, "a");
        assert_eq!(effects::sent_since(&db, "blocklists", start()).await.unwrap(), 2);
        assert_eq!(effects::sent_since(&db, "blocklists", minute(1)).await.unwrap(), 0);
    })
    .await;
}

#[tokio::test]
async fn only_what_reached_nobody_is_deleted() {
    on_each_engine(async |db| {
        for (key, state) in [
            ("a", State::Rehearsed),
            ("b", State::Failed),
            ("c", State::Done),
            ("d", State::Undone),
        ] {
            effects::insert(&db, &effect(key, state)).await.unwrap().unwrap();
        }
        assert_eq!(effects::delete_older(&db, start()).await.unwrap(), 0);
        assert_eq!(effects::delete_older(&db, minute(1)).await.unwrap(), 2);
        assert_eq!(effects::list(&db, None, None, None, 9).await.unwrap().len(), 2);
    })
    .await;
}

#[tokio::test]
async fn the_panic_stop_is_set_once_and_lifted() {
    on_each_engine(async |db| {
        assert_eq!(effects::panic_stop(&db).await.unwrap(), None);
        effects::set_panic_stop(&db, Some("ann"), start()).await.unwrap();
        effects::set_panic_stop(&db, Some("bob"), minute(1)).await.unwrap();
        assert_eq!(
            effects::panic_stop(&db).await.unwrap(),
            Some(("ann".to_owned(), start()))
        );
        effects::set_panic_stop(&db, None, minute(2)).await.unwrap();
        assert_eq!(effects::panic_stop(&db).await.unwrap(), None);
    })
    .await;
}
