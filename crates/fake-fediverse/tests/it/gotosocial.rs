//! The admin API of a home that runs GoToSocial.

use fake_fediverse::{Applicant, Fediverse, Scenario, Software};
use serde_json::{Value, json};

use crate::client::{Answer, Ask, get, post};

async fn start() -> (Fediverse, String, String) {
    let fediverse = Fediverse::start(Scenario {
        home: Software::GoToSocial,
        ..Scenario::small()
    })
    .await;
    let (api, token) = (format!("{}/api/v1", fediverse.home()), fediverse.admin_token());
    (fediverse, api, token)
}

async fn send(method: &'static str, url: &str, token: &str, form: &[(&str, &str)]) -> Answer {
    let ask = Ask::new(method, url, Some(token));
    match method {
        "DELETE" => ask.send().await,
        _ => ask.form(form).send().await,
    }
}

#[tokio::test]
async fn it_says_what_it_is_and_shows_nothing_to_strangers() {
    let (fediverse, api, _) = start().await;
    let instance = get(&format!("{api}/instance"), None).await.json();
    assert!(instance["version"].as_str().unwrap().starts_with("0.20.0"));
    let node = get(&format!("{}/nodeinfo/2.0", fediverse.home()), None).await.json();
    assert_eq!(node["software"]["name"], "gotosocial");
    let me = fediverse.token();
    for (path, token, status) in [
        ("timelines/home", None, 401),
        ("statuses/1", None, 401),
        ("statuses/1", Some("made-up"), 401),
        ("timelines/home", Some(&*me), 200),
        ("accounts/verify_credentials", Some(&*me), 200),
        ("statuses?id[]=1", Some(&*me), 405),
        ("accounts?id[]=1", Some(&*me), 405),
        ("instance/activity", Some(&*me), 404),
        ("admin/ip_blocks", Some(&*fediverse.admin_token()), 404),
        ("admin/accounts", Some(&*me), 403),
    ] {
        assert_eq!(get(&format!("{api}/{path}"), token).await.status, status, "{path}");
    }
    let timeline = get(&format!("{api}/timelines/home?limit=1"), Some(&me)).await.json();
    assert_eq!(timeline[0]["id"].as_str().unwrap().len(), 26);
    let narrow = fediverse.token_of_with("admin", &["read"]);
    let answer = get(&format!("{api}/admin/accounts"), Some(&narrow)).await;
    assert_eq!(
        answer.json()["error"],
        "Forbidden: token has insufficient scope permission"
    );
}

#[tokio::test]
async fn accounts_are_listed_by_name_and_names_are_the_cursors() {
    let (fediverse, api, token) = start().await;
    for n in 0..7 {
        fediverse.apply(&Applicant::new(&format!("new{n}"), "someone@nyc.gov"));
    }
    let v2 = api.replace("v1", "v2");
    let mut url = Some(format!("{v2}/admin/accounts?origin=local&status=pending&limit=3"));
    let (mut seen, mut pages) = (Vec::new(), 0);
    while let Some(at) = url {
        let answer = get(&at, Some(&token)).await;
        let page = answer.json();
        seen.extend(
            page.as_array()
                .unwrap()
                .iter()
                .map(|a| a["username"].as_str().unwrap().to_owned()),
        );
        url = answer.link("next");
        pages += 1;
        assert!(
            url.as_ref().is_none_or(|url| url.contains("max_id=%2F%40new")),
            "{url:?}"
        );
    }
    assert_eq!(
        (seen, pages),
        ((0..7).map(|n| format!("new{n}")).collect(), 4),
        "an empty page ends it"
    );
    let id = fediverse.account_id("new0").unwrap();
    let built = get(&format!("{v2}/admin/accounts?status=pending&max_id={id}"), Some(&token)).await;
    assert_eq!(
        (built.status, built.text.as_str()),
        (200, "[]"),
        "an id is no cursor, and nothing says so"
    );
    let active = get(&format!("{v2}/admin/accounts?status=active&origin=local"), Some(&token))
        .await
        .json();
    assert!(active.as_array().unwrap().iter().any(|a| a["username"] == "new0"));
    let remote = get(&format!("{v2}/admin/accounts?origin=remote"), Some(&token))
        .await
        .json();
    assert_eq!(
        (&remote[0]["approved"], &remote[0]["confirmed"]),
        (&json!(false), &json!(false))
    );
    assert_eq!(
        get(&format!("{v2}/admin/accounts?status=bogus"), Some(&token))
            .await
            .status,
        400
    );
    let v1 = get(&format!("{api}/admin/accounts?pending=true"), Some(&token))
        .await
        .json();
    assert_eq!(v1.as_array().unwrap().len(), 7);
    assert_eq!(v1[0]["role"]["id"], "user");
    assert!(v1[0].get("sensitized").is_none());
}

#[tokio::test]
async fn decisions_answer_as_its_own() {
    let (fediverse, api, token) = start().await;
    for name in ["nora", "otto", "pia"] {
        fediverse.apply(&Applicant::new(name, "someone@nyc.gov"));
    }
    let url = |name: &str| format!("{api}/admin/accounts/{}", fediverse.account_id(name).unwrap());
    let (nora, otto, pia) = (url("nora"), url("otto"), url("pia"));
    assert_eq!(get(&nora, Some(&token)).await.json()["ip"], "198.51.100.7");
    for (url, verb, form, status) in [
        (&nora, "approve", vec![], 200),
        (&nora, "approve", vec![], 200),
        (&nora, "reject", vec![], 422),
        (&otto, "reject", vec![], 200),
        (&otto, "reject", vec![], 404),
        (&pia, "action", vec![("type", "silence")], 400),
        (&pia, "action", vec![("type", "none")], 400),
        (&pia, "action", vec![("type", "suspend")], 200),
        (&pia, "unsuspend", vec![], 404),
        (&pia, "enable", vec![], 404),
    ] {
        let answer = post(&format!("{url}/{verb}"), Some(&token), &form).await;
        assert_eq!(answer.status, status, "{verb} {form:?}: {}", answer.text);
    }
    let approved = get(&nora, Some(&token)).await.json();
    assert_eq!(
        (&approved["approved"], &approved["ip"]),
        (&json!(true), &Value::Null),
        "forgotten"
    );
    let suspended = get(&pia, Some(&token)).await.json();
    assert_eq!(
        (
            &suspended["suspended"],
            &suspended["ip"],
            &suspended["account"]["display_name"]
        ),
        (&json!(true), &json!("0.0.0.0"), &json!(""))
    );
    assert_eq!(send("DELETE", &pia, &token, &[]).await.status, 405);
}

#[tokio::test]
async fn domains_are_suspended_whatever_is_asked() {
    let (fediverse, api, token) = start().await;
    let url = format!("{api}/admin/domain_blocks");
    let made = post(
        &url,
        Some(&token),
        &[("domain", "Bad.example"), ("severity", "silence")],
    )
    .await
    .json();
    assert_eq!(made["domain"], "bad.example");
    for field in ["severity", "digest", "reject_media"] {
        assert!(made.get(field).is_none(), "{field}");
    }
    let again = post(
        &url,
        Some(&token),
        &[("domain", "bad.example"), ("private_comment", "new")],
    )
    .await;
    assert_eq!((again.status, again.json()), (200, made.clone()), "unchanged");
    for (domain, status) in [
        ("", 400),
        ("*.wild.example", 500),
        ("a..b", 500),
        ("bücher.example", 200),
    ] {
        assert_eq!(
            post(&url, Some(&token), &[("domain", domain)]).await.status,
            status,
            "{domain}"
        );
    }
    let one = format!("{url}/{}", made["id"].as_str().unwrap());
    assert_eq!(send("PUT", &one, &token, &[("severity", "suspend")]).await.status, 400);
    assert_eq!(
        send("PUT", &one, &token, &[("private_comment", "x")]).await.json()["private_comment"],
        "x"
    );
    let all = get(&format!("{url}?limit=1"), Some(&token)).await;
    assert_eq!((all.json().as_array().unwrap().len(), all.header("link")), (2, None));
    assert_eq!(all.json()[1]["domain"], "bücher.example");
    fediverse.turn(|knobs| {
        knobs.publishes_blocks = true;
        knobs.admin_action_takes = std::time::Duration::from_secs(60);
    });
    let public = get(&format!("{api}/instance/domain_blocks"), None).await.json();
    assert_eq!(public[0]["severity"], "suspend");
    assert!(public[0]["suspended_at"].is_string() && public[0].get("digest").is_none());
    assert_eq!(
        send("DELETE", &one, &token, &[]).await.status,
        409,
        "still busy with it"
    );
    fediverse.turn(|knobs| knobs.admin_action_takes = std::time::Duration::ZERO);
    assert_eq!(send("DELETE", &one, &token, &[]).await.json()["domain"], "bad.example");
    assert_eq!(send("DELETE", &one, &token, &[]).await.status, 404);
    assert_eq!(get(&one, Some(&token)).await.status, 500);
}

#[tokio::test]
async fn reports_lose_their_category() {
    let (fediverse, api, token) = start().await;
    let id = fediverse.account_id("tove").unwrap();
    let form = [("account_id", id.as_str()), ("category", "spam")];
    let filed = post(&format!("{api}/reports"), Some(&fediverse.token()), &form)
        .await
        .json();
    assert_eq!(filed["category"], "other");
    fediverse.report("me", "anselm", "open", &[]);
    let url = format!("{api}/admin/reports");
    let one = format!("{url}/{}", filed["id"].as_str().unwrap());
    for _ in 0..2 {
        let resolved = post(&format!("{one}/resolve"), Some(&token), &[]).await.json();
        assert_eq!(
            (&resolved["action_taken"], &resolved["assigned_account"]),
            (&json!(true), &Value::Null)
        );
    }
    for (query, count) in [("", 2), ("?resolved=false", 1), ("?resolved=true", 1)] {
        let found = get(&format!("{url}{query}"), Some(&token)).await.json();
        assert_eq!(found.as_array().unwrap().len(), count, "{query}");
    }
    for verb in ["assign_to_self", "unassign", "reopen"] {
        assert_eq!(
            post(&format!("{one}/{verb}"), Some(&token), &[]).await.status,
            404,
            "{verb}"
        );
    }
}
