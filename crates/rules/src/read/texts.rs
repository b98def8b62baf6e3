//! Conditions about what texts say.

use super::{
    Read,
    table::{Reader, Table},
};
use crate::{
    Field, Fields,
    condition::{Condition, Look, Words},
};

/// Most words of one condition.
pub(super) const MOST_WORDS: usize = 50_000;
/// Longest word or pattern, in bytes.
const LONGEST: usize = 20_000;

pub(super) fn look(reader: &mut Reader<'_>, table: &Table<'_>, default: Fields) -> Look {
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
pub(super) fn filled(reader: &mut Reader<'_>, table: &Table<'_>, key: &str) -> Option<Vec<(String, usize)>> {
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

pub(super) fn words(reader: &mut Reader<'_>, table: &Table<'_>, kind: &str, all: &Read) -> Option<Condition> {
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

pub(super) fn phrases(reader: &mut Reader<'_>, table: &Table<'_>) -> Option<Condition> {
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
    let gap = u32::try_from(gap).unwrap_or(0);
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
        // Making it ready takes a while; short ones need no proof.
        let is_long = (words.len() - 1) * gap as usize > 60 || plain.len() > 500;
        if gap > 0 && is_long && crate::pattern::build(&crate::pattern::of_phrase(&words, gap), false).is_none() {
            reader.problem(
                at,
                &table.key("phrases"),
                format!("too long for a gap of {gap}"),
                "take fewer words, or a smaller gap",
            );
            return None;
        }
        phrases.push(words);
    }
    Some(Condition::Phrases {
        phrases,
        gap,
        look: look(reader, table, Fields::WRITTEN),
    })
}

pub(super) fn patterns(reader: &mut Reader<'_>, table: &Table<'_>) -> Option<Condition> {
    let given = filled(reader, table, "regex")?;
    let mut good = true;
    for (pattern, at) in &given {
        if let Err(error) = crate::pattern::check(pattern) {
            let key = table.key("regex");
            let message = error.message;
            // Where in the file it is cannot be said for texts with escapes, so the place in the pattern is told as well.
            let place = error
                .column
                .map_or(String::new(), |column| format!(" (at letter {column} of the pattern)"));
            reader.problem(*at, &key, format!("{message}{place}"), error.next);
            good = false;
        }
    }
    good.then(|| Condition::Patterns {
        patterns: given.into_iter().map(|(pattern, _)| pattern).collect(),
        look: look(reader, table, Fields::WRITTEN),
    })
}

pub(super) fn fuzzy(reader: &mut Reader<'_>, table: &Table<'_>) -> Option<Condition> {
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

pub(super) fn similar(reader: &mut Reader<'_>, table: &Table<'_>) -> Option<Condition> {
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
