//! Sessions, sign-ins under way, registrations, API tokens.

use chrono::TimeDelta;
use store::{
    api_tokens::{self, ApiToken},
    oauth_apps::{self, OauthApp},
    sessions::{self, Session},
    sign_ins::{self, SignIn},
    testing::on_each_engine,
};

use crate::{minute, start};

fn session(id: &str, name: &str) -> Session {
    Session {
        id: id.to_owned(),
        name: name.to_owned(),
        server: Some("home.example".to_owned()),
        rights: "view".to_owned(),
        sealed: Some("sealed".to_owned()),
        created_at: start(),
        seen_at: start(),
        checked_at: start(),
        next_check_at: minute(4),
        expires_at: minute(60),
    }
}

#[tokio::test]
async fn a_session_is_kept_until_it_ends() {
    on_each_engine(async |db| {
        let mine = session("a", "me@home.example");
        sessions::insert(&db, &mine).await.unwrap();
        assert_eq!(sessions::load(&db, "a").await.unwrap().as_ref(), Some(&mine));
        assert_eq!(sessions::load(&db, "b").await.unwrap(), None);

        sessions::mark_seen(&db, "a", minute(2)).await.unwrap();
        sessions::mark_checked(&db, "a", "view admin", minute(3), minute(7))
            .await
            .unwrap();
        let seen = sessions::load(&db, "a").await.unwrap().unwrap();
        assert_eq!(
            (seen.seen_at, seen.checked_at, seen.next_check_at),
            (minute(2), minute(3), minute(7))
        );
        assert_eq!(seen.rights, "view admin");
        sessions::mark_unchecked(&db, "a", minute(8)).await.unwrap();
        let seen = sessions::load(&db, "a").await.unwrap().unwrap();
        assert_eq!((seen.checked_at, seen.next_check_at), (minute(3), minute(8)));
    })
    .await;
}

#[tokio::test]
async fn the_last_session_of_a_person_is_known_as_such() {
    on_each_engine(async |db| {
        let (one, two) = (session("1", "me@home.example"), session("2", "me@home.example"));
        let mut elsewhere = session("3", "me@home.example");
        elsewhere.server = Some("other.example".to_owned());
        let mut over = session("4", "me@home.example");
        over.expires_at = minute(1);
        let mut local = session("5", "local");
        local.server = None;
        for session in [&one, &two, &elsewhere, &over, &local, &session("6", "you@home.example")] {
            sessions::insert(&db, session).await.unwrap();
        }
        assert_eq!(sessions::delete(&db, &one, minute(5)).await.unwrap(), 1);
        assert_eq!(sessions::delete(&db, &two, minute(5)).await.unwrap(), 0);
        assert_eq!(sessions::delete(&db, &two, minute(5)).await.unwrap(), 0);
        assert_eq!(sessions::delete(&db, &local, minute(5)).await.unwrap(), 0);
        assert_eq!(sessions::load(&db, "1").await.unwrap(), None);

        // What nobody used for long goes as well.
        sessions::mark_seen(&db, "3", minute(30)).await.unwrap();
        assert_eq!(sessions::delete_ended(&db, minute(31), minute(29)).await.unwrap(), 2);
        assert!(sessions::load(&db, "3").await.unwrap().is_some());
    })
    .await;
}

#[tokio::test]
async fn what_was_begun_ends_once_in_its_own_browser_and_in_time() {
    on_each_engine(async |db| {
        let begun = |id: &str| SignIn {
            id: id.to_owned(),
            browser: "mine".to_owned(),
            server: "home.example".to_owned(),
            sealed: "sealed".to_owned(),
            destination: "/jobs".to_owned(),
            expires_at: minute(10),
        };
        for id in ["a", "b", "c"] {
            sign_ins::insert(&db, &begun(id)).await.unwrap();
        }
        assert_eq!(sign_ins::take(&db, "a", "yours", minute(1)).await.unwrap(), None);
        assert_eq!(
            sign_ins::take(&db, "a", "mine", minute(1)).await.unwrap(),
            Some(begun("a"))
        );
        assert_eq!(sign_ins::take(&db, "a", "mine", minute(1)).await.unwrap(), None);
        assert_eq!(sign_ins::take(&db, "b", "mine", minute(10)).await.unwrap(), None);
        sign_ins::delete_expired(&db, minute(10)).await.unwrap();
        assert_eq!(sign_ins::take(&db, "c", "mine", minute(1)).await.unwrap(), None);

        sign_ins::insert_link(&db, "x", minute(30)).await.unwrap();
        sign_ins::insert_link(&db, "y", minute(30)).await.unwrap();
        assert!(sign_ins::take_link(&db, "x", minute(29)).await.unwrap());
        assert!(!sign_ins::take_link(&db, "x", minute(29)).await.unwrap());
        assert!(!sign_ins::take_link(&db, "y", minute(30)).await.unwrap());
    })
    .await;
}

/// Two callbacks with one state at the same moment: one of them gets in.
#[tokio::test]
async fn what_was_begun_ends_once_even_in_a_race() {
    on_each_engine(async |db| {
        let begun = SignIn {
            id: "a".to_owned(),
            browser: "mine".to_owned(),
            server: "home.example".to_owned(),
            sealed: "sealed".to_owned(),
            destination: "/".to_owned(),
            expires_at: minute(10),
        };
        sign_ins::insert(&db, &begun).await.unwrap();
        let takes = (0..8).map(|_| {
            let db = db.clone();
            tokio::spawn(async move { sign_ins::take(&db, "a", "mine", start()).await.unwrap() })
        });
        let mut taken = 0;
        for take in takes.collect::<Vec<_>>() {
            taken += usize::from(take.await.unwrap().is_some());
        }
        assert_eq!(taken, 1);
    })
    .await;
}

#[tokio::test]
async fn a_registration_gives_way_to_a_newer_one() {
    on_each_engine(async |db| {
        let app = |client_id: &str| OauthApp {
            server: "home.example".to_owned(),
            redirect_uri: "https://egret.example/login/callback".to_owned(),
            client_id: client_id.to_owned(),
            client_secret: "secret".to_owned(),
            scopes: "profile".to_owned(),
            registered_at: start(),
        };
        let (old, new) = (app("old"), app("new"));
        assert!(!format!("{old:?}").contains("secret"));
        let load = async || oauth_apps::load(&db, "home.example", &old.redirect_uri).await.unwrap();
        oauth_apps::save(&db, &old).await.unwrap();
        assert_eq!(load().await, Some(old.clone()));
        oauth_apps::save(&db, &new).await.unwrap();
        oauth_apps::delete(&db, &old).await.unwrap();
        assert_eq!(load().await, Some(new.clone()));
        oauth_apps::delete(&db, &new).await.unwrap();
        assert_eq!(load().await, None);
    })
    .await;
}

#[tokio::test]
async fn a_token_has_its_name_until_it_is_revoked() {
    on_each_engine(async |db| {
        let token = |id: &str| ApiToken {
            id: id.to_owned(),
            name: "backup".to_owned(),
            hash: "hash".to_owned(),
            rights: "view".to_owned(),
            created_at: start(),
            expires_at: Some(start() + TimeDelta::days(1)),
            last_used_at: None,
            revoked_at: None,
        };
        assert!(api_tokens::insert(&db, &token("1")).await.unwrap());
        assert!(!api_tokens::insert(&db, &token("2")).await.unwrap());
        api_tokens::mark_used(&db, "1", minute(5)).await.unwrap();
        assert!(api_tokens::revoke(&db, "backup", minute(6)).await.unwrap());
        assert!(!api_tokens::revoke(&db, "backup", minute(7)).await.unwrap());
        assert!(api_tokens::insert(&db, &token("2")).await.unwrap());
        let used = api_tokens::load(&db, "1").await.unwrap().unwrap();
        assert_eq!((used.last_used_at, used.revoked_at), (Some(minute(5)), Some(minute(6))));
        assert_eq!(api_tokens::list(&db).await.unwrap().len(), 2);
        assert_eq!(api_tokens::load(&db, "3").await.unwrap(), None);
    })
    .await;
}
