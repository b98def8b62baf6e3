//! Conditions: each is a table with one word that says what is compared, and what belongs to that word.

use std::{collections::BTreeSet, time::Duration};

use model::Visibility;

use super::{
    Read,
    table::{Reader, Table},
    texts::{MOST_WORDS, filled, fuzzy, patterns, phrases, similar, words},
};
use crate::{
    CounterKind, Field, Fields,
    condition::{Condition, DomainOf, Fact, Is, Range},
    media,
};

/// How deep conditions may stand in each other.
const DEEPEST: usize = 16;

const LOOK: [&str; 5] = ["in", "whole_word", "case", "spaced", "exact_letters"];

/// The words that make a condition, with the keys that belong to each.
const KINDS: [(&str, &[&str]); 21] = [
    ("all", &[]),
    ("any", &[]),
    ("not", &[]),
    ("of", &["at_least"]),
    ("keywords", &LOOK),
    ("keywords_from", &LOOK),
    ("phrases", &["in", "exact_letters", "gap"]),
    ("regex", &["in", "case", "exact_letters"]),
    ("fuzzy", &["in", "distance", "exact_letters"]),
    ("similar", &["in", "percent"]),
    ("domains", &["of"]),
    ("domain_sets", &["of", "domains"]),
    ("tags", &[]),
    ("mentions", &[]),
    ("languages", &[]),
    ("applications", &[]),
    ("media_types", &[]),
    ("visibility", &[]),
    ("media_hashes", &["distance"]),
    ("fact", &["at_least", "at_most", "above", "below", "is"]),
    ("counter", &["window", "at_least", "at_most", "above", "below", "is"]),
];

/// `when` and `unless` of a rule.
pub(super) fn of_rule(reader: &mut Reader<'_>, rule: &Table<'_>, all: &Read) -> Option<Condition> {
    if !rule.has("when") {
        reader.problem(rule.at, "when", "missing", "add `when = { keywords = [\"…\"] }`");
        return None;
    }
    let when = several(reader, rule, "when", all, 0)?;
    let mut conditions = when;
    if rule.has("unless") {
        let unless = several(reader, rule, "unless", all, 0)?;
        conditions.extend(unless.into_iter().map(|condition| Condition::Not(Box::new(condition))));
    }
    Some(if conditions.len() == 1 {
        conditions.pop()?
    } else {
        Condition::All(conditions)
    })
}

fn several(reader: &mut Reader<'_>, table: &Table<'_>, key: &str, all: &Read, depth: usize) -> Option<Vec<Condition>> {
    let tables = reader.tables(table, key);
    if tables.is_empty() {
        reader.problem(table.at, &table.key(key), "empty", "put conditions in, [{ … }, { … }]");
        return None;
    }
    if tables.len() > MOST_WORDS {
        reader.problem(
            table.at,
            &table.key(key),
            "too many conditions",
            "join them into one with a longer list",
        );
        return None;
    }
    tables
        .iter()
        .map(|table| condition(reader, table, all, depth + 1))
        .collect()
}

fn condition(reader: &mut Reader<'_>, table: &Table<'_>, all: &Read, depth: usize) -> Option<Condition> {
    if depth > DEEPEST {
        reader.problem(
            table.at,
            &table.path,
            format!("deeper than {DEEPEST}"),
            "make two rules of it",
        );
        return None;
    }
    let kinds: Vec<_> = KINDS
        .iter()
        // `of` says whose domains are compared, too, and `domains` may stand beside `domain_sets`.
        .filter(|(kind, _)| table.has(kind))
        .filter(|(kind, _)| *kind != "of" || !(table.has("domains") || table.has("domain_sets")))
        .filter(|(kind, _)| *kind != "domains" || !table.has("domain_sets"))
        .collect();
    let (kind, keys) = match kinds.as_slice() {
        [] if table.has("is") => ("is", [].as_slice()),
        [one] => (one.0, one.1),
        [] => {
            let known: Vec<&str> = KINDS.iter().map(|(kind, _)| *kind).chain(["is"]).collect();
            reader.problem(
                table.at,
                &table.path,
                "no condition in it",
                format!("write one of {}", known.join(", ")),
            );
            return None;
        }
        [first, second, ..] => {
            reader.problem(
                table.at,
                &table.path,
                format!("both `{}` and `{}`", first.0, second.0),
                "a table is one condition: put two in all = [{ … }, { … }]",
            );
            return None;
        }
    };
    let mut known = vec![kind];
    known.extend(keys);
    reader.only(table, &known);
    read(reader, table, kind, all, depth)
}

fn read(reader: &mut Reader<'_>, table: &Table<'_>, kind: &str, all: &Read, depth: usize) -> Option<Condition> {
    Some(match kind {
        "all" => Condition::All(several(reader, table, "all", all, depth)?),
        "any" => Condition::Any(several(reader, table, "any", all, depth)?),
        "not" => {
            let mut inner = several(reader, table, "not", all, depth)?;
            let inner = if inner.len() == 1 {
                inner.pop()?
            } else {
                Condition::Any(inner)
            };
            Condition::Not(Box::new(inner))
        }
        "of" => {
            let inner = several(reader, table, "of", all, depth)?;
            let Some((least, at)) = reader.count(table, "at_least") else {
                reader.problem(
                    table.at,
                    &table.key("at_least"),
                    "missing",
                    "say how many of them: `at_least = 2`",
                );
                return None;
            };
            match usize::try_from(least)
                .ok()
                .filter(|least| (1..=inner.len()).contains(least))
            {
                Some(least) => Condition::AtLeast(least, inner),
                None => {
                    let next = format!("write 1 to {}", inner.len());
                    reader.problem(at, &table.key("at_least"), "it could never or would always hold", next);
                    return None;
                }
            }
        }
        "keywords" | "keywords_from" => words(reader, table, kind, all)?,
        "phrases" => phrases(reader, table)?,
        "regex" => patterns(reader, table)?,
        "fuzzy" => fuzzy(reader, table)?,
        "similar" => similar(reader, table)?,
        "domains" | "domain_sets" => domains(reader, table, all)?,
        "tags" => one_of(reader, table, kind, Field::Tag)?,
        "mentions" => one_of(reader, table, kind, Field::Mention)?,
        "languages" => one_of(reader, table, kind, Field::Language)?,
        "applications" => one_of(reader, table, kind, Field::Application)?,
        "media_types" => one_of(reader, table, kind, Field::MediaType)?,
        "visibility" => visibility(reader, table)?,
        "media_hashes" => media_hashes(reader, table)?,
        "fact" => fact(reader, table)?,
        "counter" => counter(reader, table)?,
        _ => Condition::Is(reader.word(table, "is", Is::parse, Is::ALL, Is::name)?.0),
    })
}

fn domains(reader: &mut Reader<'_>, table: &Table<'_>, all: &Read) -> Option<Condition> {
    let mut names = BTreeSet::new();
    let mut sets = Vec::new();
    if table.has("domains") {
        let given = filled(reader, table, "domains")?;
        for (text, at) in given {
            names.insert(reader.domain(&text, at, &table.key("domains"))?);
        }
    }
    if table.has("domain_sets") {
        for (name, _) in filled(reader, table, "domain_sets")? {
            match all.sets.get(&name) {
                Some(set) => names.extend(set.iter().cloned()),
                None => sets.push(name),
            }
        }
    }
    let of = reader.word(table, "of", DomainOf::parse, DomainOf::ALL, DomainOf::name);
    Some(Condition::Domains {
        names,
        sets,
        of: of.map_or(DomainOf::Links, |of| of.0),
    })
}

fn one_of(reader: &mut Reader<'_>, table: &Table<'_>, kind: &str, field: Field) -> Option<Condition> {
    let given = filled(reader, table, kind)?;
    let values = given.into_iter().map(|(text, _)| {
        let text = crate::text::plain(&text);
        match field {
            Field::Tag => text.trim_start_matches('#').to_owned(),
            Field::Mention => text.trim_start_matches('@').to_owned(),
            _ => text,
        }
    });
    Some(Condition::OneOf {
        values: values.collect(),
        fields: Fields::of(&[field]),
    })
}

fn visibility(reader: &mut Reader<'_>, table: &Table<'_>) -> Option<Condition> {
    let mut all = Vec::new();
    for (word, at) in filled(reader, table, "visibility")? {
        all.push(match word.as_str() {
            "public" => Visibility::Public,
            "unlisted" => Visibility::Unlisted,
            "private" => Visibility::Private,
            "direct" => Visibility::Direct,
            _ => {
                let known = ["public", "unlisted", "private", "direct"].into_iter();
                reader.unknown_word(&word, at, &table.key("visibility"), known);
                return None;
            }
        });
    }
    Some(Condition::Visibility(all))
}

fn media_hashes(reader: &mut Reader<'_>, table: &Table<'_>) -> Option<Condition> {
    let given = filled(reader, table, "media_hashes")?;
    let distance = reader.count(table, "distance").map_or(0, |(distance, _)| distance);
    if distance > 64 {
        reader.problem(
            table.at,
            &table.key("distance"),
            "more than 64 bits",
            "31 is usual for pdq, 8 for phash",
        );
        return None;
    }
    let mut hashes = Vec::new();
    for (text, at) in given {
        match media::normal(&text) {
            Some(hash) => hashes.push(hash),
            None => {
                reader.problem(
                    at,
                    &table.key("media_hashes"),
                    format!("{text:?} is no hash"),
                    "write \"sha256:…\", \"md5:…\", \"pdq:…\", \"phash:…\" or \"blurhash:…\"",
                );
                return None;
            }
        }
    }
    Some(Condition::MediaHashes {
        hashes,
        distance: u32::try_from(distance).unwrap_or(0),
    })
}

fn fact(reader: &mut Reader<'_>, table: &Table<'_>) -> Option<Condition> {
    let (fact, _) = reader.word(table, "fact", Fact::parse, Fact::ALL, Fact::name)?;
    let range = range(reader, table, fact.is_time())?;
    Some(Condition::Number { fact, range })
}

fn counter(reader: &mut Reader<'_>, table: &Table<'_>) -> Option<Condition> {
    let (kind, _) = reader.word(
        table,
        "counter",
        CounterKind::parse,
        CounterKind::ALL,
        CounterKind::name,
    )?;
    let window = match reader.duration(table, "window") {
        Some((window, at)) if window > Duration::from_secs(90 * 86_400) => {
            reader.problem(
                at,
                &table.key("window"),
                "longer than 90 days",
                "nothing is counted for so long",
            );
            return None;
        }
        Some((window, _)) => window,
        None if table.has("window") => return None,
        None => {
            reader.problem(
                table.at,
                &table.key("window"),
                "missing",
                "say how long back: `window = \"1h\"`",
            );
            return None;
        }
    };
    let range = range(reader, table, false)?;
    Some(Condition::Counter { kind, window, range })
}

fn range(reader: &mut Reader<'_>, table: &Table<'_>, is_time: bool) -> Option<Range> {
    let mut bound = |key: &str| {
        if is_time {
            reader
                .duration(table, key)
                .and_then(|(time, _)| i64::try_from(time.as_secs()).ok())
        } else {
            reader.count(table, key).map(|(number, _)| number)
        }
    };
    let least = bound("at_least").or_else(|| bound("above").map(|number| number.saturating_add(1)));
    let most = bound("at_most").or_else(|| bound("below").map(|number| number - 1));
    let is = bound("is");
    let range = Range {
        least: is.or(least),
        most: is.or(most),
    };
    if range.least.is_none() && range.most.is_none() {
        reader.problem(
            table.at,
            &table.path,
            "no bound",
            "add `at_least`, `at_most`, `above`, `below` or `is`",
        );
        return None;
    }
    if range.least.zip(range.most).is_some_and(|(least, most)| least > most) {
        reader.problem(
            table.at,
            &table.path,
            "bounds that nothing is between",
            "turn them around",
        );
        return None;
    }
    Some(range)
}
