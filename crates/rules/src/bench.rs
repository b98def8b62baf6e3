//! A subject on its way to a verdict: its texts, what was found in them, and whether conditions hold.
//!
//! A condition holds, does not, or nobody knows; what is not known is neither a hit nor the opposite of one, so a rule
//! hits only when what it says is so whatever the unknown may be.

use std::{
    cell::{OnceCell, RefCell},
    collections::BTreeMap,
    ops::Range,
};

use chrono::{DateTime, Utc};

use crate::{
    Counter, Counters, MediaFacts, Rule, StatusFacts, Subject,
    condition::Fact,
    document::Document,
    facts,
    index::Index,
    leaf::{Kind, Leaf, Node},
    search::{Finds, search},
    tried::{Matched, try_patterns},
};

/// Whether a condition holds.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Truth {
    Yes,
    No,
    Unknown,
}

impl Truth {
    fn of(known: Option<bool>) -> Self {
        match known {
            Some(true) => Self::Yes,
            Some(false) => Self::No,
            None => Self::Unknown,
        }
    }
}

/// A text with everything that was found in it.
pub(crate) struct Page<'s> {
    pub(crate) document: Document<'s>,
    pub(crate) status: Option<&'s StatusFacts>,
    pub(crate) finds: Finds,
    /// What patterns matched, once they were tried.
    tried: RefCell<BTreeMap<u32, Option<Matched>>>,
    numbers: [OnceCell<Option<i64>>; Fact::ALL.len()],
}

impl<'s> Page<'s> {
    fn new(index: &Index, document: Document<'s>, status: Option<&'s StatusFacts>) -> Self {
        let mut document = document;
        document.read_again(index.joins);
        let finds = search(index, &document, status);
        Self {
            document,
            status,
            finds,
            tried: RefCell::default(),
            numbers: std::array::from_fn(|_| OnceCell::new()),
        }
    }
}

/// A subject on its way to a verdict.
pub(crate) struct Bench<'s, 'c> {
    pub(crate) index: &'c Index,
    pub(crate) subject: &'s Subject,
    pub(crate) counters: &'c dyn Counters,
    pub(crate) now: DateTime<Utc>,
    pub(crate) account: Page<'s>,
    /// Those that everybody may see first.
    pub(crate) statuses: Vec<Page<'s>>,
    /// How many those are.
    pub(crate) open: usize,
    counted: RefCell<Vec<(Counter, usize, Option<u64>)>>,
}

/// What one rule looks at together: the account, and these of the statuses.
#[derive(Debug, Clone)]
pub(crate) struct Together(pub(crate) Range<usize>);

impl Page<'_> {
    /// Rules that what was found makes worth judging.
    pub(crate) fn worth(&self, index: &Index, rules: &mut Vec<u32>) {
        let mut last = u32::MAX;
        let found = self.finds.all.iter().map(|find| find.leaf);
        for leaf in found.chain(self.finds.candidates.iter().copied()) {
            if leaf != last {
                rules.extend(&index.rules_of[leaf as usize]);
                last = leaf;
            }
        }
    }
}

impl<'s, 'c> Bench<'s, 'c> {
    pub(crate) fn new(index: &'c Index, subject: &'s Subject, counters: &'c dyn Counters, now: DateTime<Utc>) -> Self {
        let mut statuses: Vec<&StatusFacts> = subject.statuses.iter().filter(|status| !status.is_reblog).collect();
        statuses.sort_by_key(|status| !status.visibility.is_open());
        let open = statuses.iter().filter(|status| status.visibility.is_open()).count();
        Self {
            index,
            subject,
            counters,
            now,
            account: Page::new(index, Document::of_account(&subject.account), None),
            open,
            statuses: statuses
                .into_iter()
                .map(|status| Page::new(index, Document::of_status(status), Some(status)))
                .collect(),
            counted: RefCell::default(),
        }
    }

    /// What a rule looks at that looks at all statuses: those that not everybody may see only if it says so.
    pub(crate) fn together(&self, rule: &Rule) -> Together {
        Together(0..if rule.private { self.statuses.len() } else { self.open })
    }

    pub(crate) fn pages<'a>(&'a self, what: &'a Together) -> impl Iterator<Item = &'a Page<'s>> {
        std::iter::once(&self.account).chain(&self.statuses[what.0.clone()])
    }

    pub(crate) fn holds(&self, node: &Node, what: &Together) -> Truth {
        match node {
            Node::Leaf(leaf) => self.leaf(*leaf, what),
            Node::Not(inner) => match self.holds(inner, what) {
                Truth::Yes => Truth::No,
                Truth::No => Truth::Yes,
                Truth::Unknown => Truth::Unknown,
            },
            Node::All(inner) => {
                let mut all = Truth::Yes;
                for one in inner {
                    match self.holds(one, what) {
                        Truth::No => return Truth::No,
                        Truth::Unknown => all = Truth::Unknown,
                        Truth::Yes => {}
                    }
                }
                all
            }
            Node::Any(inner) => {
                let mut any = Truth::No;
                for one in inner {
                    match self.holds(one, what) {
                        Truth::Yes => return Truth::Yes,
                        Truth::Unknown => any = Truth::Unknown,
                        Truth::No => {}
                    }
                }
                any
            }
            Node::AtLeast(least, inner) => {
                let (mut yes, mut open) = (0, 0);
                for one in inner {
                    match self.holds(one, what) {
                        Truth::Yes => yes += 1,
                        Truth::Unknown => open += 1,
                        Truth::No => {}
                    }
                    if yes >= *least {
                        return Truth::Yes;
                    }
                }
                if yes + open >= *least {
                    Truth::Unknown
                } else {
                    Truth::No
                }
            }
        }
    }

    fn leaf(&self, number: u32, what: &Together) -> Truth {
        let leaf = &self.index.leaves[number as usize];
        match &leaf.kind {
            Kind::Words { .. } | Kind::Fuzzy { .. } | Kind::Similar { .. } | Kind::OneOf { .. } => {
                if self.pages(what).any(|page| !page.finds.of(number).is_empty()) {
                    return Truth::Yes;
                }
                self.absent(leaf, what)
            }
            Kind::Patterns { .. } => {
                if self
                    .pages(what)
                    .any(|page| self.tried(number, leaf, page, |matched| matched.is_some()))
                {
                    return Truth::Yes;
                }
                self.absent(leaf, what)
            }
            Kind::Domains { of, unread } => {
                if self.pages(what).any(|page| !page.finds.of(number).is_empty()) {
                    return Truth::Yes;
                }
                let of_status = *of != crate::condition::DomainOf::Account;
                if *unread || (of_status && what.0.is_empty()) {
                    Truth::Unknown
                } else {
                    Truth::No
                }
            }
            Kind::MediaHashes { hashes, .. } => {
                // A file that nobody looked at yet may be the one; a blurhash comes with the status.
                let of_files = hashes.iter().any(|hash| !hash.starts_with("blurhash:"));
                let unread = |page: &Page<'_>| {
                    page.status
                        .is_some_and(|status| status.media.iter().any(MediaFacts::is_unread))
                };
                if self.pages(what).any(|page| !page.finds.of(number).is_empty()) {
                    Truth::Yes
                } else if what.0.is_empty() || (of_files && self.pages(what).any(unread)) {
                    Truth::Unknown
                } else {
                    Truth::No
                }
            }
            Kind::Visibility(all) => self.any_status(what, |page| page.status.map(|s| all.contains(&s.visibility))),
            // Some of it may be known, and that may be enough.
            Kind::Number {
                fact: Fact::StrangerMentions,
                range,
            } => self.any_status(what, |page| {
                let (least, most) = facts::strangers(page.status?)?;
                range.holds_of(least, most)
            }),
            Kind::Number { fact, range } => match self.number(*fact) {
                // Of several statuses one that fits is enough.
                Numbers::One(number) => Truth::of(number.map(|number| range.holds(number))),
                Numbers::OfEach => self.any_status(what, |page| {
                    self.number_of(*fact, page).map(|number| range.holds(number))
                }),
            },
            Kind::Counter { kind, window, range } => {
                let counter = Counter {
                    kind: *kind,
                    window: *window,
                };
                if kind.is_of_status() {
                    return self.any_in(what, |n| self.count(counter, Some(n)).map(|count| range.holds(count)));
                }
                Truth::of(self.count(counter, None).map(|count| range.holds(count)))
            }
            Kind::Is(is) if is.is_of_account() => Truth::of(facts::account_is(*is, &self.subject.account)),
            Kind::Is(is) => self.any_status(what, |page| facts::status_is(*is, page.status?, &page.document)),
        }
    }

    /// What it means that nothing was found: nothing known, where a field that was asked for was not there to look at.
    fn absent(&self, leaf: &Leaf, what: &Together) -> Truth {
        let asks = leaf.fields().is_some_and(crate::Fields::has_status_fields);
        if asks && what.0.is_empty() {
            Truth::Unknown
        } else {
            Truth::No
        }
    }

    fn any_status(&self, what: &Together, holds: impl Fn(&Page<'s>) -> Option<bool>) -> Truth {
        self.any_in(what, |n| holds(&self.statuses[n]))
    }

    fn any_in(&self, what: &Together, holds: impl Fn(usize) -> Option<bool>) -> Truth {
        let mut any = if what.0.is_empty() { Truth::Unknown } else { Truth::No };
        for n in what.0.clone() {
            match holds(n) {
                Some(true) => return Truth::Yes,
                Some(false) => {}
                None => any = Truth::Unknown,
            }
        }
        any
    }

    pub(crate) fn number(&self, fact: Fact) -> Numbers {
        if !facts::is_of_account(fact) && !facts::is_recent(fact) {
            return Numbers::OfEach;
        }
        Numbers::One(*self.account.numbers[fact as usize].get_or_init(|| {
            if facts::is_recent(fact) {
                let all: Vec<_> = self
                    .statuses
                    .iter()
                    .filter_map(|page| Some((page.status?, &page.document)))
                    .filter(|(status, _)| status.visibility.is_open())
                    .collect();
                facts::of_recent(fact, &all)
            } else {
                facts::of_account(fact, &self.subject.account, &self.account.document, self.now)
            }
        }))
    }

    pub(crate) fn number_of(&self, fact: Fact, page: &Page<'s>) -> Option<i64> {
        *page.numbers[fact as usize].get_or_init(|| facts::of_status(fact, page.status?, &page.document, self.now))
    }

    /// A count of the account, or of the status of this number.
    pub(crate) fn count(&self, counter: Counter, status: Option<usize>) -> Option<i64> {
        let key = status.map_or(usize::MAX, |n| n);
        let known = self
            .counted
            .borrow()
            .iter()
            .find(|(known, of, _)| *known == counter && *of == key)
            .map(|(_, _, count)| *count);
        let count = known.unwrap_or_else(|| {
            let status = status.and_then(|n| self.statuses[n].status);
            let count = self.counters.count(counter, self.subject, status, self.now);
            self.counted.borrow_mut().push((counter, key, count));
            count
        });
        count.map(|count| i64::try_from(count).unwrap_or(i64::MAX))
    }

    /// Tries patterns on a page, once.
    pub(crate) fn tried<T>(
        &self,
        number: u32,
        leaf: &Leaf,
        page: &Page<'s>,
        then: impl Fn(Option<&Matched>) -> T,
    ) -> T {
        if let Some(known) = page.tried.borrow().get(&number) {
            return then(known.as_ref());
        }
        let matched = try_patterns(number, leaf, page);
        let answer = then(matched.as_ref());
        page.tried.borrow_mut().insert(number, matched);
        answer
    }
}

/// A number of the account, or one of each status.
pub(crate) enum Numbers {
    One(Option<i64>),
    OfEach,
}
