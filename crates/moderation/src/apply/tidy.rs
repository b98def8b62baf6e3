//! Forgets what is old, returns rules to shadow that people disagree with, and thinks of domains.

use chrono::{DateTime, TimeDelta, Utc};
use job::{JobContext, JobError, News, Summary};
use rules::{Precision, State};
use serde_json::json;
use store::{
    cases::{self, Line},
    findings::{self, DomainFinding},
    notices::Severity,
    rule_hits, rulesets, seen, seen_media, webhook_events, wrote_to,
};

use super::US;
use crate::{FEATURE, jobs::Room};

/// Notes of servers are kept against redeliveries for so long.
const EVENTS: TimeDelta = TimeDelta::days(7);

/// Cases that speak for or against a domain.
const LATELY: TimeDelta = TimeDelta::days(30);

/// Verdicts older than this say nothing of a rule any more.
const VERDICTS: TimeDelta = TimeDelta::days(180);

/// One run.
pub(crate) async fn tidy(cx: &JobContext, room: &Room) -> Result<Summary, JobError> {
    let mut summary = Summary::default();
    demote(cx, room, &mut summary).await?;
    suggest(cx, room, &mut summary).await?;
    let now = cx.clock.now();
    let before = |kept: std::time::Duration| {
        TimeDelta::from_std(kept)
            .ok()
            .and_then(|kept| now.checked_sub_signed(kept))
    };
    let config = &room.config;
    if let Some(before) = before(config.keep) {
        summary.add("forgotten", seen::delete_older(&cx.store, before).await?);
        seen_media::delete_older(&cx.store, before).await?;
        wrote_to::delete_older(&cx.store, before).await?;
    }
    cx.check_stop()?;
    if let Some(before) = before(config.keep_evidence) {
        summary.add("forgotten", rule_hits::forget(&cx.store, before).await?);
        rulesets::delete_backtests(&cx.store, before).await?;
    }
    if let Some(before) = before(config.keep_cases) {
        rule_hits::delete_older(&cx.store, before).await?;
        summary.add("forgotten", cases::delete_older(&cx.store, before).await?);
    }
    webhook_events::delete_older(&cx.store, now - EVENTS).await?;
    Ok(summary)
}

/// A live rule with whose reports too few people agreed goes back to shadow.
async fn demote(cx: &JobContext, room: &Room, summary: &mut Summary) -> Result<(), JobError> {
    let now = cx.clock.now();
    let book = room.house.book.now(&cx.store, &*cx.clock, &room.config).await?;
    for (id, standing) in &book.standings {
        if book.standing(id) != State::Live {
            continue;
        }
        // What was thought of it before somebody let it go live (again) is told and done.
        let since: DateTime<Utc> = standing.at.max(now - VERDICTS);
        let verdicts = rule_hits::verdicts(&cx.store, since).await?;
        let count = |count: i64| u32::try_from(count).unwrap_or(u32::MAX);
        let Some((_, confirmed, dismissed)) = verdicts.into_iter().find(|(rule, ..)| rule == id) else {
            continue;
        };
        let precision = Precision {
            confirmed: count(confirmed),
            dismissed: count(dismissed),
        };
        if !precision.is_too_low(room.config.precision, room.config.verdicts) {
            continue;
        }
        let why = format!("people agreed with {confirmed} of its reports and disagreed with {dismissed}");
        let new = rulesets::Standing {
            standing: State::Shadow.name().to_owned(),
            why: why.clone(),
            by: US.to_owned(),
            at: now,
            ..standing.clone()
        };
        let line = Line::new(
            None,
            "standing",
            US,
            json!({ "rule": id, "standing": "shadow", "why": why }),
            now,
        );
        rulesets::set_standing(&cx.store, &new, &line).await?;
        let text = format!("the rule {id} went back to shadow: {why}");
        tell(cx, "demoted", id, Severity::Warning, &text).await;
        summary.add("demoted", 1);
    }
    Ok(())
}

/// Domains with several bad accounts are worth a thought.
async fn suggest(cx: &JobContext, room: &Room, summary: &mut Summary) -> Result<(), JobError> {
    let now = cx.clock.now();
    for (server, domain, accounts, confirmed) in cases::by_domain(&cx.store, now - LATELY, 500).await? {
        if accounts < i64::from(room.config.suggest_after) {
            continue;
        }
        let finding = DomainFinding {
            server: server.clone(),
            domain: domain.clone(),
            accounts,
            confirmed,
            state: "open".to_owned(),
            by: None,
            severity: None,
            first_at: now,
            last_at: now,
        };
        if findings::save_domain(&cx.store, &finding).await? {
            let text = format!(
                "{server}: cases against {accounts} accounts of {domain} within a month ({confirmed} confirmed); think of a \
                 block, on the page of domains"
            );
            tell(cx, "domain", &domain, Severity::Warning, &text).await;
            summary.add("suggested", 1);
        }
    }
    Ok(())
}

async fn tell(cx: &JobContext, kind: &'static str, about: &str, severity: Severity, text: &str) {
    let news = News {
        feature: FEATURE,
        kind,
        about,
        severity,
        text,
    };
    job::tell(&cx.store, &*cx.clock, news).await;
}
