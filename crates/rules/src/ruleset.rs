//! Rules made ready to judge.

use std::{
    collections::{BTreeMap, BTreeSet, HashMap},
    sync::Arc,
};

use model::Domain;
use sha2::{Digest as _, Sha256};

use crate::{
    Counter, CounterKind, Exemptions, Problem, Rule, Scoring, Source, State,
    condition::{Condition, Fact, Is},
    index::Index,
    leaf::Kind,
    read,
};

/// Most patterns that hold no literal to look for: each of them is tried on every text.
const MOST_UNFILTERED: usize = 50;

/// Subscribed lists of domains, by name, that rules may ask for.
#[derive(Debug, Clone, Default)]
pub struct Sets(BTreeMap<String, Option<Arc<BTreeSet<Domain>>>>);

impl Sets {
    /// A set that exists and was not read yet: rules may name it, and it holds nobody, not even for a `not`.
    pub fn declare(&mut self, name: impl Into<String>) {
        self.0.entry(name.into()).or_default();
    }

    /// A set.
    pub fn insert(&mut self, name: impl Into<String>, domains: impl IntoIterator<Item = Domain>) {
        self.0
            .insert(name.into(), Some(Arc::new(domains.into_iter().collect())));
    }

    pub(crate) fn get(&self, name: &str) -> Option<&BTreeSet<Domain>> {
        self.0.get(name)?.as_deref()
    }

    fn knows(&self, name: &str) -> bool {
        self.0.contains_key(name)
    }
}

/// Rules made ready to judge. Cloning it copies a pointer; it never changes, so whoever holds one judges by one version.
#[derive(Debug, Clone)]
pub struct Ruleset {
    pub(crate) compiled: Arc<Compiled>,
    pub(crate) states: Arc<[State]>,
}

#[derive(Debug)]
pub(crate) struct Compiled {
    pub(crate) rules: Vec<Rule>,
    by_id: HashMap<String, usize>,
    pub(crate) index: Index,
    pub(crate) scoring: Scoring,
    pub(crate) exempt: Exemptions,
    pub(crate) version: String,
    counters: BTreeSet<Counter>,
    needs: Needs,
}

/// What rules ask for that no server tells with a status, so that whoever feeds them need not find out in vain.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Needs {
    /// Hashes of files: `media[].hashes`.
    pub hashes: bool,
    /// Who knows whom: `mentions[].knows_author`.
    pub strangers: bool,
}

impl Ruleset {
    /// Reads sources and makes them ready.
    ///
    /// # Errors
    /// Everything that is wrong, by file and line. A set with a mistake is refused whole: half of the rules are not
    /// what somebody wanted.
    pub fn compile(sources: &[Source], sets: &Sets) -> Result<Self, Vec<Problem>> {
        let (all, mut problems) = read::read(sources);
        for rule in &all.rules {
            unknown_sets(&rule.when, sets, &mut |name| {
                problems.push(about(
                    rule,
                    "domain_sets",
                    format!("there is no set {name:?}"),
                    "add it: [[sets]] with `name` and `domains`, or subscribe to a list of this name",
                ));
            });
        }
        if !problems.is_empty() {
            return Err(problems);
        }
        let index = match Index::new(&all.rules, sets) {
            Ok(index) => index,
            Err(error) => {
                let first = all.rules.first();
                return Err(first
                    .map(|rule| {
                        about(
                            rule,
                            "",
                            format!("too much to look for: {error}"),
                            "take fewer or shorter words",
                        )
                    })
                    .into_iter()
                    .collect());
            }
        };
        for (_, rule) in index.unfiltered.iter().skip(MOST_UNFILTERED) {
            if let Some(rule) = all.rules.get(*rule as usize) {
                problems.push(about(
                    rule,
                    "regex",
                    format!("no letters in it that every match holds, and {MOST_UNFILTERED} such patterns are tried on every text already"),
                    "put a word of three letters or more in it, or a keyword beside it in `all`",
                ));
            }
        }
        if !problems.is_empty() {
            return Err(problems);
        }
        let (mut counters, mut needs) = (BTreeSet::new(), Needs::default());
        for leaf in &index.leaves {
            match &leaf.kind {
                Kind::Counter { kind, window, .. } => {
                    needs.hashes |= *kind == CounterKind::SameMediaAccounts;
                    counters.insert(Counter {
                        kind: *kind,
                        window: *window,
                    });
                }
                Kind::MediaHashes { hashes, .. } => {
                    // A blurhash comes with the status.
                    needs.hashes |= hashes.iter().any(|hash| !hash.starts_with("blurhash:"));
                }
                Kind::Is(Is::MentionsStranger)
                | Kind::Number {
                    fact: Fact::StrangerMentions,
                    ..
                } => needs.strangers = true,
                _ => {}
            }
        }
        let states = all.rules.iter().map(|rule| rule.state).collect();
        Ok(Self {
            compiled: Arc::new(Compiled {
                by_id: all
                    .rules
                    .iter()
                    .enumerate()
                    .map(|(n, rule)| (rule.id.clone(), n))
                    .collect(),
                rules: all.rules,
                index,
                scoring: all.scoring,
                exempt: all.exempt,
                version: version(sources),
                counters,
                needs,
            }),
            states,
        })
    }

    /// A set without rules.
    pub fn empty() -> Self {
        Self::compile(&[], &Sets::default()).unwrap_or_else(|_| unreachable!("nothing cannot be wrong"))
    }

    /// Which rules these are: the same for the same texts.
    pub fn version(&self) -> &str {
        &self.compiled.version
    }

    /// The rules, with their states.
    pub fn rules(&self) -> impl Iterator<Item = (&Rule, State)> {
        self.compiled.rules.iter().zip(self.states.iter().copied())
    }

    /// The rule of this id, with its state.
    pub fn rule(&self, id: &str) -> Option<(&Rule, State)> {
        let number = *self.compiled.by_id.get(id)?;
        Some((self.compiled.rules.get(number)?, *self.states.get(number)?))
    }

    /// The same rules with other states, for those named: a rule that went back to shadow, one that nobody has yet
    /// judged by what it would have done. Neither the files nor the version change.
    #[must_use]
    pub fn with_states(&self, states: &BTreeMap<String, State>) -> Self {
        let mut all: Vec<State> = self.states.to_vec();
        for (id, state) in states {
            if let Some(place) = self.compiled.by_id.get(id).and_then(|number| all.get_mut(*number)) {
                *place = *state;
            }
        }
        Self {
            compiled: Arc::clone(&self.compiled),
            states: all.into(),
        }
    }

    /// How hits add up.
    pub fn scoring(&self) -> Scoring {
        self.compiled.scoring
    }

    /// Whom the whole set spares.
    pub fn exempt(&self) -> &Exemptions {
        &self.compiled.exempt
    }

    /// The counts that rules ask for: what a [`crate::Counters`] should know.
    pub fn counters(&self) -> &BTreeSet<Counter> {
        &self.compiled.counters
    }

    /// What rules ask for that somebody has to find out.
    pub fn needs(&self) -> Needs {
        self.compiled.needs
    }
}

fn about(rule: &Rule, key: &str, message: String, next: &str) -> Problem {
    Problem {
        file: rule.file.clone(),
        rule: Some(rule.id.clone()),
        key: key.to_owned(),
        line: rule.line,
        column: 1,
        message,
        next: next.to_owned(),
    }
}

fn unknown_sets(condition: &Condition, sets: &Sets, told: &mut dyn FnMut(&str)) {
    match condition {
        Condition::All(inner) | Condition::Any(inner) | Condition::AtLeast(_, inner) => {
            for one in inner {
                unknown_sets(one, sets, told);
            }
        }
        Condition::Not(inner) => unknown_sets(inner, sets, told),
        Condition::Domains { sets: named, .. } => {
            for name in named.iter().filter(|name| !sets.knows(name)) {
                told(name);
            }
        }
        _ => {}
    }
}

/// The hash of the texts, in the order of their names.
fn version(sources: &[Source]) -> String {
    let mut sorted: Vec<&Source> = sources.iter().collect();
    sorted.sort_by(|a, b| a.name.cmp(&b.name));
    let mut sum = Sha256::new();
    for source in sorted {
        for part in [&source.name, &source.text] {
            sum.update((part.len() as u64).to_le_bytes());
            sum.update(part.as_bytes());
        }
    }
    sum.finalize()
        .iter()
        .take(8)
        .map(|byte| format!("{byte:02x}"))
        .collect()
}
