//! Judging: which rules hit a subject, and what for.
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
    Contribution, Counter, Counters, Evidence, Rule, Ruleset, Scope, State, StatusFacts, Subject, Verdict,
    condition::Fact,
    document::{Document, View},
    facts,
    index::Index,
    leaf::{Kind, Leaf, Node, shown},
    score::rounded,
    search::{Find, Finds, Place, search},
    text,
};

/// Pieces of evidence of one contribution.
const EVIDENCE: usize = 12;
/// Longest text of a piece of evidence, in bytes.
const LONGEST: usize = 500;
/// Longest text that patterns are tried on, in bytes: their time grows with it.
const LONGEST_FOR_PATTERNS: usize = 64 << 10;

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

#[derive(Debug, Clone)]
struct Matched {
    source: usize,
    original: Range<usize>,
    text: String,
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

impl Ruleset {
    /// Judges a subject. It asks nobody but `counters`, and takes as long as the texts are long.
    pub fn judge(&self, subject: &Subject, counters: &dyn Counters, now: DateTime<Utc>) -> Verdict {
        let bench = Bench::new(&self.compiled.index, subject, counters, now);
        let exempt = self.compiled.exempt.spares(&subject.account, now);
        let mut contributions = Vec::new();
        let judge = |number: u32, what: &Together, contributions: &mut Vec<(u32, Contribution)>| -> bool {
            let tree = &bench.index.trees[number as usize];
            if bench.holds(tree, what) != Truth::Yes {
                return false;
            }
            let rule = &self.compiled.rules[number as usize];
            let mut evidence = Vec::new();
            bench.evidence(tree, what, &mut evidence);
            contributions.push((
                number,
                Contribution {
                    rule: rule.id.clone(),
                    state: self.states[number as usize],
                    weight: rule.weight,
                    status: match rule.scope {
                        Scope::Status if what.0.len() == 1 => bench.statuses[what.0.start].status.map(|s| s.id.clone()),
                        _ => None,
                    },
                    exempt: exempt.clone().or_else(|| rule.exempt.spares(&subject.account, now)),
                    evidence,
                },
            ));
            true
        };
        let rule_of = |number: u32| &self.compiled.rules[number as usize];
        let runs =
            |number: u32, scope: Scope| self.states[number as usize] != State::Off && rule_of(number).scope == scope;

        // The account by itself.
        let alone = Together(0..0);
        let mut done: Vec<u32> = Vec::new();
        let mut of_account = Vec::new();
        bench.account.worth(bench.index, &mut of_account);
        let mut candidates = of_account.clone();
        candidates.extend(&bench.index.always);
        for number in unique(&mut candidates) {
            if runs(*number, Scope::Status) && judge(*number, &alone, &mut contributions) {
                done.push(*number);
            }
        }
        // Each status with the account.
        for (n, page) in bench.statuses.iter().enumerate() {
            let Some(status) = page.status.filter(|status| !status.context) else {
                continue;
            };
            let mut candidates = of_account.clone();
            page.worth(bench.index, &mut candidates);
            candidates.extend(&bench.index.always);
            for number in unique(&mut candidates) {
                if runs(*number, Scope::Status)
                    && done.binary_search(number).is_err()
                    && (status.visibility.is_open() || rule_of(*number).private)
                {
                    judge(*number, &Together(n..n + 1), &mut contributions);
                }
            }
        }
        // All together.
        let mut candidates = of_account;
        for page in &bench.statuses {
            page.worth(bench.index, &mut candidates);
        }
        candidates.extend(&bench.index.always);
        for number in unique(&mut candidates) {
            if runs(*number, Scope::Account) {
                judge(*number, &bench.together(rule_of(*number)), &mut contributions);
            }
        }
        contributions.sort_by_key(|(number, _)| *number);
        let score = |counts: &dyn Fn(&Contribution) -> bool| {
            let mut sum = 0.0;
            let mut last = (u32::MAX, 0);
            for (number, hit) in contributions.iter().filter(|(_, hit)| counts(hit)) {
                last = if last.0 == *number {
                    (*number, last.1 + 1)
                } else {
                    (*number, 1)
                };
                if last.1 <= rule_of(*number).most {
                    sum += hit.weight;
                }
            }
            rounded(sum)
        };
        Verdict {
            version: self.compiled.version.clone(),
            score: score(&Contribution::counts),
            shadow_score: score(&|hit| hit.exempt.is_none()),
            exempt,
            contributions: contributions.into_iter().map(|(_, hit)| hit).collect(),
        }
    }
}

fn unique(numbers: &mut Vec<u32>) -> &[u32] {
    if !numbers.is_sorted() {
        numbers.sort_unstable();
    }
    numbers.dedup();
    numbers
}

impl Page<'_> {
    /// Rules that what was found makes worth judging.
    fn worth(&self, index: &Index, rules: &mut Vec<u32>) {
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

    fn pages<'a>(&'a self, what: &'a Together) -> impl Iterator<Item = &'a Page<'s>> {
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
            Kind::MediaHashes { .. } => {
                if self.pages(what).any(|page| !page.finds.of(number).is_empty()) {
                    Truth::Yes
                } else if what.0.is_empty() {
                    Truth::Unknown
                } else {
                    Truth::No
                }
            }
            Kind::Visibility(all) => self.any_status(what, |page| page.status.map(|s| all.contains(&s.visibility))),
            Kind::Number { fact, range } => match self.number(*fact, what) {
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

    fn number(&self, fact: Fact, what: &Together) -> Numbers {
        if !facts::is_of_account(fact) && !facts::is_recent(fact) {
            return Numbers::OfEach;
        }
        let _ = what;
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

    fn number_of(&self, fact: Fact, page: &Page<'s>) -> Option<i64> {
        *page.numbers[fact as usize].get_or_init(|| facts::of_status(fact, page.status?, &page.document, self.now))
    }

    /// A count of the account, or of the status of this number.
    fn count(&self, counter: Counter, status: Option<usize>) -> Option<i64> {
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
    fn tried<T>(&self, number: u32, leaf: &Leaf, page: &Page<'s>, then: impl Fn(Option<&Matched>) -> T) -> T {
        if let Some(known) = page.tried.borrow().get(&number) {
            return then(known.as_ref());
        }
        let matched = try_patterns(number, leaf, page);
        let answer = then(matched.as_ref());
        page.tried.borrow_mut().insert(number, matched);
        answer
    }

    /// What matched, of a tree that holds.
    pub(crate) fn evidence(&self, node: &Node, what: &Together, out: &mut Vec<Evidence>) {
        if out.len() >= EVIDENCE {
            return;
        }
        match node {
            Node::All(inner) | Node::Any(inner) | Node::AtLeast(_, inner) => {
                for one in inner {
                    if self.holds(one, what) == Truth::Yes {
                        self.evidence(one, what, out);
                    }
                }
            }
            Node::Not(inner) => out.push(said(format!("not: {}", self.words(inner)), "holds".to_owned(), None)),
            Node::Leaf(number) => self.leaf_evidence(*number, what, out),
        }
        out.truncate(EVIDENCE);
    }

    /// What a single condition found or, for numbers, what they are, whether it holds or not.
    pub(crate) fn leaf_says(&self, node: &Node, what: &Together, truth: Truth, out: &mut Vec<Evidence>) {
        let Node::Leaf(number) = node else { return };
        if truth == Truth::Yes {
            self.leaf_evidence(*number, what, out);
            return;
        }
        let leaf = &self.index.leaves[*number as usize];
        let (numbers, is_time): (Vec<Option<i64>>, bool) = match &leaf.kind {
            Kind::Number { fact, .. } => match self.number(*fact, what) {
                Numbers::One(number) => (vec![number], fact.is_time()),
                Numbers::OfEach => {
                    let each = self.statuses[what.0.clone()]
                        .iter()
                        .map(|page| self.number_of(*fact, page));
                    (each.collect(), fact.is_time())
                }
            },
            Kind::Counter { kind, window, .. } => {
                let counter = Counter {
                    kind: *kind,
                    window: *window,
                };
                if kind.is_of_status() {
                    (what.0.clone().map(|n| self.count(counter, Some(n))).collect(), false)
                } else {
                    (vec![self.count(counter, None)], false)
                }
            }
            _ => return,
        };
        let numbers = numbers.into_iter().flatten().take(EVIDENCE);
        out.extend(numbers.map(|number| said(leaf.says.clone(), shown(number, is_time), None)));
    }

    fn leaf_evidence(&self, number: u32, what: &Together, out: &mut Vec<Evidence>) {
        let leaf = &self.index.leaves[number as usize];
        match &leaf.kind {
            Kind::Patterns { .. } => {
                for page in self.pages(what) {
                    if let Some(matched) = self.tried(number, leaf, page, |matched| matched.cloned()) {
                        let text = matched.text.clone();
                        out.extend(quoted(leaf, page, matched.source, matched.original, text));
                    }
                }
            }
            Kind::Number { fact, range } => {
                let say = |number: i64, status: Option<String>| {
                    said(leaf.says.clone(), shown(number, fact.is_time()), status)
                };
                match self.number(*fact, what) {
                    Numbers::One(number) => out.extend(number.map(|number| say(number, None))),
                    Numbers::OfEach => {
                        for page in &self.statuses[what.0.clone()] {
                            let number = self.number_of(*fact, page).filter(|number| range.holds(*number));
                            out.extend(number.map(|number| say(number, id(page))));
                        }
                    }
                }
            }
            Kind::Counter { kind, window, range } => {
                let counter = Counter {
                    kind: *kind,
                    window: *window,
                };
                if kind.is_of_status() {
                    for n in what.0.clone() {
                        let count = self.count(counter, Some(n)).filter(|count| range.holds(*count));
                        out.extend(
                            count.map(|count| said(leaf.says.clone(), count.to_string(), id(&self.statuses[n]))),
                        );
                    }
                } else {
                    let count = self.count(counter, None);
                    out.extend(count.map(|count| said(leaf.says.clone(), count.to_string(), None)));
                }
            }
            Kind::Is(_) | Kind::Visibility(_) => out.push(said(leaf.says.clone(), "yes".to_owned(), None)),
            _ => {
                for page in self.pages(what) {
                    out.extend(page.finds.of(number).iter().filter_map(|find| found(leaf, page, find)));
                }
            }
        }
    }

    /// A tree in words.
    pub(crate) fn words(&self, node: &Node) -> String {
        let list = |inner: &[Node], between: &str| {
            let all: Vec<String> = inner.iter().map(|one| self.words(one)).collect();
            all.join(between)
        };
        match node {
            Node::Leaf(leaf) => self.index.leaves[*leaf as usize].says.clone(),
            Node::Not(inner) => format!("not ({})", self.words(inner)),
            Node::All(inner) => list(inner, " and "),
            Node::Any(inner) => format!("({})", list(inner, " or ")),
            Node::AtLeast(least, inner) => format!("{least} of ({})", list(inner, ", ")),
        }
    }
}

enum Numbers {
    One(Option<i64>),
    OfEach,
}

fn id(page: &Page<'_>) -> Option<String> {
    page.status.map(|status| status.id.clone())
}

fn said(condition: String, matched: String, status: Option<String>) -> Evidence {
    Evidence {
        condition,
        field: None,
        status,
        span: 0..0,
        original: String::new(),
        matched,
    }
}

fn found(leaf: &Leaf, page: &Page<'_>, find: &Find) -> Option<Evidence> {
    match &find.place {
        Place::Said(text) => Some(said(leaf.says.clone(), text.clone(), id(page))),
        Place::Source(source) => {
            let whole = 0..page.document.source(*source)?.text.len();
            let matched = page.document.source(*source)?.text.to_string();
            quoted(leaf, page, *source, whole, matched)
        }
        Place::Text { view, source, range } => {
            let original = page.document.original(*view, *source, range.clone());
            let matched = page.document.text(*view)[range.clone()].to_owned();
            quoted(leaf, page, *source, original, matched)
        }
    }
}

fn quoted(leaf: &Leaf, page: &Page<'_>, source: usize, span: Range<usize>, matched: String) -> Option<Evidence> {
    let source = page.document.source(source)?;
    let short = |text: &str| text[..text.floor_char_boundary(LONGEST)].to_owned();
    Some(Evidence {
        condition: leaf.says.clone(),
        field: Some(source.field),
        status: id(page),
        original: short(source.text.get(span.clone())?),
        span,
        matched: short(&matched),
    })
}

/// The first match of a leaf's patterns on a page.
fn try_patterns(number: u32, leaf: &Leaf, page: &Page<'_>) -> Option<Matched> {
    let Kind::Patterns {
        look,
        patterns,
        prefiltered,
    } = &leaf.kind
    else {
        return None;
    };
    if *prefiltered && page.finds.candidates.binary_search(&number).is_err() {
        return None;
    }
    let document = &page.document;
    let views: &[View] = if look.exact || look.cased {
        &[View::Plain]
    } else {
        &[View::Plain, View::Folded]
    };
    for view in views {
        for segment in document.segments(*view) {
            let Some(source) = document
                .source(segment.source)
                .filter(|source| look.fields.has(source.field))
            else {
                continue;
            };
            if look.cased {
                if let Some(matched) = try_cased(patterns, source, segment.source) {
                    return Some(matched);
                }
                continue;
            }
            let text = &document.text(*view)[segment.start..segment.end];
            let text = &text[..text.floor_char_boundary(LONGEST_FOR_PATTERNS)];
            for regex in patterns.iter().filter_map(|pattern| pattern.regex()) {
                let here = |range: Range<usize>| segment.start + range.start..segment.start + range.end;
                let found = match view {
                    // In the second reading a match must touch what is different in it.
                    View::Folded => regex
                        .find_iter(text)
                        .map(|m| here(m.range()))
                        .find(|range| document.is_changed(range)),
                    _ => regex.find(text).map(|m| here(m.range())),
                };
                if let Some(range) = found {
                    return Some(Matched {
                        source: segment.source,
                        text: document.text(*view)[range.clone()].to_owned(),
                        original: document.original(*view, segment.source, range),
                    });
                }
            }
        }
    }
    None
}

fn try_cased(
    patterns: &[crate::leaf::Pattern],
    source: &crate::document::Source<'_>,
    number: usize,
) -> Option<Matched> {
    let map = text::cased_map(&source.text, source.field);
    let text = &map.text()[..map.text().floor_char_boundary(LONGEST_FOR_PATTERNS)];
    let found = patterns
        .iter()
        .filter_map(|pattern| pattern.regex()?.find(text))
        .next()?;
    Some(Matched {
        source: number,
        original: map.source(found.range()),
        text: found.as_str().to_owned(),
    })
}
