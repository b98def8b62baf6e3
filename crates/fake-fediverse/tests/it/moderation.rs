//! The admin API of a home that runs Mastodon.

use std::collections::BTreeSet;

use fake_fediverse::{Applicant, Fediverse, Scenario};
use serde_json::{Value, json};

use crate::client::{Answer, Ask, get, post};

async fn start() -> (Fediverse, String, String) {
    let fediverse = Fediverse::start(Scenario::small()).await;
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

fn names(list: &Value) -> BTreeSet<&str> {
    let all = list.as_array().unwrap().iter();
    all.map(|account| account["username"].as_str().unwrap()).collect()
}

/// Each section wants its own scope and its own permission.
#[tokio::test]
async fn scopes_and_permissions_are_both_wanted() {
    let (fediverse, api, _) = start().await;
    for (section, own, permission) in [
        ("accounts", "admin:read:accounts", 0x400),
        ("reports", "admin:read:reports", 0x10),
        ("domain_blocks", "admin:read:domain_blocks", 0x20),
        ("domain_allows", "admin:read:domain_allows", 0x20),
        ("email_domain_blocks", "admin:read:email_domain_blocks", 0x80),
        ("ip_blocks", "admin:read:ip_blocks", 0x80),
        ("canonical_email_blocks", "admin:read:canonical_email_blocks", 0x80),
    ] {
        let url = format!("{api}/admin/{section}");
        for (permissions, scopes, status, text) in [
            (permission, own, 200, ""),
            (permission, "admin:read", 200, ""),
            (0x1, own, 200, ""),
            (permission, "read", 403, "This action is outside the authorized scopes"),
            (
                permission,
                "admin:write",
                403,
                "This action is outside the authorized scopes",
            ),
            (0x7f_fffe & !permission, own, 403, "This action is not allowed"),
            (0, own, 403, "This action is not allowed"),
        ] {
            fediverse.set_permissions("mod", permissions);
            let answer = get(&url, Some(&fediverse.token_of_with("mod", &[scopes]))).await;
            assert_eq!(answer.status, status, "{section}: {permissions:#x} with {scopes}");
            if status != 200 {
                assert_eq!(answer.json()["error"], text, "{section}");
            }
        }
        assert_eq!(get(&url, None).await.status, 403, "{section} for strangers: not 401");
    }
}

#[tokio::test]
async fn applicants_are_told_by_status() {
    let (fediverse, api, token) = start().await;
    fediverse.apply(&Applicant {
        reason: Some("Birds".to_owned()),
        locale: Some("de".to_owned()),
        app: Some("7".to_owned()),
        invited_by: Some("tove".to_owned()),
        ..Applicant::new("nora", "Nora@nyc.gov")
    });
    fediverse.apply(&Applicant {
        confirmed: false,
        ..Applicant::new("otto", "otto@example.org")
    });
    fediverse.set_role("birgit", "", 0);
    let v2 = api.replace("v1", "v2");
    let both = BTreeSet::from(["nora", "otto"]);
    for (url, wanted) in [
        (format!("{v2}/admin/accounts?origin=local&status=pending"), both.clone()),
        (
            format!("{v2}/admin/accounts?status=pending&email=nora@"),
            BTreeSet::from(["nora"]),
        ),
        (
            format!("{v2}/admin/accounts?status=pending&ip=198.51.100.7"),
            both.clone(),
        ),
        (
            format!("{v2}/admin/accounts?origin=local&username=OTT"),
            BTreeSet::from(["otto"]),
        ),
        (
            format!("{v2}/admin/accounts?origin=local&status=silenced"),
            BTreeSet::new(),
        ),
        (
            format!("{v2}/admin/accounts?permissions=staff"),
            BTreeSet::from(["admin", "mod", "pretender"]),
        ),
        (format!("{api}/admin/accounts?pending=false"), both),
        (
            format!("{api}/admin/accounts?staff=1"),
            BTreeSet::from(["admin", "mod", "pretender"]),
        ),
    ] {
        let found = get(&url, Some(&token)).await.json();
        assert_eq!(names(&found), wanted, "{url}");
    }
    let active = get(&format!("{v2}/admin/accounts?origin=local&status=active"), Some(&token))
        .await
        .json();
    assert_eq!(active.as_array().unwrap().len(), 11, "who waits is active too");
    let everybody = get(&format!("{v2}/admin/accounts"), Some(&token)).await.json();
    assert!(
        everybody.as_array().unwrap().len() > 30,
        "remote ones too when nothing is said"
    );
    for bad in ["origin=here", "status=gone"] {
        assert_eq!(
            get(&format!("{v2}/admin/accounts?{bad}"), Some(&token)).await.status,
            400,
            "{bad}"
        );
    }
    let id = fediverse.account_id("nora").unwrap();
    let nora = get(&format!("{api}/admin/accounts/{id}"), Some(&token)).await.json();
    for (field, value) in [
        ("email", json!("Nora@nyc.gov")),
        ("confirmed", json!(true)),
        ("approved", json!(false)),
        ("invite_request", json!("Birds")),
        ("locale", json!("de")),
        ("ip", json!("198.51.100.7")),
        ("domain", json!(null)),
        ("created_by_application_id", json!("7")),
        ("invited_by_account_id", json!(fediverse.account_id("tove"))),
        ("suspended", json!(false)),
    ] {
        assert_eq!(nora[field], value, "{field}");
    }
    assert_eq!(nora["ips"][0]["ip"], "198.51.100.7");
    assert_eq!(
        get(&format!("{api}/accounts/{id}"), None).await.status,
        404,
        "strangers do not see her yet"
    );
    let remote = get(&format!("{v2}/admin/accounts?origin=remote&limit=1"), Some(&token))
        .await
        .json();
    for field in [
        "email",
        "ip",
        "ips",
        "confirmed",
        "approved",
        "disabled",
        "locale",
        "invite_request",
        "role",
    ] {
        assert!(remote[0][field].is_null(), "{field} of somebody remote");
    }
}

#[tokio::test]
async fn accounts_are_paged_by_two_hundred() {
    let fediverse = Fediverse::start(Scenario {
        applicants: 450,
        ..Scenario::small()
    })
    .await;
    let token = fediverse.admin_token();
    let mut url = Some(format!(
        "{}/api/v2/admin/accounts?origin=local&status=pending&limit=500",
        fediverse.home()
    ));
    let (mut seen, mut pages) = (BTreeSet::new(), 0);
    while let Some(at) = url {
        let answer = get(&at, Some(&token)).await;
        pages += 1;
        seen.extend(
            answer
                .json()
                .as_array()
                .unwrap()
                .iter()
                .map(|a| a["id"].as_str().unwrap().to_owned()),
        );
        url = answer.link("next");
    }
    assert_eq!((seen.len(), pages), (450, 3));
}

#[tokio::test]
async fn approving_and_rejecting_work_once() {
    let (fediverse, api, token) = start().await;
    for name in ["nora", "otto"] {
        fediverse.apply(&Applicant::new(name, "someone@nyc.gov"));
    }
    let verb = |name: &str, verb: &str| format!("{api}/admin/accounts/{}/{verb}", fediverse.account_id(name).unwrap());
    let (approve, reject) = (verb("nora", "approve"), verb("otto", "reject"));
    let late = verb("nora", "reject");
    let answer = post(&approve, Some(&token), &[]).await;
    assert_eq!((answer.status, &answer.json()["approved"]), (200, &json!(true)));
    assert_eq!(
        post(&approve, Some(&token), &[]).await.status,
        403,
        "somebody was faster"
    );
    assert_eq!(post(&late, Some(&token), &[]).await.status, 403);
    let answer = post(&reject, Some(&token), &[]).await;
    assert_eq!((answer.status, answer.text.as_str()), (200, "{}"));
    assert_eq!(post(&reject, Some(&token), &[]).await.status, 404, "gone");
    assert_eq!(fediverse.user("otto"), None);
    assert!(fediverse.user("nora").unwrap().approved);
    fediverse.apply(&Applicant::new("otto", "someone@nyc.gov"));
    let remote = get(&format!("{api}/admin/accounts?remote=1"), Some(&token))
        .await
        .json();
    let remote = format!("{api}/admin/accounts/{}/approve", remote[0]["id"].as_str().unwrap());
    let answer = post(&remote, Some(&token), &[]).await;
    assert_eq!((answer.status, &answer.json()["error"]), (403, &json!("Forbidden")));
    assert_eq!(fediverse.log().writes().len(), 2);
}

#[tokio::test]
async fn confirmation_and_permission_decide_what_a_login_may() {
    let (fediverse, api, token) = start().await;
    fediverse.apply(&Applicant {
        confirmed: false,
        ..Applicant::new("nora", "nora@nyc.gov")
    });
    let verify = format!("{api}/accounts/verify_credentials");
    let own = fediverse.token_of("nora");
    let refused = |text: &'static str| {
        let (verify, own) = (verify.clone(), own.clone());
        async move {
            let answer = get(&verify, Some(&own)).await;
            assert_eq!((answer.status, answer.json()["error"].as_str()), (403, Some(text)));
        }
    };
    refused("Your login is missing a confirmed e-mail address").await;
    fediverse.confirm("nora");
    refused("Your login is currently pending approval").await;
    let account = format!("{api}/admin/accounts/{}", fediverse.account_id("nora").unwrap());
    post(&format!("{account}/approve"), Some(&token), &[]).await;
    assert_eq!(get(&verify, Some(&own)).await.status, 200);
    post(&format!("{account}/action"), Some(&token), &[("type", "disable")]).await;
    refused("Your login is currently disabled").await;
    post(&format!("{account}/enable"), Some(&token), &[]).await;
    assert_eq!(get(&verify, Some(&own)).await.status, 200);
    fediverse.change_email("nora", "nora@elsewhere.test");
    assert_eq!(get(&account, Some(&token)).await.json()["email"], "nora@elsewhere.test");
}

#[tokio::test]
async fn actions_settle_all_reports_and_warnings_only_their_own() {
    let (fediverse, api, token) = start().await;
    let ids: Vec<_> = (0..3)
        .map(|n| fediverse.report("me", "tove", &format!("{n}"), &[]))
        .collect();
    let action = format!("{api}/admin/accounts/{}/action", fediverse.account_id("tove").unwrap());
    let open = async || {
        let reports = get(&format!("{api}/admin/reports"), Some(&token)).await.json();
        reports.as_array().unwrap().len()
    };
    for (form, status, left) in [
        (vec![("type", "explode")], 422, 3),
        (vec![], 422, 3),
        (vec![("type", "none"), ("report_id", ids[1].as_str())], 200, 2),
        (vec![("type", "silence"), ("report_id", ids[0].as_str())], 200, 0),
    ] {
        let answer = post(&action, Some(&token), &form).await;
        assert_eq!((answer.status, open().await), (status, left), "{form:?}");
        if status == 200 {
            assert_eq!(answer.text, "{}");
        }
    }
    assert!(fediverse.user("tove").unwrap().silenced);
    for (verb, status) in [("unsilence", 200), ("unsensitive", 200), ("unsuspend", 403)] {
        assert_eq!(
            post(&action.replace("action", verb), Some(&token), &[]).await.status,
            status,
            "{verb}"
        );
    }
    let owner = format!("{api}/admin/accounts/{}/action", fediverse.account_id("admin").unwrap());
    let by_mod = fediverse.token_of("mod");
    assert_eq!(
        post(&owner, Some(&by_mod), &[("type", "suspend")]).await.status,
        403,
        "rank counts"
    );
    assert_eq!(
        send("DELETE", &action.replace("/action", ""), &token, &[]).await.status,
        403,
        "not suspended"
    );
    assert_eq!(post(&action, Some(&token), &[("type", "suspend")]).await.status, 200);
    assert_eq!(
        send("DELETE", &action.replace("/action", ""), &token, &[]).await.status,
        200
    );
    assert_eq!(fediverse.user("tove"), None);
}

#[tokio::test]
async fn domain_blocks_answer_as_mastodons() {
    let (fediverse, api, token) = start().await;
    let url = format!("{api}/admin/domain_blocks");
    for (domain, severity, status, existing) in [
        ("Bad.Example", "silence", 200, ""),
        ("bad.example.", "suspend", 422, "bad.example"),
        ("sub.bad.example", "silence", 200, ""),
        ("deep.sub.bad.example", "noop", 422, "sub.bad.example"),
        ("worse.bad.example", "suspend", 200, ""),
        ("under.worse.bad.example", "silence", 422, "worse.bad.example"),
        ("bücher.example", "suspend", 200, ""),
        ("xn--bcher-kva.example", "suspend", 422, "xn--bcher-kva.example"),
        ("notbad.example", "noop", 200, ""),
        ("*.bad.example", "suspend", 422, ""),
        ("", "suspend", 422, ""),
        ("good.example", "banish", 422, ""),
        ("com", "suspend", 200, ""),
    ] {
        let answer = post(&url, Some(&token), &[("domain", domain), ("severity", severity)]).await;
        assert_eq!(answer.status, status, "{domain}");
        let found = answer.json()["existing_domain_block"]["domain"]
            .as_str()
            .unwrap_or_default()
            .to_owned();
        assert_eq!(found, existing, "{domain}");
    }
    let all = get(&url, Some(&token)).await.json();
    assert_eq!(all.as_array().unwrap().len(), 6);
    let first = &all[5];
    assert_eq!(
        (&first["domain"], &first["reject_media"], &first["private_comment"]),
        (&json!("bad.example"), &json!(false), &Value::Null)
    );
    assert_eq!(first["digest"].as_str().unwrap().len(), 64);
    let one = format!("{url}/{}", first["id"].as_str().unwrap());
    let changed = send("PUT", &one, &token, &[("public_comment", "spam"), ("obfuscate", "1")])
        .await
        .json();
    assert_eq!(
        (
            &changed["severity"],
            &changed["public_comment"],
            &changed["private_comment"]
        ),
        (&json!("silence"), &json!("spam"), &Value::Null),
        "only what was sent"
    );
    assert_eq!(send("PUT", &one, &token, &[("severity", "banish")]).await.status, 422);
    fediverse.turn(|knobs| knobs.publishes_blocks = true);
    let public = get(&format!("{api}/instance/domain_blocks"), None).await.json();
    let public = public.as_array().unwrap();
    assert_eq!(public.len(), 5, "no noop");
    assert_eq!(public[0]["domain"], "bad.*****le");
    assert_eq!(public[0]["digest"], first["digest"]);
    assert_eq!(
        (&public[0]["comment"], &public[1]["comment"]),
        (&json!("spam"), &Value::Null)
    );
    assert_eq!(send("DELETE", &one, &token, &[]).await.text, "{}");
    assert_eq!(send("DELETE", &one, &token, &[]).await.status, 404);
    assert_eq!(get(&one, Some(&token)).await.status, 404);
    assert_eq!(fediverse.log().writes().len(), 8);
}

#[tokio::test]
async fn domain_blocks_come_by_five_hundred() {
    for (api_version, pages) in [(11, 3), (1, 6)] {
        let fediverse = Fediverse::start(Scenario {
            api_version,
            ..Scenario::small()
        })
        .await;
        for n in 0..1200 {
            fediverse.block_domain(&format!("bad{n}.example"), "suspend", None);
        }
        let token = fediverse.admin_token();
        let mut url = Some(format!("{}/api/v1/admin/domain_blocks?limit=500", fediverse.home()));
        let (mut seen, mut asked) = (0, 0);
        while let Some(at) = url {
            let answer = get(&at, Some(&token)).await;
            (seen, asked) = (seen + answer.json().as_array().unwrap().len(), asked + 1);
            url = answer.link("next");
        }
        // A full last page is followed by an empty one.
        assert_eq!((seen, asked), (1200, if api_version < 2 { pages + 1 } else { pages }));
    }
}

#[tokio::test]
async fn the_smaller_lists_are_made_read_and_ended() {
    let (_fediverse, api, token) = start().await;
    for (section, form, again, field, value, bad) in [
        (
            "domain_allows",
            vec![("domain", "Good.example")],
            200,
            "domain",
            "good.example",
            vec![("domain", "")],
        ),
        (
            "email_domain_blocks",
            vec![("domain", "mailinator.com"), ("allow_with_approval", "true")],
            422,
            "domain",
            "mailinator.com",
            vec![("domain", "no domain")],
        ),
        (
            "ip_blocks",
            vec![
                ("ip", "198.51.100.7/24"),
                ("severity", "sign_up_block"),
                ("expires_in", "3600"),
            ],
            422,
            "ip",
            "198.51.100.0/24",
            vec![("ip", "198.51.100.7"), ("severity", "explode")],
        ),
        (
            "canonical_email_blocks",
            vec![("email", "A.Nn+x@example.com")],
            422,
            "canonical_email_hash",
            "8eb1b522f60d11fa897de1dc6351b7e8",
            vec![],
        ),
    ] {
        let url = format!("{api}/admin/{section}");
        let made = post(&url, Some(&token), &form).await;
        assert_eq!(made.status, 200, "{section}: {}", made.text);
        let made = made.json();
        match section {
            "canonical_email_blocks" => assert_eq!(made[field].as_str().unwrap().len(), 64),
            _ => assert_eq!(made[field], value, "{section}"),
        }
        assert_eq!(post(&url, Some(&token), &form).await.status, again, "{section} twice");
        assert_eq!(
            post(&url, Some(&token), &bad).await.status,
            422,
            "{section} of nonsense"
        );
        let all = get(&url, Some(&token)).await.json();
        assert_eq!(all.as_array().unwrap().len(), 1, "{section}");
        let one = format!("{url}/{}", made["id"].as_str().unwrap());
        assert_eq!(get(&one, Some(&token)).await.json(), made, "{section}");
        if section == "ip_blocks" {
            let changed = send("PUT", &one, &token, &[("severity", "no_access")]).await.json();
            assert_eq!(
                (&changed["severity"], &changed["ip"], &changed["expires_at"]),
                (&json!("no_access"), &made["ip"], &made["expires_at"])
            );
        }
        if section == "canonical_email_blocks" {
            for (email, found) in [("ann@example.com", 1), ("bob@example.com", 0)] {
                let met = post(&format!("{url}/test"), Some(&token), &[("email", email)])
                    .await
                    .json();
                assert_eq!(met.as_array().unwrap().len(), found, "{email}");
            }
        }
        assert_eq!(send("DELETE", &one, &token, &[]).await.text, "{}", "{section}");
        assert_eq!(get(&one, Some(&token)).await.status, 404, "{section}");
    }
}

#[tokio::test]
async fn reports_are_filed_whole_or_not_at_all() {
    let (fediverse, api, _) = start().await;
    let me = fediverse.token();
    let root = &fediverse.threads()[0].root;
    let status = fediverse.home_id(root).unwrap();
    let author = get(&format!("{api}/statuses/{status}"), Some(&me)).await.json()["account"]["id"]
        .as_str()
        .unwrap()
        .to_owned();
    let other = fediverse.account_id("tove").unwrap();
    let long = "x".repeat(1001);
    for (form, status, category) in [
        (
            vec![
                ("account_id", &*author),
                ("status_ids[]", &*status),
                ("forward", "true"),
            ],
            200,
            "other",
        ),
        (vec![("account_id", &*author), ("category", "spam")], 200, "spam"),
        (
            vec![("account_id", &*author), ("rule_ids[]", "1"), ("category", "spam")],
            200,
            "violation",
        ),
        (vec![("account_id", &*other), ("status_ids[]", &*status)], 404, ""),
        (vec![("account_id", "1")], 404, ""),
        (vec![("account_id", &*author), ("category", "violation")], 422, ""),
        (vec![("account_id", &*author), ("rule_ids[]", "99")], 422, ""),
        (vec![("account_id", &*author), ("comment", &*long)], 422, ""),
        (vec![("account_id", &*author), ("category", "made-up")], 500, ""),
    ] {
        let answer = post(&format!("{api}/reports"), Some(&me), &form).await;
        assert_eq!(answer.status, status, "{form:?}");
        if status == 200 {
            assert_eq!(answer.json()["category"], category);
        }
    }
    let narrow = fediverse.token_with(&["write:statuses"]);
    let form = [("account_id", other.as_str())];
    assert_eq!(post(&format!("{api}/reports"), Some(&narrow), &form).await.status, 403);
    let by_mod = fediverse.token_of("mod");
    let all = get(&format!("{api}/admin/reports"), Some(&by_mod)).await.json();
    assert_eq!(all.as_array().unwrap().len(), 3);
    let first = &all[2];
    assert_eq!(first["statuses"][0]["uri"], **root);
    assert_eq!(
        (&first["forwarded"], &all[0]["rules"][0]["id"]),
        (&json!(true), &json!("1"))
    );
    assert_eq!(first["account"]["username"], "me");
}

#[tokio::test]
async fn reports_are_worked_on() {
    for (api_version, filter, open) in [
        (6, "resolved=false", false),
        (10, "resolved=false", true),
        (10, "", true),
    ] {
        let fediverse = Fediverse::start(Scenario {
            api_version,
            ..Scenario::small()
        })
        .await;
        let token = fediverse.token_of("mod");
        let id = fediverse.report("me", "tove", "spam", &[]);
        fediverse.report("me", "anselm", "spam", &[]);
        let url = format!("{}/api/v1/admin/reports", fediverse.home());
        for (verb, field, value) in [
            ("assign_to_self", "assigned_account", "mod"),
            ("resolve", "action_taken_by_account", "mod"),
            ("resolve", "assigned_account", "mod"),
        ] {
            let report = post(&format!("{url}/{id}/{verb}"), Some(&token), &[]).await.json();
            assert_eq!(report[field]["username"], value, "{verb}");
        }
        let found = get(&format!("{url}?{filter}"), Some(&token)).await.json();
        assert_eq!(found.as_array().unwrap().len(), 1);
        assert_eq!(found[0]["action_taken"], !open, "{api_version} {filter}");
        let about = format!(
            "{url}?resolved=true&target_account_id={}",
            fediverse.account_id("tove").unwrap()
        );
        assert_eq!(get(&about, Some(&token)).await.json()[0]["id"], id);
        let report = post(&format!("{url}/{id}/reopen"), Some(&token), &[]).await.json();
        assert_eq!(
            (&report["action_taken"], &report["action_taken_at"]),
            (&json!(false), &Value::Null)
        );
        let report = post(&format!("{url}/{id}/unassign"), Some(&token), &[]).await.json();
        assert!(report["assigned_account"].is_null());
        for (form, status) in [
            (vec![("category", "violation"), ("rule_ids[]", "2")], 200),
            (vec![("category", "spam"), ("rule_ids[]", "2")], 422),
        ] {
            assert_eq!(
                send("PUT", &format!("{url}/{id}"), &token, &form).await.status,
                status,
                "{form:?}"
            );
        }
        assert_eq!(get(&format!("{url}/99999"), Some(&token)).await.status, 404);
    }
}

#[tokio::test]
async fn measures_tell_what_a_block_would_end() {
    let (fediverse, api, token) = start().await;
    fediverse.set_follows("bad.example", 12, 3);
    fediverse.set_follows("sub.bad.example", 1, 0);
    let url = format!("{api}/admin/measures");
    let form = |more: &[(&'static str, &'static str)]| {
        let mut form = vec![
            ("keys[]", "instance_follows"),
            ("keys[]", "made_up"),
            ("start_at", "2026-01-01"),
            ("end_at", "2026-01-02"),
            ("instance_follows[domain]", "bad.example"),
        ];
        form.extend(more);
        form
    };
    for (more, total) in [
        (vec![], "12"),
        (vec![("instance_follows[include_subdomains]", "true")], "13"),
        (
            vec![
                ("keys[]", "instance_followers"),
                ("instance_followers[domain]", "bad.example"),
            ],
            "12",
        ),
    ] {
        let found = post(&url, Some(&token), &form(&more)).await.json();
        assert_eq!(
            (&found[0]["key"], &found[0]["total"]),
            (&json!("instance_follows"), &json!(total))
        );
    }
    assert_eq!(post(&url, Some(&token), &form(&[("start_at", "")])).await.status, 400);
    assert_eq!(
        post(&url, Some(&token), &form(&[("keys[]", "instance_accounts")]))
            .await
            .status,
        400
    );
    let narrow = fediverse.token_of_with("admin", &["admin:read:accounts", "admin:read:domain_blocks"]);
    assert_eq!(
        post(&url, Some(&narrow), &form(&[])).await.status,
        403,
        "the whole of admin:read"
    );
    let peers = get(&format!("{api}/instance/peers"), None).await.json();
    assert!(peers.as_array().unwrap().contains(&json!("bad.example")));
    post(
        &format!("{api}/admin/domain_blocks"),
        Some(&token),
        &[("domain", "bad.example"), ("severity", "suspend")],
    )
    .await;
    let after = post(&url, Some(&token), &form(&[])).await.json();
    assert_eq!(after[0]["total"], "0", "severed");
    assert!(fediverse.log().writes().0.iter().all(|r| !r.path.contains("measures")));
}
