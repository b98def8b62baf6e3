//! What rules hit: which condition, where, and the letters that people typed there.

use std::ops::Range;

use crate::{
    Counter, Evidence,
    bench::{Bench, Numbers, Page, Together, Truth},
    condition::Fact,
    facts,
    leaf::{Kind, Leaf, Node, shown},
    search::{Find, Place},
};

/// Pieces of evidence of one contribution.
const EVIDENCE: usize = 12;
/// Longest text of a piece of evidence, in bytes.
const LONGEST: usize = 500;

impl Bench<'_, '_> {
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
            Kind::Number { fact, .. } => match self.number(*fact) {
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
            Kind::Number {
                fact: Fact::StrangerMentions,
                ..
            } => {
                for page in &self.statuses[what.0.clone()] {
                    let Some((least, most)) = page.status.and_then(facts::strangers) else {
                        continue;
                    };
                    let open = if most > least {
                        format!(", and {} nobody knows of", most - least)
                    } else {
                        String::new()
                    };
                    out.push(said(leaf.says.clone(), format!("{least}{open}"), id(page)));
                }
            }
            Kind::Number { fact, range } => {
                let say = |number: i64, status: Option<String>| {
                    said(leaf.says.clone(), shown(number, fact.is_time()), status)
                };
                match self.number(*fact) {
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
