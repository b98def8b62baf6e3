//! What is searched for, once for all rules: literals, domains, values, shingles; and which rules a find makes worth
//! judging.

use std::{
    collections::{BTreeSet, HashMap},
    hash::{BuildHasherDefault, Hasher},
};

use aho_corasick::{AhoCorasick, AhoCorasickKind, MatchKind};

use crate::{
    Fields, Rule, Sets,
    condition::{Condition, Look},
    document::View,
    leaf::{Kind, Leaf, Node, Pattern, Term, says},
    pattern, required,
    text::{self, Folded},
};

/// Bytes of all literals for which the quickest search is made: it takes some hundred times as much.
const QUICK: usize = 256 << 10;

/// A literal, and what it means where it is found.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Posting {
    pub(crate) leaf: u32,
    pub(crate) use_: Use,
    /// Plain, folded, joined.
    views: u8,
}

#[derive(Debug, Clone, Copy)]
pub(crate) enum Use {
    /// It is the term of this number.
    Term(u32),
    /// It is a part of the word of this number, which may be written with mistakes.
    Fuzzy(u32),
    /// One of the patterns may match.
    Candidate,
}

impl Posting {
    pub(crate) fn is_for(self, view: View) -> bool {
        self.views & bit(view) != 0
    }
}

fn bit(view: View) -> u8 {
    1 << view as u8
}

/// Texts by their shingles, which are hashes already.
pub(crate) type Shingles = HashMap<u64, Vec<(u32, u32)>, BuildHasherDefault<Hashed>>;

/// Takes a hash for what it is.
#[derive(Debug, Default)]
pub(crate) struct Hashed(u64);

impl Hasher for Hashed {
    fn finish(&self) -> u64 {
        self.0
    }

    fn write(&mut self, bytes: &[u8]) {
        self.0 = crate::fingerprint::hash(bytes);
    }

    fn write_u64(&mut self, hash: u64) {
        self.0 = hash;
    }
}

/// Everything that is searched for.
#[derive(Debug)]
pub(crate) struct Index {
    pub(crate) leaves: Vec<Leaf>,
    pub(crate) literals: Option<AhoCorasick>,
    pub(crate) postings: Vec<Vec<Posting>>,
    pub(crate) domains: HashMap<String, Vec<u32>>,
    pub(crate) values: HashMap<String, Vec<u32>>,
    pub(crate) shingles: Shingles,
    /// Fields whose shingles are looked at.
    pub(crate) similar: Fields,
    /// Leaves about hashes of media: looked at only when there are any.
    pub(crate) media: Vec<u32>,
    /// Rules by the leaves that make them worth judging.
    pub(crate) rules_of: Vec<Vec<u32>>,
    /// Rules that nothing found can rule out.
    pub(crate) always: Vec<u32>,
    pub(crate) trees: Vec<Node>,
    /// Some rule reads letters with blanks between them.
    pub(crate) joins: bool,
    /// Patterns that are tried on every text, with their rules' numbers.
    pub(crate) unfiltered: Vec<(u32, u32)>,
}

#[derive(Default)]
struct Builder {
    leaves: Vec<Leaf>,
    texts: Vec<String>,
    numbers: HashMap<String, usize>,
    postings: Vec<Vec<Posting>>,
    domains: HashMap<String, Vec<u32>>,
    values: HashMap<String, Vec<u32>>,
    shingles: Shingles,
    similar: Fields,
    media: Vec<u32>,
    joins: bool,
}

impl Index {
    pub(crate) fn new(rules: &[Rule], sets: &Sets) -> Result<Self, aho_corasick::BuildError> {
        let mut builder = Builder::default();
        let mut trees = Vec::with_capacity(rules.len());
        let mut always = Vec::new();
        let mut rules_of: Vec<Vec<u32>> = Vec::new();
        let mut unfiltered = Vec::new();
        for (number, rule) in (0_u32..).zip(rules) {
            let first = builder.leaves.len();
            let tree = builder.node(&rule.when, sets);
            rules_of.resize_with(builder.leaves.len(), Vec::new);
            match builder.triggers(&tree) {
                Some(leaves) => {
                    for leaf in leaves {
                        rules_of[leaf as usize].push(number);
                    }
                }
                None => {
                    always.push(number);
                    for (leaf, _) in (0_u32..).zip(&builder.leaves).skip(first) {
                        let is_bare = matches!(
                            builder.leaves[leaf as usize].kind,
                            Kind::Patterns { prefiltered: false, .. }
                        );
                        if is_bare {
                            unfiltered.push((leaf, number));
                        }
                    }
                }
            }
            trees.push(tree);
        }
        let literals = if builder.texts.is_empty() {
            None
        } else {
            let mut searcher = AhoCorasick::builder();
            searcher.match_kind(MatchKind::Standard);
            // The quickest one takes memory for each letter of each literal; for very many, or very long ones, the middle
            // one is quick enough.
            let letters: usize = builder.texts.iter().map(String::len).sum();
            if builder.texts.len() <= 12_000 && letters <= QUICK {
                searcher.kind(Some(AhoCorasickKind::DFA));
            }
            Some(searcher.build(&builder.texts)?)
        };
        Ok(Self {
            leaves: builder.leaves,
            literals,
            postings: builder.postings,
            domains: builder.domains,
            values: builder.values,
            shingles: builder.shingles,
            similar: builder.similar,
            media: builder.media,
            rules_of,
            always,
            trees,
            joins: builder.joins,
            unfiltered,
        })
    }
}

impl Builder {
    fn node(&mut self, condition: &Condition, sets: &Sets) -> Node {
        let mut several = |inner: &[Condition]| inner.iter().map(|one| self.node(one, sets)).collect::<Vec<_>>();
        match condition {
            Condition::All(inner) => Node::All(several(inner)),
            Condition::Any(inner) => Node::Any(several(inner)),
            Condition::AtLeast(least, inner) => Node::AtLeast(*least, several(inner)),
            Condition::Not(inner) => Node::Not(Box::new(self.node(inner, sets))),
            leaf => Node::Leaf(self.leaf(leaf, sets)),
        }
    }

    fn leaf(&mut self, condition: &Condition, sets: &Sets) -> u32 {
        let number = u32::try_from(self.leaves.len()).unwrap_or(u32::MAX);
        let kind = match condition {
            Condition::Words(words) => self.words(number, &words.words, words.look),
            Condition::Phrases { phrases, gap, look } => self.phrases(number, phrases, *gap, *look),
            Condition::Patterns { patterns, look } => self.patterns(number, patterns, *look),
            Condition::Fuzzy { words, distance, look } => self.fuzzy(number, words, *distance, *look),
            Condition::Similar { texts, percent, look } => {
                let mut needed = Vec::new();
                for (which, sample) in (0_u32..).zip(texts) {
                    let shingles = crate::similar::shingles(&text::plain(sample));
                    let wanted = shingles.len() * *percent as usize;
                    needed.push(u32::try_from(wanted.div_ceil(100)).unwrap_or(u32::MAX).max(1));
                    for shingle in shingles {
                        self.shingles.entry(shingle).or_default().push((number, which));
                    }
                }
                self.similar = self.similar.or(look.fields);
                Kind::Similar {
                    fields: look.fields,
                    needed,
                }
            }
            Condition::Domains {
                names,
                sets: wanted,
                of,
            } => {
                let mut unread = false;
                for name in names {
                    self.domains.entry(name.as_str().to_owned()).or_default().push(number);
                }
                for set in wanted {
                    match sets.get(set) {
                        Some(names) => {
                            for name in names {
                                self.domains.entry(name.as_str().to_owned()).or_default().push(number);
                            }
                        }
                        None => unread = true,
                    }
                }
                Kind::Domains { of: *of, unread }
            }
            Condition::OneOf { values, fields } => {
                for value in values {
                    self.values.entry(value.clone()).or_default().push(number);
                }
                Kind::OneOf { fields: *fields }
            }
            Condition::MediaHashes { hashes, distance } => {
                self.media.push(number);
                Kind::MediaHashes {
                    hashes: hashes.clone(),
                    distance: *distance,
                }
            }
            Condition::Visibility(all) => Kind::Visibility(all.clone()),
            Condition::Number { fact, range } => Kind::Number {
                fact: *fact,
                range: *range,
            },
            Condition::Counter { kind, window, range } => Kind::Counter {
                kind: *kind,
                window: *window,
                range: *range,
            },
            Condition::Is(is) => Kind::Is(*is),
            // Handled by `node`.
            Condition::All(_) | Condition::Any(_) | Condition::Not(_) | Condition::AtLeast(..) => {
                Kind::Visibility(Vec::new())
            }
        };
        self.leaves.push(Leaf {
            kind,
            says: says(condition),
        });
        number
    }

    fn literal(&mut self, text: &str, posting: Posting) {
        if text.is_empty() {
            return;
        }
        let number = *self.numbers.entry(text.to_owned()).or_insert_with(|| {
            self.texts.push(text.to_owned());
            self.postings.push(Vec::new());
            self.texts.len() - 1
        });
        self.postings[number].push(posting);
    }

    fn words(&mut self, leaf: u32, words: &[String], look: Look) -> Kind {
        self.joins |= look.spaced;
        let mut terms = Vec::with_capacity(words.len());
        for (number, word) in (0_u32..).zip(words) {
            let open = (word.starts_with('*'), word.ends_with('*') && word.len() > 1);
            let bare = word.trim_matches('*');
            let plain = text::plain(bare);
            let use_ = Use::Term(number);
            self.literal(
                &plain,
                Posting {
                    leaf,
                    use_,
                    views: bit(View::Plain),
                },
            );
            if !look.exact {
                let mut folded = Folded::default();
                let read =
                    text::fold(&plain, 0..plain.len(), &mut folded).map(|range| folded.map.text()[range].to_owned());
                // What stands behind a blank is the other reading of `1`.
                let read = read
                    .as_deref()
                    .map_or(plain.as_str(), |read| &read[..plain_end(&plain, read)]);
                self.literal(
                    read,
                    Posting {
                        leaf,
                        use_,
                        views: bit(View::Folded),
                    },
                );
                // A word that mixes scripts is read letter by letter.
                let all = text::fold_all(&plain);
                if all != read {
                    self.literal(
                        &all,
                        Posting {
                            leaf,
                            use_,
                            views: bit(View::Folded) | if look.spaced { bit(View::Joined) } else { 0 },
                        },
                    );
                }
                if look.spaced {
                    self.joined(read, leaf, use_);
                }
            } else if look.spaced {
                self.joined(&plain, leaf, use_);
            }
            terms.push(Term {
                open,
                cased: look.cased.then(|| text::cased(bare)),
            });
        }
        Kind::Words { look, terms }
    }

    /// A term as it is read where letters with signs between them were put together: word by word, and as one word where
    /// single letters stood in a row.
    fn joined(&mut self, term: &str, leaf: u32, use_: Use) {
        let words: Vec<String> = term
            .split(' ')
            .map(|word| word.chars().filter(|c| c.is_alphanumeric()).collect::<String>())
            .filter(|word| !word.is_empty())
            .collect();
        let views = bit(View::Joined);
        let whole = words.concat();
        if whole.chars().count() < 3 {
            return;
        }
        self.literal(&words.join(" "), Posting { leaf, use_, views });
        if words.len() > 1 {
            self.literal(&whole, Posting { leaf, use_, views });
        }
    }

    fn phrases(&mut self, leaf: u32, phrases: &[Vec<String>], gap: u32, look: Look) -> Kind {
        if gap == 0 {
            let words: Vec<String> = phrases.iter().map(|phrase| phrase.join(" ")).collect();
            return self.words(leaf, &words, look);
        }
        let patterns: Vec<String> = phrases.iter().map(|phrase| pattern::of_phrase(phrase, gap)).collect();
        self.patterns(leaf, &patterns, look)
    }

    fn patterns(&mut self, leaf: u32, patterns: &[String], look: Look) -> Kind {
        let literals: Option<Vec<Vec<String>>> = patterns
            .iter()
            .map(|source| required::literals(&pattern::structure(source)?))
            .collect();
        let views = bit(View::Plain) | if look.exact || look.cased { 0 } else { bit(View::Folded) };
        for literal in literals.iter().flatten().flatten().collect::<BTreeSet<_>>() {
            // A literal that people wrote with an accent or a capital is looked for as texts are read.
            let literal = text::plain(literal.trim_matches(' '));
            self.literal(
                &literal,
                Posting {
                    leaf,
                    use_: Use::Candidate,
                    views,
                },
            );
        }
        Kind::Patterns {
            look,
            patterns: patterns
                .iter()
                .map(|source| Pattern::new(source.clone(), look.cased))
                .collect(),
            prefiltered: literals.is_some(),
        }
    }

    fn fuzzy(&mut self, leaf: u32, words: &[String], distance: usize, look: Look) -> Kind {
        for (number, word) in (0_u32..).zip(words) {
            // With so many mistakes at most, one of one part more is written right. A swap of two letters counts as one
            // mistake and can spoil two parts, so the swaps across their borders are looked for as well.
            let letters: Vec<char> = word.chars().collect();
            let parts = distance + 1;
            let views = bit(View::Plain) | if look.exact { 0 } else { bit(View::Folded) };
            let posting = Posting {
                leaf,
                use_: Use::Fuzzy(number),
                views,
            };
            let borders: Vec<usize> = (0..=parts).map(|n| n * letters.len() / parts).collect();
            for part in borders.windows(2) {
                let part: String = letters[part[0]..part[1]].iter().collect();
                self.literal(&part, posting);
            }
            for border in &borders[1..parts] {
                let mut swapped = letters.clone();
                swapped.swap(border - 1, *border);
                let around = border.saturating_sub(3)..(border + 3).min(letters.len());
                let part: String = swapped[around].iter().collect();
                self.literal(&part, posting);
            }
        }
        Kind::Fuzzy {
            look,
            words: words.to_vec(),
            distance,
        }
    }

    /// Leaves of which one must have been found for the tree to hold; `None` when it may hold without any.
    fn triggers(&self, node: &Node) -> Option<BTreeSet<u32>> {
        let union = |inner: &[Node]| -> Option<BTreeSet<u32>> {
            let mut all = BTreeSet::new();
            for one in inner {
                all.extend(self.triggers(one)?);
            }
            Some(all)
        };
        match node {
            Node::Leaf(leaf) => match &self.leaves[*leaf as usize].kind {
                Kind::Patterns { prefiltered: false, .. }
                | Kind::Visibility(_)
                | Kind::Number { .. }
                | Kind::Counter { .. }
                | Kind::Is(_) => None,
                _ => Some(BTreeSet::from([*leaf])),
            },
            Node::All(inner) => inner
                .iter()
                .filter_map(|one| self.triggers(one))
                // Languages and domains that many have come last.
                .min_by_key(|leaves| (leaves.iter().any(|leaf| self.is_common(*leaf)), leaves.len())),
            Node::Any(inner) => union(inner),
            Node::AtLeast(least, inner) => {
                // With so many of them needed, all but one less may be left out: the ones that tell nothing first.
                let mut known: Vec<BTreeSet<u32>> = inner.iter().filter_map(|one| self.triggers(one)).collect();
                let needed = inner.len() + 1 - least;
                (known.len() >= needed).then(|| {
                    known.sort_by_key(BTreeSet::len);
                    known.into_iter().take(needed).flatten().collect()
                })
            }
            Node::Not(_) => None,
        }
    }

    fn is_common(&self, leaf: u32) -> bool {
        match &self.leaves[leaf as usize].kind {
            Kind::OneOf { fields } => !fields.has(crate::Field::Tag) && !fields.has(crate::Field::Mention),
            Kind::Patterns { .. } => true,
            _ => false,
        }
    }
}

/// Where the first reading of a term ends: as many letters as the term has, since each is read as one.
fn plain_end(plain: &str, read: &str) -> usize {
    read.char_indices()
        .nth(plain.chars().count())
        .map_or(read.len(), |(at, _)| at)
}
