//! Facts: what the server shows of applicants, what the store knows of them, and the rules as they stand.

use std::{
    collections::BTreeMap,
    sync::{Arc, Mutex, PoisonError},
};

use chrono::{DateTime, TimeDelta, Utc};
use futures::StreamExt as _;
use job::{JobContext, JobError};
use model::{AdminAccount, Domain};
use store::{
    Db,
    applicants::{self, Applicant, Seen, StoredRule},
};

use crate::{Address, Config, Facts, Lists, Names, Rule, Ruleset};

/// An applicant: as the server shows them, and as we knew them before.
#[derive(Debug)]
pub(crate) struct Known {
    pub(crate) facts: Facts,
    pub(crate) seen: Seen,
    pub(crate) row: Applicant,
}

/// Who takes the mail of which domain, as found out in this run.
#[derive(Debug, Default)]
pub(crate) struct MailHosts(BTreeMap<String, Option<Vec<String>>>);

/// Nameservers are asked so many questions at a time.
const QUESTIONS: usize = 16;

/// Who takes a domain's mail is not asked for again before.
pub(crate) const FRESH: TimeDelta = TimeDelta::hours(6);

impl MailHosts {
    /// Finds out for those whose domain nobody asked for yet.
    async fn ask(&mut self, cx: &JobContext, domains: impl Iterator<Item = Domain>) -> Result<(), JobError> {
        let mut new: Vec<Domain> = domains.filter(|domain| !self.0.contains_key(domain.as_str())).collect();
        new.sort();
        new.dedup();
        let mut answers = futures::stream::iter(new)
            .map(async |domain| (cx.net.mail_hosts(&domain).await, domain))
            .buffer_unordered(QUESTIONS);
        while let Some((hosts, domain)) = answers.next().await {
            self.0.insert(domain.to_string(), hosts.map_err(mastodon::Error::from)?);
        }
        Ok(())
    }
}

/// Writes down whom the server shows, so that nobody can be lost from here on, and finds out what else is known.
pub(crate) async fn known(
    cx: &JobContext,
    config: &Config,
    server: &str,
    accounts: &[AdminAccount],
    mail_hosts: Option<&mut MailHosts>,
) -> Result<Vec<Known>, JobError> {
    let now = cx.clock.now();
    let mut facts: Vec<Facts> = accounts.iter().map(Facts::of).collect();
    let seen: Vec<Seen> = facts.iter().map(|facts| facts.seen(now)).collect();
    applicants::see(&cx.store, server, &seen, now).await?;
    let ids: Vec<String> = facts.iter().map(|facts| facts.account_id.clone()).collect();
    let rows = applicants::load(&cx.store, server, &ids).await?;
    let mut rows: BTreeMap<String, Applicant> = rows.into_iter().map(|row| (row.account_id.clone(), row)).collect();
    let window = TimeDelta::from_std(config.window).unwrap_or(TimeDelta::MAX);
    let crowds = applicants::crowd(&cx.store, server, &seen, window).await?;
    for facts in &mut facts {
        let crowd = crowds.get(&facts.account_id).copied().unwrap_or_default();
        let count = |count: i64| u32::try_from(count).unwrap_or(u32::MAX);
        facts.neighbours = count(crowd.neighbours);
        facts.same_reason = count(crowd.same_reason);
        facts.same_address = count(crowd.same_address);
        facts.rejected_before = crowd.rejected > 0;
    }
    if let Some(mail_hosts) = mail_hosts {
        let domain = |facts: &Facts| {
            Address::parse(&facts.email)
                .ok()
                .map(|address| address.domain().clone())
        };
        for facts in &mut facts {
            facts.mx = rows
                .get(&facts.account_id)
                .and_then(|row| known_mail_hosts(row, facts, now));
        }
        mail_hosts
            .ask(cx, facts.iter().filter(|facts| facts.mx.is_none()).filter_map(domain))
            .await?;
        for facts in facts.iter_mut().filter(|facts| facts.mx.is_none()) {
            facts.mx = domain(facts).and_then(|domain| mail_hosts.0.get(domain.as_str()).cloned().flatten());
        }
    }
    let known = facts.into_iter().zip(seen).filter_map(|(facts, seen)| {
        let row = rows.remove(&facts.account_id)?;
        let seen = Seen {
            facts: serde_json::to_value(&facts).unwrap_or_default(),
            ..seen
        };
        Some(Known { facts, seen, row })
    });
    Ok(known.collect())
}

/// What was found out for this very address not long ago.
fn known_mail_hosts(row: &Applicant, facts: &Facts, now: DateTime<Utc>) -> Option<Vec<String>> {
    let is_fresh = row.judged_at.is_some_and(|at| now - at < FRESH);
    let known = row
        .facts
        .get("mx")
        .filter(|_| is_fresh && row.email_hash == facts.email_hash())?;
    serde_json::from_value(known.clone()).ok()
}

/// The rules of the config with those added on the page.
///
/// # Errors
/// When the store cannot be read.
pub async fn in_place(db: &Db, config: &[Rule]) -> Result<Vec<Rule>, store::Error> {
    let mut rules = config.to_vec();
    let stored = applicants::rules(db).await?;
    for one in stored.iter().filter(|one| one.changed_by != applicants::CONFIG) {
        // Of two rules of one name the config's stands, and a rule that this version cannot read is none: both
        // are refused when they are written, so this is what an older or newer Egret left.
        match serde_json::from_value::<Rule>(one.rule.clone()) {
            Ok(rule) if !rules.iter().any(|known| known.name == rule.name) && rule.validate().is_ok() => {
                rules.push(rule);
            }
            _ => tracing::warn!(
                rule = one.name,
                "a rule added on the page cannot be used and is left out"
            ),
        }
    }
    Ok(rules)
}

/// The rules of the config and of the page with their lists, compiled once for as long as none of them changes.
#[derive(Debug, Default)]
pub(crate) struct Rules(Mutex<Option<(String, Arc<Ruleset>)>>);

impl Rules {
    /// The rules as they stand now.
    pub(crate) async fn now(&self, cx: &JobContext, config: &Config) -> Result<Arc<Ruleset>, JobError> {
        let versions = applicants::list_versions(&cx.store).await?;
        let rules = in_place(&cx.store, &config.rules).await?;
        let key = format!("{:?} {versions:?}", serde_json::to_string(&rules).unwrap_or_default());
        if let Some((known, ruleset)) = &*self.cache()
            && *known == key
        {
            return Ok(Arc::clone(ruleset));
        }
        let shown = config.rules.iter().map(|rule| StoredRule {
            name: rule.name.clone(),
            rule: serde_json::to_value(rule).unwrap_or_default(),
            changed_by: applicants::CONFIG.to_owned(),
            changed_at: cx.clock.now(),
        });
        applicants::show_config_rules(&cx.store, &shown.collect::<Vec<_>>()).await?;
        let wanted: Vec<&String> = rules.iter().flat_map(|rule| &rule.domain_lists).collect();
        let lists: Lists = if wanted.is_empty() {
            Lists::new()
        } else {
            let lists = applicants::lists(&cx.store).await?;
            let good = lists
                .into_iter()
                .filter(|list| list.fetched_at.is_some() && wanted.contains(&&list.source));
            good.map(|list| (list.source, Names::read_list(&list.body).0)).collect()
        };
        let ruleset = Ruleset::new(&rules, &lists)
            .map_err(|error| JobError::Permanent(anyhow::anyhow!("[[registrations.rules]] {error}")))?;
        let ruleset = Arc::new(ruleset);
        *self.cache() = Some((key, Arc::clone(&ruleset)));
        Ok(ruleset)
    }

    fn cache(&self) -> std::sync::MutexGuard<'_, Option<(String, Arc<Ruleset>)>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// How many more the rules may let in within this hour.
pub(crate) async fn room(cx: &JobContext, config: &Config, server: &str) -> Result<u32, JobError> {
    let since: DateTime<Utc> = cx.clock.now() - TimeDelta::hours(1);
    let used = applicants::approvals_since(&cx.store, server, since).await?;
    Ok(config
        .approvals_per_hour
        .saturating_sub(u32::try_from(used).unwrap_or(u32::MAX)))
}
