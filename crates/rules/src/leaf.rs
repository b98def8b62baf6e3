//! Single conditions made ready, and the tree they stand in.

use std::{sync::OnceLock, time::Duration};

use model::Visibility;
use regex::Regex;

use crate::{
    CounterKind, Fields,
    condition::{Condition, DomainOf, Fact, Is, Look, Range},
    pattern,
};

/// Conditions in each other; the leaves by their number in the set.
#[derive(Debug)]
pub(crate) enum Node {
    All(Vec<Node>),
    Any(Vec<Node>),
    Not(Box<Node>),
    AtLeast(usize, Vec<Node>),
    Leaf(u32),
}

/// One condition.
#[derive(Debug)]
pub(crate) struct Leaf {
    pub(crate) kind: Kind,
    /// In words, for people.
    pub(crate) says: String,
}

#[derive(Debug)]
pub(crate) enum Kind {
    /// Found by the search for literals and nothing else.
    Words {
        look: Look,
        terms: Vec<Term>,
    },
    Fuzzy {
        look: Look,
        words: Vec<String>,
        distance: usize,
    },
    Patterns {
        look: Look,
        patterns: Vec<Pattern>,
        prefiltered: bool,
    },
    Similar {
        fields: Fields,
        needed: Vec<u32>,
    },
    Domains {
        of: DomainOf,
        unread: bool,
    },
    OneOf {
        fields: Fields,
    },
    Visibility(Vec<Visibility>),
    MediaHashes {
        hashes: Vec<String>,
        distance: u32,
    },
    Number {
        fact: Fact,
        range: Range,
    },
    Counter {
        kind: CounterKind,
        window: Duration,
        range: Range,
    },
    Is(Is),
}

/// A word to look for.
#[derive(Debug)]
pub(crate) struct Term {
    /// May stand inside of a word, before and after: `casino*`.
    pub(crate) open: (bool, bool),
    /// With upper case, where that counts.
    pub(crate) cased: Option<String>,
}

/// A pattern, made ready when it is first needed: a thousand of them that never match cost nothing.
#[derive(Debug)]
pub(crate) struct Pattern {
    pub(crate) source: String,
    cased: bool,
    ready: OnceLock<Option<Regex>>,
}

impl Pattern {
    pub(crate) fn new(source: String, cased: bool) -> Self {
        Self {
            source,
            cased,
            ready: OnceLock::new(),
        }
    }

    pub(crate) fn regex(&self) -> Option<&Regex> {
        self.ready
            .get_or_init(|| pattern::build(&self.source, self.cased))
            .as_ref()
    }
}

impl Leaf {
    /// The fields it looks at, if it looks at texts.
    pub(crate) fn fields(&self) -> Option<Fields> {
        match &self.kind {
            Kind::Words { look, .. } | Kind::Fuzzy { look, .. } | Kind::Patterns { look, .. } => Some(look.fields),
            Kind::Similar { fields, .. } | Kind::OneOf { fields } => Some(*fields),
            _ => None,
        }
    }
}

/// A condition in words.
pub(crate) fn says(condition: &Condition) -> String {
    let list = |items: &mut dyn Iterator<Item = &str>| {
        let mut out = String::new();
        let mut more = 0;
        for item in items {
            if out.len() > 60 {
                more += 1;
            } else {
                if !out.is_empty() {
                    out.push_str(", ");
                }
                out.push_str(&format!("{item:?}"));
            }
        }
        if more > 0 {
            out.push_str(&format!(" and {more} more"));
        }
        out
    };
    let texts = |texts: &[String]| list(&mut texts.iter().map(String::as_str));
    match condition {
        Condition::All(_) => "all of".to_owned(),
        Condition::Any(_) => "any of".to_owned(),
        Condition::Not(_) => "not".to_owned(),
        Condition::AtLeast(least, inner) => format!("at least {least} of these {}", inner.len()),
        Condition::Words(words) => format!("keyword {}", texts(&words.words)),
        Condition::Phrases { phrases, gap, .. } => {
            let joined: Vec<String> = phrases.iter().map(|phrase| phrase.join(" ")).collect();
            let apart = if *gap > 0 {
                format!(" with up to {gap} words between")
            } else {
                String::new()
            };
            format!("phrase {}{apart}", texts(&joined))
        }
        Condition::Patterns { patterns, .. } => format!("pattern {}", texts(patterns)),
        Condition::Fuzzy { words, distance, .. } => format!("within {distance} letters of {}", texts(words)),
        Condition::Similar {
            texts: all, percent, ..
        } => format!("{percent} % like {}", texts(all)),
        Condition::Domains { names, sets, of } => {
            let names = list(
                &mut names
                    .iter()
                    .map(model::Domain::as_str)
                    .chain(sets.iter().map(String::as_str)),
            );
            format!("domain of {} in {names}", of.name())
        }
        Condition::OneOf { values, fields } => {
            let field = fields.iter().next().map_or("", crate::Field::name);
            format!("{field} is {}", texts(values))
        }
        Condition::Visibility(all) => format!("visibility is one of {all:?}").to_lowercase(),
        Condition::MediaHashes { hashes, distance } => format!("media within {distance} bits of {}", texts(hashes)),
        Condition::Number { fact, range } => format!("{} {}", fact.name(), bounds(*range, fact.is_time())),
        Condition::Counter { kind, window, range } => {
            let window = humantime::format_duration(*window);
            format!("{} in {window} {}", kind.name(), bounds(*range, false))
        }
        Condition::Is(is) => is.name().to_owned(),
    }
}

/// A number, or a time in seconds, for people.
pub(crate) fn shown(number: i64, is_time: bool) -> String {
    match u64::try_from(number) {
        Ok(seconds) if is_time => {
            // To the minute is enough from an hour on.
            let seconds = if seconds > 3_600 { seconds / 60 * 60 } else { seconds };
            humantime::format_duration(Duration::from_secs(seconds)).to_string()
        }
        _ => number.to_string(),
    }
}

fn bounds(range: Range, is_time: bool) -> String {
    match (range.least, range.most) {
        (Some(least), Some(most)) if least == most => format!("is {}", shown(least, is_time)),
        (Some(least), Some(most)) => format!("from {} to {}", shown(least, is_time), shown(most, is_time)),
        (Some(least), None) => format!("at least {}", shown(least, is_time)),
        (None, Some(most)) => format!("at most {}", shown(most, is_time)),
        (None, None) => String::new(),
    }
}
