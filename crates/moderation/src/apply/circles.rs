//! Who knows whom: whether the server's own people who are named in a status follow its author or wrote to them before.
//!
//! Whom they wrote to is written down as it is seen. Who follows is asked, one request, and only where a rule would hit if
//! nobody did.

use std::collections::{BTreeMap, BTreeSet};

use chrono::{DateTime, TimeDelta, Utc};
use job::JobError;
use model::{Account, AccountId};
use rules::{AccountFacts, StatusFacts, Subject, Verdict};
use store::wrote_to;

use super::Pass;

/// An answer is good for so long.
const FRESH: TimeDelta = TimeDelta::minutes(10);

/// Authors of whom answers are kept.
const MOST: usize = 1_000;

/// Authors that one run asks about.
const ASKS: u32 = 200;

/// Who of the server's own follows an author, by the author's id.
#[derive(Debug, Default)]
pub(crate) struct Circles(BTreeMap<String, (Circle, DateTime<Utc>)>);

/// The server's own people who follow somebody.
#[derive(Debug, Clone, Default)]
struct Circle {
    followers: BTreeSet<String>,
    /// Whether those are all.
    is_whole: bool,
}

impl Pass<'_> {
    /// Writes down whom one of the server's own writes to.
    pub(crate) async fn remember_whom_they_wrote_to(
        &self,
        account: &AccountFacts,
        statuses: &[StatusFacts],
    ) -> Result<(), JobError> {
        let to: Vec<String> = statuses
            .iter()
            .filter(|status| status.visibility.is_open())
            .flat_map(|status| status.mentions.iter().map(|mention| mention.acct.clone()))
            .collect();
        if account.is_local() && !to.is_empty() {
            wrote_to::save(&self.cx.store, self.server(), &account.acct(), &to, self.now()).await?;
        }
        Ok(())
    }

    /// Finds out who of those named knows the author, where rules ask and it matters; `true` when more is known now.
    pub(crate) async fn tell_strangers(&mut self, subject: &mut Subject, verdict: &Verdict) -> Result<bool, JobError> {
        if !self.rules.ruleset.needs().strangers {
            return Ok(false);
        }
        let author = subject.account.acct();
        let open = |subject: &Subject| -> BTreeSet<String> {
            let mentions = subject.statuses.iter().flat_map(|status| &status.mentions);
            let open = mentions.filter(|mention| mention.is_local() && mention.knows_author.is_none());
            open.map(|mention| mention.acct.to_lowercase()).collect()
        };
        let named = open(subject);
        if named.is_empty() {
            return Ok(false);
        }
        let of: Vec<String> = named.iter().cloned().collect();
        let mut friends: BTreeSet<String> = wrote_to::who(&self.cx.store, self.server(), &author, &of)
            .await?
            .into_iter()
            .collect();
        friends.extend(named.get(&author).cloned());
        tell(subject, &friends, true);
        if open(subject).is_empty() {
            return Ok(true);
        }
        let mut strangers = subject.clone();
        tell(&mut strangers, &open(subject), false);
        if self.judge_now(&strangers).contributions.len() <= verdict.contributions.len() {
            // Nothing depends on it.
            return Ok(!friends.is_empty());
        }
        let circle = self.circle(&subject.account).await;
        tell(subject, &circle.followers, true);
        if circle.is_whole {
            let rest = open(subject);
            tell(subject, &rest, false);
        }
        Ok(true)
    }

    /// Who of the server's own follows an account, as far as the server says.
    async fn circle(&mut self, account: &AccountFacts) -> Circle {
        let now = self.now();
        if let Some(known) = self
            .house
            .servers()
            .get(self.server())
            .and_then(|known| known.circles.0.get(&account.id))
            && now - known.1 < FRESH
        {
            return known.0.clone();
        }
        if self.asked_circles >= ASKS {
            return Circle::default();
        }
        self.asked_circles += 1;
        let circle = match self
            .login
            .client
            .followers(&AccountId::new(account.id.clone()), None)
            .await
        {
            Ok(page) => Circle {
                // Who hides them shows none.
                is_whole: page.next.is_none() && account.hides_follows == Some(false),
                followers: page
                    .items
                    .into_iter()
                    .filter(Account::is_local)
                    .map(|account| account.acct.to_lowercase())
                    .collect(),
            },
            Err(error) => {
                tracing::debug!(%error, "cannot tell who follows an author");
                return Circle::default();
            }
        };
        let mut servers = self.house.servers();
        let circles = &mut servers.entry(self.server().to_owned()).or_default().circles.0;
        if circles.len() >= MOST {
            circles.retain(|_, (_, at)| now - *at < FRESH);
        }
        if circles.len() < MOST {
            circles.insert(account.id.clone(), (circle.clone(), now));
        }
        circle
    }
}

/// Says of those who are named whether they know the author.
fn tell(subject: &mut Subject, who: &BTreeSet<String>, knows: bool) {
    for mention in subject.statuses.iter_mut().flat_map(|status| &mut status.mentions) {
        if mention.knows_author.is_none() && who.contains(&mention.acct.to_lowercase()) {
            mention.knows_author = Some(knows);
        }
    }
}
