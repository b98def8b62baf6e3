//! What servers push to us.

use store::{
    Db,
    testing::on_each_engine,
    webhook_events::{self, WebhookEvent},
};

use crate::{id, minute};

const JOB: &str = "registrations.pending";

fn event(object: &str, event: &str) -> WebhookEvent {
    WebhookEvent {
        id: id(),
        server: "home.example".into(),
        // Who wants what is for the door to know.
        job: match event.starts_with("account.") {
            true => JOB.into(),
            false => "moderation.inbox".into(),
        },
        event: event.into(),
        object_id: object.into(),
        digest: format!("digest of {} {event}", object.trim_end_matches('\0')),
        body: format!("{{\"object\":{{\"id\":\"{object}\"}}}}"),
        received_at: minute(0),
    }
}

async fn claim(db: &Db, holder: &str, at: i64) -> Vec<String> {
    let claimed = webhook_events::claim(db, "home.example", JOB, holder, 2, minute(at), minute(at + 5)).await;
    claimed.unwrap().into_iter().map(|event| event.object_id).collect()
}

#[tokio::test]
async fn a_redelivery_is_kept_once_even_when_it_is_done() {
    on_each_engine(async |db| {
        let first = event("1", "account.created");
        assert!(webhook_events::insert(&db, &first).await.unwrap());
        let again = WebhookEvent {
            id: id(),
            ..first.clone()
        };
        assert!(!webhook_events::insert(&db, &again).await.unwrap());
        let elsewhere = WebhookEvent {
            id: id(),
            server: "other.example".into(),
            ..first.clone()
        };
        assert!(webhook_events::insert(&db, &elsewhere).await.unwrap());
        let other_job = WebhookEvent {
            id: id(),
            job: "moderation.inbox".into(),
            ..first.clone()
        };
        assert!(webhook_events::insert(&db, &other_job).await.unwrap());
        webhook_events::mark_done(&db, std::slice::from_ref(&first.id), minute(1))
            .await
            .unwrap();
        assert!(!webhook_events::insert(&db, &again).await.unwrap());
        assert!(claim(&db, "a", 2).await.is_empty());
        assert_eq!(
            webhook_events::waiting(&db).await.unwrap(),
            [("account.created".to_owned(), 2)],
            "whoever is done is done for itself alone"
        );
        assert_eq!(webhook_events::delete_older(&db, minute(1)).await.unwrap(), 3);
        assert!(!format!("{first:?}").contains("object\":"), "a body does not print");
    })
    .await;
}

#[tokio::test]
async fn each_event_has_one_claimant_and_comes_back_when_that_one_dies() {
    on_each_engine(async |db| {
        for (object, kind) in [
            ("1", "account.created"),
            ("2", "status.created"),
            ("3", "account.approved"),
            ("4\0", "account.created"),
        ] {
            assert!(webhook_events::insert(&db, &event(object, kind)).await.unwrap());
        }
        assert_eq!(claim(&db, "a", 0).await, ["1", "3"]);
        assert_eq!(
            claim(&db, "b", 0).await,
            ["4\u{fffd}"],
            "what is for others is left alone"
        );
        assert!(claim(&db, "c", 4).await.is_empty());
        assert_eq!(claim(&db, "c", 5).await, ["1", "3"], "whoever claimed them is dead");
    })
    .await;
}

#[tokio::test]
async fn two_who_claim_at_once_share_nothing() {
    on_each_engine(async |db| {
        for object in 0..40 {
            webhook_events::insert(&db, &event(&object.to_string(), "account.created"))
                .await
                .unwrap();
        }
        let take = async |holder: &'static str| {
            let mut mine = Vec::new();
            loop {
                let got = claim(&db, holder, 0).await;
                if got.is_empty() {
                    return mine;
                }
                mine.extend(got);
            }
        };
        let (a, b) = tokio::join!(take("a"), take("b"));
        let mut all = [a, b].concat();
        all.sort();
        all.dedup();
        assert_eq!(all.len(), 40);
    })
    .await;
}

#[tokio::test]
async fn what_could_not_be_read_is_kept_once_an_hour() {
    on_each_engine(async |db| {
        let letter = |at: i64| webhook_events::Letter {
            id: id(),
            server: "home.example".into(),
            event: "status.created".into(),
            why: "it has no object".into(),
            size: 7,
            received_at: minute(at),
        };
        for at in [0, 1, 59, 61] {
            webhook_events::keep_letter(&db, &letter(at)).await.unwrap();
        }
        let kept = webhook_events::letters(&db, 10).await.unwrap();
        assert_eq!(
            kept.iter().map(|one| one.received_at).collect::<Vec<_>>(),
            [minute(61), minute(0)]
        );
        webhook_events::delete_older(&db, minute(30)).await.unwrap();
        assert_eq!(webhook_events::letters(&db, 10).await.unwrap().len(), 1);
    })
    .await;
}
