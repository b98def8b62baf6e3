//! Counts kept in memory.

use std::{
    collections::{BTreeMap, BTreeSet, HashMap, HashSet},
    time::Duration,
};

use chrono::{DateTime, TimeDelta, Utc};

use crate::{
    Counter, CounterKind, Counters, Event, Fingerprint, StatusFacts, Subject,
    fingerprint::{hash, mix},
};

/// Most statuses that one count looks at, the newest: a flood is one long before.
const LOOKED_AT: usize = 10_000;

/// When, and which of that moment.
type Key = (DateTime<Utc>, u64);

/// Counts kept in memory, over up to so many statuses and so long back. What a count costs grows with what it counts, and
/// not with what is kept.
#[derive(Debug)]
pub struct Memory {
    events: BTreeMap<Key, Event>,
    /// By what they have in common: account, text, link, file.
    alike: HashMap<u64, BTreeSet<Key>>,
    by_status: HashMap<u64, Key>,
    next: u64,
    most: usize,
    longest: TimeDelta,
}

/// What statuses may have in common.
#[derive(Clone, Copy)]
enum Common<'e> {
    Account(&'e str),
    Text(u64),
    Band(u64),
    Link(&'e str),
    Media(&'e str),
}

impl Common<'_> {
    fn key(self) -> u64 {
        match self {
            Self::Account(acct) => mix(1, hash(acct.as_bytes())),
            Self::Text(exact) => mix(2, exact),
            Self::Band(band) => mix(3, band),
            Self::Link(link) => mix(4, hash(link.as_bytes())),
            Self::Media(media) => mix(5, hash(media.as_bytes())),
        }
    }
}

fn of_status(acct: &str, status: &str) -> u64 {
    mix(hash(acct.as_bytes()), hash(status.as_bytes()))
}

fn common(event: &Event) -> BTreeSet<u64> {
    let text = event.fingerprint.iter().flat_map(|words| {
        let bands = words.bands().into_iter().map(Common::Band);
        std::iter::once(Common::Text(words.exact)).chain(bands)
    });
    std::iter::once(Common::Account(&event.acct))
        .chain(text)
        .chain(event.links.iter().map(|link| Common::Link(link)))
        .chain(event.media.iter().map(|media| Common::Media(media)))
        .map(Common::key)
        .collect()
}

impl Memory {
    /// Keeps the last `most` statuses of `longest`.
    pub fn new(most: usize, longest: Duration) -> Self {
        Self {
            events: BTreeMap::new(),
            alike: HashMap::new(),
            by_status: HashMap::new(),
            next: 0,
            most,
            longest: TimeDelta::from_std(longest).unwrap_or(TimeDelta::MAX),
        }
    }

    /// Writes down what counts of the subject's statuses. A status that is known is replaced.
    pub fn observe(&mut self, subject: &Subject, now: DateTime<Utc>) {
        for status in &subject.statuses {
            if let Some(event) = Event::of(subject, status, false, now) {
                self.insert(event);
            }
        }
        while let Some((key, _)) = self.events.first_key_value() {
            if self.events.len() <= self.most && now - key.0 <= self.longest {
                break;
            }
            self.remove(*key);
        }
    }

    fn insert(&mut self, event: Event) {
        let status = of_status(&event.acct, &event.status);
        if let Some(known) = self.by_status.get(&status) {
            self.remove(*known);
        }
        let key = (event.at, self.next);
        self.next += 1;
        self.by_status.insert(status, key);
        for common in common(&event) {
            self.alike.entry(common).or_default().insert(key);
        }
        self.events.insert(key, event);
    }

    fn remove(&mut self, key: Key) {
        let Some(event) = self.events.remove(&key) else { return };
        self.by_status.remove(&of_status(&event.acct, &event.status));
        for common in common(&event) {
            if let Some(keys) = self.alike.get_mut(&common) {
                keys.remove(&key);
                if keys.is_empty() {
                    self.alike.remove(&common);
                }
            }
        }
    }

    /// Statuses of a window that have something in common, the newest first.
    fn alike(&self, common: Common<'_>, since: DateTime<Utc>, now: DateTime<Utc>) -> impl Iterator<Item = &Event> {
        let window = (since, u64::MAX)..(now.max(since), u64::MAX);
        let keys = self.alike.get(&common.key());
        keys.into_iter()
            .flat_map(move |keys| keys.range(window.clone()).rev())
            .take(LOOKED_AT)
            .filter_map(|key| self.events.get(key))
    }
}

impl Counters for Memory {
    fn count(
        &self,
        counter: Counter,
        subject: &Subject,
        status: Option<&StatusFacts>,
        now: DateTime<Utc>,
    ) -> Option<u64> {
        let since = TimeDelta::from_std(counter.window)
            .ok()
            .and_then(|window| now.checked_sub_signed(window))
            .unwrap_or(DateTime::<Utc>::MIN_UTC);
        let acct = subject.account.acct();
        let mine = || {
            self.alike(Common::Account(&acct), since, now)
                .filter(|event| event.counts_for_rates)
        };
        if !counter.kind.is_of_status() {
            let distinct = |values: &mut dyn Iterator<Item = &String>| values.collect::<HashSet<_>>().len();
            let count = match counter.kind {
                CounterKind::Replies => mine().filter(|event| event.is_reply).count(),
                CounterKind::PostsWithLinks => mine().filter(|event| !event.links.is_empty()).count(),
                CounterKind::DistinctMentions => distinct(&mut mine().flat_map(|event| &event.mentions)),
                CounterKind::DistinctHosts => distinct(&mut mine().flat_map(|event| &event.hosts)),
                _ => mine().count(),
            };
            return Some(count as u64);
        }
        let status = status?;
        // As it was written down, or else as it would be.
        let known = self.by_status.get(&of_status(&acct, &status.id));
        let made = match known.and_then(|key| self.events.get(key)) {
            Some(_) => None,
            None => Some(Event::of(subject, status, true, now)?),
        };
        let this = made.as_ref().or_else(|| known.and_then(|key| self.events.get(key)))?;
        let accounts = |commons: &mut dyn Iterator<Item = Common<'_>>, same: &dyn Fn(&Event) -> bool| {
            let mut accounts = HashSet::from([acct.as_str()]);
            for common in commons {
                let alike = self.alike(common, since, now).filter(|event| same(event));
                accounts.extend(alike.map(|event| event.acct.as_str()));
            }
            accounts.len()
        };
        let words = |same: &dyn Fn(&Fingerprint) -> usize| this.fingerprint.map(|words| same(&words));
        let count = match counter.kind {
            CounterKind::SameTextPosts => {
                let wanted = this.fingerprint?.exact;
                mine()
                    .filter(|event| event.fingerprint.is_some_and(|words| words.exact == wanted))
                    .count()
            }
            CounterKind::SameTextAccounts => {
                words(&|words| accounts(&mut std::iter::once(Common::Text(words.exact)), &|_| true))?
            }
            CounterKind::SimilarTextAccounts => words(&|words| {
                let near = |event: &Event| event.fingerprint.is_some_and(|other| words.is_near(&other));
                accounts(&mut words.bands().into_iter().map(Common::Band), &near)
            })?,
            CounterKind::SameLinkAccounts if !this.links.is_empty() => {
                accounts(&mut this.links.iter().map(|link| Common::Link(link)), &|_| true)
            }
            CounterKind::SameMediaAccounts if !this.media.is_empty() => {
                accounts(&mut this.media.iter().map(|media| Common::Media(media)), &|_| true)
            }
            _ => return None,
        };
        Some(count as u64)
    }
}
