//! Servers, logins and origins.

use store::{
    Db,
    hosts::{self, Origin},
    servers::{self, Login, Server},
    testing::on_each_engine,
};

use crate::{minute, start};

async fn origin(db: &Db) -> Option<Origin> {
    hosts::load(db, &["a.example".to_owned(), "none.example".to_owned()])
        .await
        .unwrap()
        .pop()
}

#[tokio::test]
async fn software_and_health_leave_each_other_alone() {
    on_each_engine(async |db| {
        assert_eq!(origin(&db).await, None);
        hosts::mark_failed(&db, "a.example", "time-out", minute(1), start())
            .await
            .unwrap();
        hosts::mark_failed(&db, "a.example", "refused\0", minute(4), minute(1))
            .await
            .unwrap();
        hosts::save_software(&db, "a.example", "api.a.example", "mastodon", "4.5.0", minute(2))
            .await
            .unwrap();
        let mut expected = Origin {
            host: "a.example".to_owned(),
            api_host: "api.a.example".to_owned(),
            software: "mastodon".to_owned(),
            version: "4.5.0".to_owned(),
            checked_at: Some(minute(2)),
            failures: 2,
            rests_until: Some(minute(4)),
            last_error: Some("refused\u{fffd}".to_owned()),
        };
        assert_eq!(origin(&db).await.as_ref(), Some(&expected));
        hosts::mark_well(&db, "a.example").await.unwrap();
        hosts::mark_well(&db, "unknown.example").await.unwrap();
        (expected.failures, expected.rests_until, expected.last_error) = (0, None, None);
        assert_eq!(origin(&db).await, Some(expected));
    })
    .await;
}

/// Requests that were under way when the first of them failed are no further failures.
#[tokio::test]
async fn what_fails_while_a_host_rests_is_one_failure() {
    on_each_engine(async |db| {
        let fail = async |until, now| hosts::mark_failed(&db, "a.example", "no", until, now).await.unwrap();
        for _ in 0..9 {
            fail(minute(10), start()).await;
        }
        let after_one = origin(&db).await.unwrap();
        assert_eq!((after_one.failures, after_one.rests_until), (1, Some(minute(10))));
        fail(minute(30), minute(10)).await;
        let after_two = origin(&db).await.unwrap();
        assert_eq!((after_two.failures, after_two.rests_until), (2, Some(minute(30))));
    })
    .await;
}

#[tokio::test]
async fn resting_origins_come_first() {
    on_each_engine(async |db| {
        for host in ["a.example", "b.example", "c.example"] {
            hosts::save_software(&db, host, host, "", "", start()).await.unwrap();
        }
        hosts::mark_failed(&db, "c.example", "gone", minute(5), start())
            .await
            .unwrap();
        let listed: Vec<_> = hosts::list(&db, 2)
            .await
            .unwrap()
            .into_iter()
            .map(|one| one.host)
            .collect();
        assert_eq!(listed, ["c.example", "a.example"]);
        assert_eq!(hosts::counts(&db, start()).await.unwrap(), (3, 1));
        assert_eq!(hosts::counts(&db, minute(5)).await.unwrap(), (3, 0));
    })
    .await;
}

#[tokio::test]
async fn many_hosts_are_loaded_at_once() {
    on_each_engine(async |db| {
        hosts::save_software(&db, "h1999.example", "h1999.example", "", "", start())
            .await
            .unwrap();
        let names: Vec<_> = (0..2000).map(|n| format!("h{n}.example")).collect();
        assert_eq!(hosts::load(&db, &names).await.unwrap().len(), 1);
        assert_eq!(hosts::load(&db, &[]).await.unwrap(), []);
    })
    .await;
}

#[tokio::test]
async fn servers_and_logins_are_updated_in_place() {
    on_each_engine(async |db| {
        let mut server = Server {
            host: "home.example".to_owned(),
            domain: "example".to_owned(),
            version: "4.4.0".to_owned(),
            api_version: None,
            checked_at: start(),
        };
        servers::save(&db, &server).await.unwrap();
        (server.version, server.api_version) = ("4.5.0".to_owned(), Some(7));
        servers::save(&db, &server).await.unwrap();
        assert_eq!(
            servers::load(&db, "home.example").await.unwrap().as_ref(),
            Some(&server)
        );
        assert_eq!(servers::load(&db, "x.example").await.unwrap(), None);
        assert_eq!(servers::list(&db).await.unwrap(), [server]);

        let mut login = Login {
            login: "home.example/me".to_owned(),
            acct: None,
            masked: "ab…yz".to_owned(),
            trouble: Some("revoked".to_owned()),
            checked_at: start(),
        };
        servers::save_login(&db, &login).await.unwrap();
        (login.acct, login.trouble) = (Some("me@example".to_owned()), None);
        servers::save_login(&db, &login).await.unwrap();
        assert_eq!(servers::list_logins(&db).await.unwrap(), [login]);
    })
    .await;
}
