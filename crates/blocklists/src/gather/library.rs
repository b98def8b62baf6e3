//! Lists as they count now, taken from the store for a plan.

use chrono::{DateTime, TimeDelta, Utc};
use store::{
    Db,
    block_sources::{self, Source as Stored},
};

use super::lists::restored;
use crate::{
    config::{Config, Policy, Source},
    list::{Parsed, Row, Stance, parse},
    merge::{Role, Voter},
    name::{self, Name},
};

/// The lists of a policy as they count now: texts from the store, before they are parsed.
#[derive(Debug)]
pub struct Library {
    lists: Vec<Book>,
    policy: Policy,
    allow: Vec<Row<'static>>,
}

#[derive(Debug)]
struct Book {
    source: Source,
    stored: Option<Stored>,
    leaving: Vec<Row<'static>>,
}

/// The same, parsed.
#[derive(Debug)]
pub struct Shelf<'l> {
    library: &'l Library,
    parsed: Vec<Option<Parsed<'l>>>,
}

impl Library {
    /// Loads the lists of a policy.
    ///
    /// # Errors
    /// When the store fails.
    pub async fn load(db: &Db, config: &Config, policy: &Policy) -> Result<Self, store::Error> {
        let mut lists = Vec::new();
        for source in config.sources_of(policy) {
            let kept = block_sources::leavings(db, &source.name).await?;
            lists.push(Book {
                source: source.clone(),
                stored: block_sources::load(db, &source.name).await?,
                leaving: restored(kept)
                    .into_iter()
                    .filter_map(|(domain, it)| it.said.row(domain))
                    .collect(),
            });
        }
        let allow = policy.allow.iter().filter_map(|text| crate::config::domain(text));
        Ok(Self {
            lists,
            policy: policy.clone(),
            allow: allow
                .map(|domain| Row {
                    name: Name::Plain(domain.into()),
                    stance: Stance::Clear,
                    flags: Default::default(),
                    public_comment: "".into(),
                    private_comment: "".into(),
                    line: 0,
                })
                .collect(),
        })
    }

    /// Parses what can be parsed. `about`: only rows that say something about this domain, its parents, or somebody
    /// hidden.
    pub fn open(&self, about: Option<&str>) -> Shelf<'_> {
        let parsed = self.lists.iter().map(|book| {
            let body = book.stored.as_ref()?.body.as_deref()?;
            let mut parsed = parse(body, &book.source.reading()).ok()?;
            if let Some(domain) = about {
                parsed.rows.retain(|row| match &row.name {
                    Name::Plain(name) => name::is_within(domain, name) || name::is_within(name, domain),
                    Name::Hidden(hidden) => name::with_parents(domain).any(|name| hidden.may_be(name)),
                });
            }
            Some(parsed)
        });
        Shelf {
            library: self,
            parsed: parsed.collect(),
        }
    }

    /// What is wrong with lists, in words.
    pub fn doubts(&self, now: DateTime<Utc>) -> Vec<String> {
        let mut doubts = Vec::new();
        for Book { source, stored, .. } in &self.lists {
            let Some(stored) = stored else { continue };
            let name = &source.name;
            if let Some(why) = &stored.trouble {
                let last = if stored.body.is_some() {
                    "; its last good copy counts"
                } else {
                    ""
                };
                doubts.push(format!("{name} cannot be read ({why}){last}"));
            }
            if let Some(why) = &stored.held {
                doubts.push(format!(
                    "{name} is held ({why}) until it comes back or `egret blocks approve {name}`"
                ));
            }
            if stored.bad_count > 0 {
                doubts.push(format!("{name} has {} rows that cannot be used", stored.bad_count));
            }
            let age = TimeDelta::from_std(source.max_age).unwrap_or(TimeDelta::MAX);
            if let Some(changed) = stored.changed_at.filter(|changed| now - *changed > age) {
                doubts.push(format!(
                    "{name} is stale: unchanged since {}",
                    changed.format("%Y-%m-%d")
                ));
            }
        }
        doubts
    }
}

impl Shelf<'_> {
    /// The lists at the vote.
    pub fn voters(&self) -> Vec<Voter<'_>> {
        let mut voters: Vec<Voter<'_>> = self
            .library
            .lists
            .iter()
            .zip(&self.parsed)
            .map(|(book, parsed)| Voter {
                name: &book.source.name,
                weight: book.source.weight,
                role: book.source.role,
                rows: parsed.as_ref().map_or(&[], |parsed| &parsed.rows),
                leaving: &book.leaving,
                is_read: parsed.is_some(),
            })
            .collect();
        if !self.library.allow.is_empty() {
            voters.push(Voter {
                name: &self.library.policy.name,
                weight: 1,
                role: Role::Allow,
                rows: &self.library.allow,
                leaving: &[],
                is_read: true,
            });
        }
        voters
    }

    /// Rows that cannot be used, by list.
    pub fn faults(&self) -> impl Iterator<Item = (&str, &crate::list::Fault)> {
        let lists = self.library.lists.iter().zip(&self.parsed);
        lists.flat_map(|(book, parsed)| {
            let faults = parsed.iter().flat_map(|parsed| &parsed.faults);
            faults.map(|fault| (&*book.source.name, fault))
        })
    }
}
