//! Every condition of every rule for one subject: what held, what did not, what nobody knew.

use chrono::{DateTime, Utc};
use serde::{Deserialize, Serialize};

use crate::{
    Counters, Evidence, Rule, Ruleset, Scope, State, Subject,
    bench::{Bench, Together, Truth},
    leaf::Node,
};

/// Whether a condition holds.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Holds {
    /// It does.
    Yes,
    /// It does not.
    No,
    /// What it asks for is not known, or there is no status to ask.
    Unknown,
}

impl Holds {
    /// In a word, for people.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Yes => "holds",
            Self::No => "does not hold",
            Self::Unknown => "nobody knows",
        }
    }
}

impl From<Truth> for Holds {
    fn from(truth: Truth) -> Self {
        match truth {
            Truth::Yes => Self::Yes,
            Truth::No => Self::No,
            Truth::Unknown => Self::Unknown,
        }
    }
}

/// A rule, taken apart.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Explanation {
    /// The rule's id.
    pub rule: String,
    /// Its name.
    pub name: String,
    /// Its state.
    pub state: State,
    /// What it adds when it hits.
    pub weight: f64,
    /// The status this is about: one it hits, if there is any, else the first.
    pub status: Option<String>,
    /// Why the account is spared.
    pub exempt: Option<String>,
    /// Why the rule is not judged here, though its conditions may hold.
    pub skipped: Option<String>,
    /// Its conditions.
    pub when: Explained,
}

impl Explanation {
    /// Whether the rule hits.
    pub fn hit(&self) -> bool {
        self.when.holds == Holds::Yes && self.skipped.is_none()
    }
}

/// A condition, with those it is made of.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Explained {
    /// In words.
    pub says: String,
    /// Whether it holds.
    pub holds: Holds,
    /// What for.
    pub evidence: Vec<Evidence>,
    /// Conditions inside of it.
    pub parts: Vec<Explained>,
}

impl Ruleset {
    /// Takes the rules apart that `wanted` says, for one subject. Rules that are off are taken apart, too: this is how
    /// they are tried.
    pub fn explain(
        &self,
        subject: &Subject,
        counters: &dyn Counters,
        now: DateTime<Utc>,
        wanted: impl Fn(&Rule) -> bool,
    ) -> Vec<Explanation> {
        let bench = Bench::new(&self.compiled.index, subject, counters, now);
        let exempt = self.compiled.exempt.spares(&subject.account, now);
        let rules = self
            .compiled
            .rules
            .iter()
            .zip(&bench.index.trees)
            .zip(self.states.iter());
        rules
            .filter(|((rule, _), _)| wanted(rule))
            .map(|((rule, tree), state)| {
                let (what, skipped) = place(&bench, rule, tree);
                let status = (rule.scope == Scope::Status)
                    .then(|| bench.statuses.get(what.0.clone())?.first()?.status)
                    .flatten();
                Explanation {
                    rule: rule.id.clone(),
                    name: rule.name.clone(),
                    state: *state,
                    weight: rule.weight,
                    status: status.map(|status| status.id.clone()),
                    exempt: exempt.clone().or_else(|| rule.exempt.spares(&subject.account, now)),
                    skipped,
                    when: explained(&bench, tree, &what),
                }
            })
            .collect()
    }
}

/// What a rule is explained for: what it hits, else the first thing it looks at.
fn place(bench: &Bench<'_, '_>, rule: &Rule, tree: &Node) -> (Together, Option<String>) {
    if rule.scope == Scope::Account {
        return (bench.together(rule), None);
    }
    let alone = Together(0..0);
    if bench.holds(tree, &alone) == Truth::Yes {
        return (alone, None);
    }
    let judged: Vec<usize> = (0..bench.statuses.len())
        .filter(|n| bench.statuses[*n].status.is_some_and(|status| !status.context))
        .collect();
    let one = |n: usize| Together(n..n + 1);
    let first = judged
        .iter()
        .find(|n| bench.holds(tree, &one(**n)) == Truth::Yes)
        .or(judged.first());
    let Some(first) = first else { return (alone, None) };
    let hidden = bench.statuses[*first]
        .status
        .is_some_and(|status| !status.visibility.is_open());
    let skipped =
        (hidden && !rule.private).then(|| "not everybody may see the status, and the rule is not for such".to_owned());
    (one(*first), skipped)
}

fn explained(bench: &Bench<'_, '_>, node: &Node, what: &Together) -> Explained {
    let holds = bench.holds(node, what);
    let (says, inner): (String, &[Node]) = match node {
        Node::All(inner) => ("all of".to_owned(), inner),
        Node::Any(inner) => ("any of".to_owned(), inner),
        Node::AtLeast(least, inner) => (format!("at least {least} of"), inner),
        Node::Not(inner) => ("not".to_owned(), std::slice::from_ref(inner)),
        Node::Leaf(_) => (bench.words(node), &[]),
    };
    let mut evidence = Vec::new();
    if matches!(node, Node::Leaf(_)) {
        bench.leaf_says(node, what, holds, &mut evidence);
    }
    Explained {
        says,
        holds: holds.into(),
        evidence,
        parts: inner.iter().map(|one| explained(bench, one, what)).collect(),
    }
}
