//! Somebody, and what they wrote: kept, judged, and made a case of where it is enough.

use job::JobError;
use rules::{StatusFacts, Subject, Verdict};
use serde_json::json;
use store::{
    cases::{self, Case, Line},
    exemptions,
    notices::Severity,
    rule_hits::{self, Hit},
    seen::{self, SeenAccount},
};

use super::{Pass, US};
use crate::{
    gather::{self, Shown},
    plan::{self, Against, Step},
};

/// Hits of one account that are looked at together.
const MOST_HITS: u32 = 500;

impl Pass<'_> {
    /// Judges what a server showed, unless it is what was judged before by the same rules.
    pub(crate) async fn judge(&mut self, shown: Shown) -> Result<(), JobError> {
        let known = self.last_seen(&shown.account.id).await?;
        self.judge_known(shown, known.as_ref(), false).await
    }

    /// The same, of what was judged before as well, since more is known of it now.
    pub(crate) async fn judge_again(&mut self, shown: Shown) -> Result<(), JobError> {
        let known = self.last_seen(&shown.account.id).await?;
        self.judge_known(shown, known.as_ref(), true).await
    }

    /// An account as it was last seen.
    async fn last_seen(&self, id: &str) -> Result<Option<SeenAccount>, JobError> {
        let known = seen::accounts(&self.cx.store, self.server(), &[id.to_owned()]).await?;
        Ok(known.into_iter().next())
    }

    /// The same where it is known how the account was last seen. Somebody may have seen it since: then it is judged once
    /// more, which does nothing twice.
    ///
    /// What was seen is written down last. Whoever dies on the way comes back to something that is still new, and what they
    /// did of it is done: hits, cases and reports are there once, however often the same is judged.
    pub(crate) async fn judge_known(
        &mut self,
        shown: Shown,
        known: Option<&SeenAccount>,
        again: bool,
    ) -> Result<(), JobError> {
        let (mut account, mut statuses) = (shown.account, shown.statuses);
        self.complete(&mut account);
        if account.suspended {
            // Nothing is left to look at, and nobody to report.
            return Ok(());
        }
        statuses.retain(|status| status.visibility.is_open() || self.config.private);
        let now = self.now();
        let ids: Vec<String> = statuses.iter().map(|status| status.id.clone()).collect();
        let known_statuses = seen::statuses(&self.cx.store, self.server(), &ids).await?;
        let same_rules = known.is_some_and(|known| known.ruleset == self.rules.version);
        let profile = gather::profile_digest(&account);
        let same_profile = known.is_some_and(|known| known.digest == profile && known.judged_at.is_some());
        statuses.retain_mut(|status| {
            let known = known_statuses.iter().find(|known| known.status_id == status.id);
            // Whoever says that it is of tomorrow wrote it when it was first seen.
            let latest = known.map_or(now, |known| known.created_at);
            status.created_at = status.created_at.map(|at| at.min(latest));
            match known {
                // What is pushed comes in any order: an older text of it is nothing new.
                Some(known) if status.edited_at < known.edited_at => false,
                Some(known) => again || !same_rules || known.digest != gather::status_digest(status),
                None => true,
            }
        });
        if statuses.is_empty() && same_profile && same_rules {
            self.summary.add("known", 1);
            return Ok(());
        }
        let row = gather::account_row(self.server(), &account, profile, self.rules.version, now);
        self.know_files(&account, &mut statuses).await?;
        self.remember_whom_they_wrote_to(&account, &statuses).await?;
        let new: Vec<String> = statuses.iter().map(|status| status.id.clone()).collect();
        let context = gather::context(self.cx, self.server(), &account.id, &new).await?;
        let mut subject = Subject {
            statuses: statuses.into_iter().chain(context).collect(),
            account,
        };
        self.summary.add("judged", 1);
        metrics::counter!("egret_moderation_judged_total").increment(1);
        let mut verdict = self.judge_now(&subject);
        if Box::pin(self.tell_strangers(&mut subject, &verdict)).await? {
            verdict = self.judge_now(&subject);
        }
        if self.spares_followed(&verdict) && subject.account.followed.is_none() {
            if let Some((followed, follows)) = self.relation(&subject.account.id).await {
                (subject.account.followed, subject.account.follows) = (Some(followed), Some(follows));
            }
            verdict = self.judge_now(&subject);
        }
        if !verdict.contributions.is_empty() {
            self.weigh(&subject, &verdict).await?;
        }
        let new = subject.statuses.iter().filter(|status| !status.context);
        let statuses: Vec<_> = new
            .filter_map(|status| gather::status_row(self.server(), &subject.account, status, &self.house.id, now))
            .collect();
        seen::save(&self.cx.store, &[row], &statuses).await?;
        Ok(())
    }

    /// Whether a rule that hit, or the whole set, spares whom somebody of ours follows, or who follows them: only then it
    /// is worth a question.
    fn spares_followed(&self, verdict: &Verdict) -> bool {
        let spares = |exempt: &rules::Exemptions| exempt.followed || exempt.follows;
        let rule = |id: &str| self.rules.rule(id).is_some_and(|rule| spares(&rule.exempt));
        let mut hits = verdict.contributions.iter().filter(|hit| hit.exempt.is_none());
        hits.any(|hit| spares(self.rules.ruleset.exempt()) || rule(&hit.rule))
    }

    /// Whether the login's owner follows the account, and is followed; nobody knows where the server does not say.
    async fn relation(&self, id: &str) -> Option<(bool, bool)> {
        let ids = [model::AccountId::new(id)];
        match self.login.client.relationships(&ids).await {
            Ok(found) => found
                .into_iter()
                .find(|(known, ..)| known == id)
                .map(|(_, following, followed)| (following, followed)),
            Err(error) => {
                tracing::debug!(%error, "cannot tell whom a login follows");
                None
            }
        }
    }

    /// Keeps the hits, and opens a case or adds to the one there is.
    async fn weigh(&mut self, subject: &Subject, verdict: &Verdict) -> Result<(), JobError> {
        let account = &subject.account;
        let now = self.now();
        let spared = exemptions::of(&self.cx.store, self.server(), &account.id, now).await?;
        let domain = account.domain.clone().unwrap_or_default();
        let hits: Vec<Hit> = verdict
            .contributions
            .iter()
            .map(|hit| {
                let spared = plan::spared(&spared, &hit.rule, &domain);
                let status = hit
                    .status
                    .as_deref()
                    .and_then(|id| subject.statuses.iter().find(|one| one.id == id));
                Hit {
                    id: uuid::Uuid::now_v7().to_string(),
                    server: self.server().to_owned(),
                    account_id: account.id.clone(),
                    acct: account.acct(),
                    domain: domain.clone(),
                    status_id: hit.status.clone().unwrap_or_default(),
                    digest: digest(subject, status),
                    rule: hit.rule.clone(),
                    standing: plan::standing(&self.rules, verdict, hit, spared.as_deref()).to_owned(),
                    weight: hit.weight,
                    ruleset: self.rules.version,
                    evidence: plan::evidence(verdict, hit, spared.as_deref()),
                    case_id: None,
                    at: now,
                }
            })
            .collect();
        let new = rule_hits::save(&self.cx.store, &hits).await?;
        for hit in hits.iter().filter(|hit| new.contains(&hit.id)) {
            self.summary.add(counter(&hit.standing), 1);
            metrics::counter!("egret_moderation_hits_total", "standing" => counter(&hit.standing)).increment(1);
        }
        // What is known is looked at as well: its rule may have gone live since, or somebody died before this.
        if !hits.iter().any(|hit| hit.standing == "live") {
            return Ok(());
        }
        let all = rule_hits::live_of(&self.cx.store, self.server(), &account.id, MOST_HITS).await?;
        // Hits that a dismissed or resolved case had are told and done.
        let current = cases::current(&self.cx.store, self.server(), &account.id).await?;
        let all: Vec<Hit> = all
            .into_iter()
            .filter(|hit| {
                hit.case_id.is_none()
                    || current
                        .as_ref()
                        .is_some_and(|case| hit.case_id.as_ref() == Some(&case.id))
            })
            .collect();
        let acct = account.acct();
        let against = Against {
            account_id: &account.id,
            acct: &acct,
            domain: &domain,
            hits: &all,
            now,
        };
        match plan::step(self.config, &self.rules, self.server(), current.as_ref(), &against) {
            Step::Nothing => match current {
                // More of what is known: evidence, and nothing to do about it.
                Some(case) => self.attach(&case, &all).await,
                None => Ok(()),
            },
            Step::Open(case) => self.open(*case, &all).await,
            Step::Merge(case) => self.merge(*case, current.as_ref(), &all).await,
        }
    }

    async fn open(&mut self, case: Case, hits: &[Hit]) -> Result<(), JobError> {
        let detail =
            json!({ "rules": case.rules, "score": case.score, "statuses": case.statuses, "ruleset": case.ruleset });
        let line = Line::new(Some(&case), "opened", US, detail, self.now());
        if !cases::open(&self.cx.store, &case, &line).await? {
            // Another job was faster; what was found goes into its case at the next look.
            return Ok(());
        }
        self.summary.add("opened", 1);
        metrics::counter!("egret_moderation_cases_total").increment(1);
        self.attach(&case, hits).await?;
        let severity = if case.state == cases::State::Open {
            Severity::Warning
        } else {
            Severity::Info
        };
        let text = format!(
            "{}: a case against {} was opened ({})",
            case.server,
            case.acct,
            case.rules.join(", ")
        );
        self.tell("case", &case.reference, severity, &text).await;
        self.file(case).await
    }

    async fn merge(&mut self, case: Case, was: Option<&Case>, hits: &[Hit]) -> Result<(), JobError> {
        let Some(was) = was else { return Ok(()) };
        let detail =
            json!({ "rules": case.rules, "score": case.score, "statuses": case.statuses, "ruleset": case.ruleset });
        let line = Line::new(Some(&case), "merged", US, detail, self.now());
        if cases::save(&self.cx.store, &case, was.updated_at, &[line]).await? {
            self.summary.add("merged", 1);
            self.attach(&case, hits).await?;
            if case.state == cases::State::Ready {
                return self.file(case).await;
            }
        }
        Ok(())
    }

    /// The evidence belongs to the case from here on.
    async fn attach(&self, case: &Case, hits: &[Hit]) -> Result<(), JobError> {
        let ids: Vec<String> = hits
            .iter()
            .filter(|hit| hit.case_id.is_none())
            .map(|hit| hit.id.clone())
            .collect();
        rule_hits::attach(&self.cx.store, &case.id, &ids).await?;
        Ok(())
    }
}

/// Of what a hit was made from: a status, or the profile, or both.
fn digest(subject: &Subject, status: Option<&StatusFacts>) -> String {
    match status {
        Some(status) => gather::status_digest(status),
        None => gather::profile_digest(&subject.account),
    }
}

fn counter(standing: &str) -> &'static str {
    match standing {
        "live" => "live",
        "exempt" => "exempt",
        "immune" => "immune",
        _ => "shadow",
    }
}
