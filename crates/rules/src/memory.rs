//! Counts kept in memory.

use std::{
    collections::{BTreeMap, BTreeSet, HashMap, HashSet, VecDeque},
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
/// not with what is kept. Names and addresses are kept as numbers: they are only ever compared.
#[derive(Debug)]
pub struct Memory {
    events: BTreeMap<Key, Kept>,
    /// By what they have in common: account, text, link, file. The oldest first.
    alike: HashMap<u64, VecDeque<Key>>,
    by_status: HashMap<u64, Key>,
    next: u64,
    most: usize,
    longest: TimeDelta,
    wants: Wants,
}

/// What counts of a status, in numbers.
#[derive(Debug)]
struct Kept {
    acct: u64,
    status: u64,
    counts_for_rates: bool,
    is_reply: bool,
    fingerprint: Option<Fingerprint>,
    mentions: Box<[u64]>,
    links: Box<[u64]>,
    hosts: Box<[u64]>,
    media: Box<[u64]>,
}

impl Kept {
    fn of(event: &Event) -> Self {
        let numbers = |texts: &[String]| texts.iter().map(|text| hash(text.as_bytes())).collect();
        Self {
            acct: hash(event.acct.as_bytes()),
            status: of_status(&event.acct, &event.status),
            counts_for_rates: event.counts_for_rates,
            is_reply: event.is_reply,
            fingerprint: event.fingerprint,
            mentions: numbers(&event.mentions),
            links: numbers(&event.links),
            hosts: numbers(&event.hosts),
            media: numbers(&event.media),
        }
    }
}

/// By what statuses are found again: what no rule counts need not be.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct Wants {
    text: bool,
    similar: bool,
    links: bool,
    media: bool,
}

impl Wants {
    const ALL: Self = Self {
        text: true,
        similar: true,
        links: true,
        media: true,
    };
}

/// What statuses may have in common.
#[derive(Clone, Copy)]
enum Common {
    Account(u64),
    Text(u64),
    Band(u64),
    Link(u64),
    Media(u64),
}

impl Common {
    fn key(self) -> u64 {
        match self {
            Self::Account(acct) => mix(1, acct),
            Self::Text(exact) => mix(2, exact),
            Self::Band(band) => mix(3, band),
            Self::Link(link) => mix(4, link),
            Self::Media(media) => mix(5, media),
        }
    }
}

fn of_status(acct: &str, status: &str) -> u64 {
    mix(hash(acct.as_bytes()), hash(status.as_bytes()))
}

impl Memory {
    /// Keeps the last `most` statuses of `longest`, for whatever is counted.
    pub fn new(most: usize, longest: Duration) -> Self {
        Self {
            events: BTreeMap::new(),
            alike: HashMap::new(),
            by_status: HashMap::new(),
            next: 0,
            most,
            longest: TimeDelta::from_std(longest).unwrap_or(TimeDelta::MAX),
            wants: Wants::ALL,
        }
    }

    /// Keeps what these counts need, of the last `most` statuses.
    pub fn of(counters: &BTreeSet<Counter>, most: usize) -> Self {
        let asks = |kind: CounterKind| counters.iter().any(|counter| counter.kind == kind);
        let longest = counters.iter().map(|counter| counter.window).max();
        Self {
            wants: Wants {
                text: asks(CounterKind::SameTextAccounts),
                similar: asks(CounterKind::SimilarTextAccounts),
                links: asks(CounterKind::SameLinkAccounts),
                media: asks(CounterKind::SameMediaAccounts),
            },
            ..Self::new(most, longest.unwrap_or_default())
        }
    }

    /// Writes down what counts of the subject's statuses. A status that is known is replaced.
    pub fn observe(&mut self, subject: &Subject, now: DateTime<Utc>) {
        let acct = subject.account.acct();
        for status in &subject.statuses {
            self.note(&acct, status, now);
        }
        while let Some((key, _)) = self.events.first_key_value() {
            if self.events.len() <= self.most && now - key.0 <= self.longest {
                break;
            }
            self.remove(*key);
        }
    }

    /// Writes down what counts of one status, by whoever keeps it elsewhere as well. What is too old or too much goes with
    /// the next [`Memory::observe`].
    pub fn note(&mut self, acct: &str, status: &StatusFacts, now: DateTime<Utc>) {
        if let Some(event) = Event::by(acct, status, false, now) {
            self.insert(&event);
        }
    }

    /// How many statuses are kept.
    pub fn len(&self) -> usize {
        self.events.len()
    }

    /// Whether none is.
    pub fn is_empty(&self) -> bool {
        self.events.is_empty()
    }

    fn common(&self, kept: &Kept) -> BTreeSet<u64> {
        let wants = self.wants;
        let words = kept.fingerprint.as_ref();
        let text = words.filter(|_| wants.text).map(|words| Common::Text(words.exact));
        let bands = words.filter(|_| wants.similar).into_iter();
        let bands = bands.flat_map(|words| words.bands().into_iter().map(Common::Band));
        let links = kept
            .links
            .iter()
            .filter(|_| wants.links)
            .map(|link| Common::Link(*link));
        let media = kept
            .media
            .iter()
            .filter(|_| wants.media)
            .map(|media| Common::Media(*media));
        std::iter::once(Common::Account(kept.acct))
            .chain(text)
            .chain(bands)
            .chain(links)
            .chain(media)
            .map(Common::key)
            .collect()
    }

    fn insert(&mut self, event: &Event) {
        let kept = Kept::of(event);
        if let Some(known) = self.by_status.get(&kept.status) {
            self.remove(*known);
        }
        let key = (event.at, self.next);
        self.next += 1;
        self.by_status.insert(kept.status, key);
        for common in self.common(&kept) {
            let keys = self.alike.entry(common).or_default();
            // Nearly always the newest of them.
            match keys.back() {
                Some(last) if *last > key => {
                    let place = keys.partition_point(|other| *other < key);
                    keys.insert(place, key);
                }
                _ => keys.push_back(key),
            }
        }
        self.events.insert(key, kept);
    }

    fn remove(&mut self, key: Key) {
        let Some(kept) = self.events.remove(&key) else { return };
        self.by_status.remove(&kept.status);
        for common in self.common(&kept) {
            if let Some(keys) = self.alike.get_mut(&common) {
                if let Ok(place) = keys.binary_search(&key) {
                    keys.remove(place);
                }
                if keys.is_empty() {
                    self.alike.remove(&common);
                }
            }
        }
    }

    /// Statuses of a window that have something in common, the newest first.
    fn alike(&self, common: Common, since: DateTime<Utc>, now: DateTime<Utc>) -> impl Iterator<Item = &Kept> {
        let (from, to) = ((since, u64::MAX), (now.max(since), u64::MAX));
        let keys = self.alike.get(&common.key());
        keys.into_iter()
            .flat_map(move |keys| {
                let places = keys.partition_point(|key| *key < from)..keys.partition_point(|key| *key < to);
                keys.range(places).rev()
            })
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
        let name = subject.account.acct();
        let acct = hash(name.as_bytes());
        let mine = || {
            self.alike(Common::Account(acct), since, now)
                .filter(|event| event.counts_for_rates)
        };
        if !counter.kind.is_of_status() {
            let distinct = |values: &mut dyn Iterator<Item = &u64>| values.collect::<HashSet<_>>().len();
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
        let known = self.by_status.get(&of_status(&name, &status.id));
        let made = match known.and_then(|key| self.events.get(key)) {
            Some(_) => None,
            None => Some(Kept::of(&Event::by(&name, status, true, now)?)),
        };
        let this = made.as_ref().or_else(|| known.and_then(|key| self.events.get(key)))?;
        let accounts = |commons: &mut dyn Iterator<Item = Common>, same: &dyn Fn(&Kept) -> bool| {
            let mut accounts = HashSet::from([acct]);
            for common in commons {
                let alike = self.alike(common, since, now).filter(|event| same(event));
                accounts.extend(alike.map(|event| event.acct));
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
                let near = |event: &Kept| event.fingerprint.is_some_and(|other| words.is_near(&other));
                accounts(&mut words.bands().into_iter().map(Common::Band), &near)
            })?,
            CounterKind::SameLinkAccounts if !this.links.is_empty() => {
                accounts(&mut this.links.iter().map(|link| Common::Link(*link)), &|_| true)
            }
            CounterKind::SameMediaAccounts if !this.media.is_empty() => {
                accounts(&mut this.media.iter().map(|media| Common::Media(*media)), &|_| true)
            }
            _ => return None,
        };
        Some(count as u64)
    }
}
