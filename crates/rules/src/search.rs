//! One search through the texts of a document for everything that all rules look for.

use std::ops::Range;

use model::Domain;

use crate::{
    Field, StatusFacts,
    condition::{DomainOf, Look},
    document::{Document, Segment, View},
    fuzzy,
    index::{Index, Posting, Use},
    leaf::{Kind, Term},
    media, similar,
    text::is_unspaced,
};

/// Finds of one condition that are kept.
const KEPT: usize = 5;
/// When so many are there, more than are kept of one condition are thrown away, and patterns that are there twice.
const MANY: usize = 2_048;

/// Where a condition was found.
#[derive(Debug, Clone)]
pub(crate) struct Find {
    pub(crate) leaf: u32,
    pub(crate) place: Place,
}

#[derive(Debug, Clone)]
pub(crate) enum Place {
    /// In a reading of a text.
    Text {
        view: View,
        source: usize,
        range: Range<usize>,
    },
    /// The whole of a source.
    Source(usize),
    /// Nowhere in a text: what is said instead.
    Said(String),
}

/// What was found in a document.
#[derive(Debug, Default)]
pub(crate) struct Finds {
    /// By condition.
    pub(crate) all: Vec<Find>,
    /// Conditions whose patterns are worth a try, sorted.
    pub(crate) candidates: Vec<u32>,
}

impl Finds {
    pub(crate) fn of(&self, leaf: u32) -> &[Find] {
        let first = self.all.partition_point(|find| find.leaf < leaf);
        let last = self.all.partition_point(|find| find.leaf <= leaf);
        &self.all[first..last]
    }

    fn push(&mut self, leaf: u32, place: Place) {
        self.all.push(Find { leaf, place });
        if self.all.len().is_multiple_of(MANY) {
            self.thin();
        }
    }

    fn candidate(&mut self, leaf: u32) {
        if self.candidates.last() == Some(&leaf) {
            return;
        }
        self.candidates.push(leaf);
        if self.candidates.len().is_multiple_of(MANY) {
            self.sort_candidates();
        }
    }

    fn sort_candidates(&mut self) {
        self.candidates.sort_unstable();
        self.candidates.dedup();
    }

    fn thin(&mut self) {
        if !self.all.is_sorted_by_key(|find| find.leaf) {
            self.all.sort_by_key(|find| find.leaf);
        }
        let mut last = (u32::MAX, 0);
        self.all.retain(|find| {
            last = if last.0 == find.leaf {
                (find.leaf, last.1 + 1)
            } else {
                (find.leaf, 1)
            };
            last.1 <= KEPT
        });
    }
}

/// Searches a document.
pub(crate) fn search(index: &Index, document: &Document<'_>, status: Option<&StatusFacts>) -> Finds {
    let mut finds = Finds::default();
    for view in [View::Plain, View::Folded, View::Joined] {
        literals(index, document, view, &mut finds);
    }
    domains(index, document, status, &mut finds);
    values(index, document, &mut finds);
    shingles(index, document, &mut finds);
    if let Some(status) = status {
        hashes(index, status, &mut finds);
    }
    finds.thin();
    finds.sort_candidates();
    finds
}

fn literals(index: &Index, document: &Document<'_>, view: View, finds: &mut Finds) {
    let text = document.text(view);
    let Some(literals) = &index.literals else { return };
    if text.is_empty() {
        return;
    }
    let segments = document.segments(view);
    // Finds come in the order of their ends, and nothing that is looked for holds a line feed, so segments follow on.
    let (mut current, mut word) = (0, 0..0);
    for found in literals.find_overlapping_iter(text) {
        while segments.get(current).is_some_and(|segment| segment.end < found.end()) {
            current += 1;
        }
        let Some(segment) = segments.get(current).filter(|segment| segment.start <= found.start()) else {
            continue;
        };
        let Some(source) = document.source(segment.source) else {
            continue;
        };
        for posting in &index.postings[found.pattern().as_usize()] {
            if posting.is_for(view) {
                posted(
                    index,
                    document,
                    view,
                    segment,
                    source.field,
                    found.range(),
                    *posting,
                    &mut word,
                    finds,
                );
            }
        }
    }
}

#[expect(clippy::too_many_arguments, reason = "the place, taken apart")]
fn posted(
    index: &Index,
    document: &Document<'_>,
    view: View,
    segment: &Segment,
    field: Field,
    range: Range<usize>,
    posting: Posting,
    word: &mut Range<usize>,
    finds: &mut Finds,
) {
    let leaf = &index.leaves[posting.leaf as usize];
    if leaf.fields().is_none_or(|fields| !fields.has(field)) {
        return;
    }
    let text = document.text(view);
    let place = |range: Range<usize>| Place::Text {
        view,
        source: segment.source,
        range,
    };
    match (posting.use_, &leaf.kind) {
        (Use::Candidate, _) => finds.candidate(posting.leaf),
        (Use::Term(number), Kind::Words { look, terms }) => {
            if let Some(term) = terms.get(number as usize)
                && is_whole(document, view, segment, &range, *look, term)
                && (view != View::Folded || document.is_changed(&range))
                && has_case(document, view, segment, &range, term)
            {
                finds.push(posting.leaf, place(range));
            }
        }
        (Use::Fuzzy(number), Kind::Fuzzy { words, distance, .. }) => {
            // Many parts may stand in one word.
            if range.start < word.start || range.end > word.end {
                *word = fuzzy::word_around(text, segment.start..segment.end, &range);
            }
            if let Some(wanted) = words.get(number as usize)
                && fuzzy::is_within(wanted, &text[word.clone()], *distance)
                && (view != View::Folded || document.is_changed(word))
            {
                finds.push(posting.leaf, place(word.clone()));
            }
        }
        _ => {}
    }
}

/// Whether a term stands for itself, where it has to.
fn is_whole(
    document: &Document<'_>,
    view: View,
    segment: &Segment,
    range: &Range<usize>,
    look: Look,
    term: &Term,
) -> bool {
    if !look.whole || (view == View::Joined && document.is_loose(range.start)) {
        return true;
    }
    let text = document.text(view);
    let (before, term_text, after) = (
        &text[segment.start..range.start],
        &text[range.clone()],
        &text[range.end..segment.end],
    );
    let is_word = |c: char| c.is_alphanumeric() || c == '_';
    let parts = |inside: Option<char>, beside: Option<char>| match (inside, beside) {
        (Some(inside), Some(beside)) => !is_word(inside) || !is_word(beside) || is_unspaced(inside),
        _ => true,
    };
    (term.open.0 || parts(term_text.chars().next(), before.chars().next_back()))
        && (term.open.1 || parts(term_text.chars().next_back(), after.chars().next()))
}

/// Whether a term is written in the case that is asked for.
fn has_case(document: &Document<'_>, view: View, segment: &Segment, range: &Range<usize>, term: &Term) -> bool {
    let Some(cased) = &term.cased else { return true };
    let original = document.original(view, segment.source, range.clone());
    document
        .source(segment.source)
        .is_some_and(|source| crate::text::cased_map(&source.text[original], source.field).text() == cased)
}

fn domains(index: &Index, document: &Document<'_>, status: Option<&StatusFacts>, finds: &mut Finds) {
    if index.domains.is_empty() {
        return;
    }
    let mut look_up = |name: &str, of: DomainOf, place: Place| {
        let parents = std::iter::successors(Some(name), |name| name.split_once('.').map(|(_, parent)| parent));
        for parent in parents.take(16) {
            for leaf in index.domains.get(parent).into_iter().flatten() {
                if matches!(&index.leaves[*leaf as usize].kind, Kind::Domains { of: asked, .. } if *asked == of) {
                    finds.push(*leaf, place.clone());
                }
            }
        }
    };
    for host in &document.hosts {
        look_up(&host.name, DomainOf::Links, Place::Source(host.source));
    }
    for (source, text) in document.whole(Field::Domain) {
        look_up(text, DomainOf::Account, Place::Source(source));
    }
    for mention in status.iter().flat_map(|status| &status.mentions).take(64) {
        // Servers write it in letters of its own, rules have it in punycode.
        let domain = mention
            .acct
            .rsplit_once('@')
            .and_then(|(_, text)| Domain::parse(text).ok());
        if let Some(domain) = domain {
            look_up(domain.as_str(), DomainOf::Mentions, Place::Said(mention.acct.clone()));
        }
    }
}

fn values(index: &Index, document: &Document<'_>, finds: &mut Finds) {
    if index.values.is_empty() {
        return;
    }
    for field in [
        Field::Tag,
        Field::Mention,
        Field::Language,
        Field::Application,
        Field::MediaType,
    ] {
        for (source, text) in document.whole(field) {
            // `image` means `image/png` as well, `en` means `en-GB`.
            let family = match field {
                Field::MediaType => text.split_once('/'),
                Field::Language => text.split_once(['-', '_']),
                _ => None,
            };
            for value in [Some(text), family.map(|(family, _)| family)].into_iter().flatten() {
                for leaf in index.values.get(value).into_iter().flatten() {
                    if index.leaves[*leaf as usize]
                        .fields()
                        .is_some_and(|fields| fields.has(field))
                    {
                        finds.push(*leaf, Place::Source(source));
                    }
                }
            }
        }
    }
}

fn shingles(index: &Index, document: &Document<'_>, finds: &mut Finds) {
    if index.shingles.is_empty() {
        return;
    }
    let mut shared: std::collections::HashMap<(u32, u32), u32> = std::collections::HashMap::new();
    for segment in document.segments(View::Plain) {
        let Some(source) = document
            .source(segment.source)
            .filter(|source| index.similar.has(source.field))
        else {
            continue;
        };
        let text = &document.text(View::Plain)[segment.start..segment.end];
        shared.clear();
        for shingle in similar::shingles(text) {
            for key in index.shingles.get(&shingle).into_iter().flatten() {
                *shared.entry(*key).or_default() += 1;
            }
        }
        for ((leaf, which), count) in &shared {
            if let Kind::Similar { fields, needed } = &index.leaves[*leaf as usize].kind
                && fields.has(source.field)
                && needed.get(*which as usize).is_some_and(|needed| count >= needed)
            {
                finds.push(*leaf, Place::Source(segment.source));
            }
        }
    }
}

fn hashes(index: &Index, status: &StatusFacts, finds: &mut Finds) {
    if index.media.is_empty() || status.media.is_empty() {
        return;
    }
    let own: Vec<String> = status
        .media
        .iter()
        .flat_map(|media| {
            let blurhash = media.blurhash.as_ref().map(|hash| format!("blurhash:{hash}"));
            media
                .hashes
                .iter()
                .filter_map(|hash| media::normal(hash))
                .chain(blurhash)
        })
        .take(256)
        .collect();
    for leaf in &index.media {
        let Kind::MediaHashes { hashes, distance } = &index.leaves[*leaf as usize].kind else {
            continue;
        };
        for hash in &own {
            let found = hashes.iter().find(|wanted| {
                *wanted == hash
                    || (*distance > 0
                        && media::is_perceptual(hash)
                        && media::distance(wanted, hash).is_some_and(|bits| bits <= *distance))
            });
            if let Some(wanted) = found {
                let bits = media::distance(wanted, hash).unwrap_or(0);
                let apart = if bits > 0 {
                    format!(", {bits} bits from {wanted}")
                } else {
                    String::new()
                };
                finds.push(*leaf, Place::Said(format!("{hash}{apart}")));
            }
        }
    }
}
