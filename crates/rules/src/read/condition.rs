//! Conditions: each is a table with one word that says what is compared, and what belongs to that word.

use std::{collections::BTreeSet, time::Duration};

use model::Visibility;

use super::{
    Read,
    table::{Reader, Table},
};
use crate::{
    CounterKind, Field, Fields,
    condition::{Condition, DomainOf, Fact, Is, Look, Range, Words},
    media,
};

/// How deep conditions may stand in each other.
const DEEPEST: usize = 16;
/// Most words of one condition.
const MOST_WORDS: usize = 50_000;
/// Longest word or pattern, in bytes.
const LONGEST: usize = 20_000;

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

fn look(reader: &mut Reader<'_>, table: &Table<'_>, default: Fields) -> Look {
    let mut fields = Fields::default();
    let mut named = false;
    for (name, at) in reader.texts(table, "in").unwrap_or_default() {
        named = true;
        match (name.as_str(), Field::parse(&name)) {
            ("links", _) => fields = fields.or(Fields::LINKS),
            ("text", _) => fields = fields.or(Fields::WRITTEN),
            (_, Some(field)) => fields = fields.with(field),
            (_, None) => {
                let known = Field::ALL.iter().map(|field| field.name()).chain(["links", "text"]);
                reader.unknown_word(&name, at, &table.key("in"), known);
            }
        }
    }
    if table.has("in") && !named {
        reader.problem(
            table.at,
            &table.key("in"),
            "no fields",
            "name some, or leave it out for everything people write",
        );
    }
    Look {
        fields: if fields.is_empty() { default } else { fields },
        whole: reader.flag(table, "whole_word").unwrap_or(true),
        cased: reader.flag(table, "case").unwrap_or(false),
        spaced: reader.flag(table, "spaced").unwrap_or(false),
        exact: reader.flag(table, "exact_letters").unwrap_or(false),
    }
}

/// Texts of a condition, none of them empty.
fn filled(reader: &mut Reader<'_>, table: &Table<'_>, key: &str) -> Option<Vec<(String, usize)>> {
    let texts = reader.texts(table, key)?;
    let path = table.key(key);
    if texts.is_empty() {
        reader.problem(
            table.at,
            &path,
            "an empty list",
            "put something in, or delete the condition",
        );
        return None;
    }
    if texts.len() > MOST_WORDS {
        reader.problem(table.at, &path, format!("more than {MOST_WORDS}"), "split the rule");
        return None;
    }
    let mut good = true;
    for (text, at) in &texts {
        if crate::text::plain(text).trim().is_empty() {
            reader.problem(*at, &path, "an empty term: it would match everybody", "delete it");
            good = false;
        } else if text.len() > LONGEST {
            reader.problem(*at, &path, format!("longer than {LONGEST} bytes"), "make it shorter");
            good = false;
        }
    }
    good.then_some(texts)
}

fn words(reader: &mut Reader<'_>, table: &Table<'_>, kind: &str, all: &Read) -> Option<Condition> {
    let mut words = Vec::new();
    let given = filled(reader, table, kind)?;
    let key = table.key(kind);
    for (text, at) in given {
        if kind == "keywords_from" {
            match all.lists.get(&text) {
                Some(list) => words.extend(list.iter().map(|word| (word.clone(), at))),
                None => {
                    reader.problem(
                        at,
                        &key,
                        format!("there is no list {text:?}"),
                        "add it: [[lists]] with `name` and `words`",
                    );
                    return None;
                }
            }
        } else {
            words.push((text, at));
        }
    }
    let mut good = true;
    for (word, at) in &words {
        // Commas and stars alone are what a slip leaves of a list.
        if !word.chars().any(|c| c.is_alphanumeric() || !c.is_ascii())
            && word.chars().filter(|c| !matches!(c, '*' | ',' | ' ')).count() < 2
        {
            reader.problem(
                *at,
                &key,
                format!("{word:?} is no word: it would match everybody"),
                "delete it",
            );
            good = false;
        }
    }
    let look = look(reader, table, Fields::WRITTEN);
    let words = words.into_iter().map(|(word, _)| word).collect();
    good.then_some(Condition::Words(Words { words, look }))
}

fn phrases(reader: &mut Reader<'_>, table: &Table<'_>) -> Option<Condition> {
    let given = filled(reader, table, "phrases")?;
    let gap = reader.count(table, "gap").map_or(0, |(gap, _)| gap);
    if gap > 10 {
        reader.problem(
            table.at,
            &table.key("gap"),
            "more than 10 words between",
            "take fewer, or `all` with keywords",
        );
        return None;
    }
    let mut phrases = Vec::new();
    for (text, at) in given {
        let plain = crate::text::plain(&text);
        let words: Vec<String> = plain
            .split(' ')
            .map(str::to_owned)
            .filter(|word| !word.is_empty())
            .collect();
        if words.len() < 2 {
            reader.problem(
                at,
                &table.key("phrases"),
                format!("{text:?} is one word"),
                "put it in `keywords`",
            );
            return None;
        }
        phrases.push(words);
    }
    Some(Condition::Phrases {
        phrases,
        gap: u32::try_from(gap).unwrap_or(0),
        look: look(reader, table, Fields::WRITTEN),
    })
}

fn patterns(reader: &mut Reader<'_>, table: &Table<'_>) -> Option<Condition> {
    let given = filled(reader, table, "regex")?;
    let mut good = true;
    for (pattern, at) in &given {
        if let Err(error) = crate::pattern::check(pattern) {
            let key = table.key("regex");
            let (line, column) = reader.line(*at);
            let message = error.message.clone();
            // Where in the file it is cannot be said for texts with escapes, so the place in the pattern is told as well.
            let place = error
                .column
                .map_or(String::new(), |column| format!(" (at letter {column} of the pattern)"));
            let _ = (line, column);
            reader.problem(*at, &key, format!("{message}{place}"), error.next);
            good = false;
        }
    }
    good.then(|| Condition::Patterns {
        patterns: given.into_iter().map(|(pattern, _)| pattern).collect(),
        look: look(reader, table, Fields::WRITTEN),
    })
}

fn fuzzy(reader: &mut Reader<'_>, table: &Table<'_>) -> Option<Condition> {
    let given = filled(reader, table, "fuzzy")?;
    let distance = reader.count(table, "distance").map_or(1, |(distance, _)| distance);
    if !(1..=2).contains(&distance) {
        reader.problem(
            table.at,
            &table.key("distance"),
            "not 1 or 2",
            "that many letters may be wrong, missing or too many",
        );
        return None;
    }
    let distance = usize::try_from(distance).unwrap_or(1);
    let shortest = if distance == 1 { 6 } else { 9 };
    let mut words = Vec::new();
    for (text, at) in given {
        let word = crate::text::plain(&text);
        if word.chars().count() < shortest || word.chars().count() > 60 || !word.chars().all(char::is_alphanumeric) {
            reader.problem(
                at,
                &table.key("fuzzy"),
                format!("{text:?} is not one word of {shortest} to 60 letters"),
                format!("with distance {distance} shorter words would hit honest ones; put it in `keywords`"),
            );
            return None;
        }
        words.push(word);
    }
    Some(Condition::Fuzzy {
        words,
        distance,
        look: look(reader, table, Fields::WRITTEN),
    })
}

fn similar(reader: &mut Reader<'_>, table: &Table<'_>) -> Option<Condition> {
    let given = filled(reader, table, "similar")?;
    let percent = reader.count(table, "percent").map_or(70, |(percent, _)| percent);
    if !(30..=100).contains(&percent) {
        reader.problem(
            table.at,
            &table.key("percent"),
            "not between 30 and 100",
            "70 finds what was changed a little",
        );
        return None;
    }
    let mut texts = Vec::new();
    for (text, at) in given {
        if crate::similar::shingles(&crate::text::plain(&text)).len() < 3 {
            reader.problem(
                at,
                &table.key("similar"),
                "too short to compare",
                "take at least five words, or `phrases`",
            );
            return None;
        }
        texts.push(text);
    }
    Some(Condition::Similar {
        texts,
        percent: u32::try_from(percent).unwrap_or(70),
        look: look(reader, table, Fields::of(&[Field::Content, Field::Bio])),
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
