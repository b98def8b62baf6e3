//! Tables of TOML, read key by key.

use std::{fmt::Write as _, time::Duration};

use model::Domain;
use toml::{
    Spanned,
    de::{DeTable, DeValue},
};

use super::Source;
use crate::Problem;

/// Problems of one source that are told; what follows is usually the same mistake.
const MOST_PROBLEMS: usize = 100;

/// A table and where it is.
#[derive(Clone)]
pub(super) struct Table<'t> {
    pub(super) table: &'t DeTable<'t>,
    /// Keys above it, with dots.
    pub(super) path: String,
    pub(super) at: usize,
}

impl<'t> Table<'t> {
    pub(super) fn root(table: &'t DeTable<'t>) -> Self {
        Self {
            table,
            path: String::new(),
            at: 0,
        }
    }

    pub(super) fn get(&self, key: &str) -> Option<&'t Spanned<DeValue<'t>>> {
        self.table
            .iter()
            .find(|(name, _)| name.get_ref() == key)
            .map(|(_, value)| value)
    }

    pub(super) fn has(&self, key: &str) -> bool {
        self.get(key).is_some()
    }

    pub(super) fn key(&self, key: &str) -> String {
        if self.path.is_empty() {
            key.to_owned()
        } else {
            format!("{}.{key}", self.path)
        }
    }
}

/// Reads one source.
pub(super) struct Reader<'p> {
    source: &'p Source,
    problems: &'p mut Vec<Problem>,
    told: usize,
    /// Where lines begin.
    lines: Vec<usize>,
    /// The rule that is being read.
    pub(super) rule: Option<String>,
}

impl<'p> Reader<'p> {
    pub(super) fn new(source: &'p Source, problems: &'p mut Vec<Problem>) -> Self {
        Self {
            source,
            problems,
            told: 0,
            lines: std::iter::once(0)
                .chain(source.text.match_indices('\n').map(|(at, _)| at + 1))
                .collect(),
            rule: None,
        }
    }

    pub(super) fn file(&self) -> &str {
        &self.source.name
    }

    /// How many problems there are.
    pub(super) fn problems(&self) -> usize {
        self.problems.len()
    }

    /// Line and column of a byte.
    pub(super) fn line(&self, at: usize) -> (usize, usize) {
        let at = self.source.text.floor_char_boundary(at);
        let line = self.lines.partition_point(|begin| *begin <= at).max(1);
        let column = self.source.text[self.lines[line - 1]..at].chars().count() + 1;
        (line, column)
    }

    pub(super) fn problem(&mut self, at: usize, key: &str, message: impl Into<String>, next: impl Into<String>) {
        self.told += 1;
        if self.told > MOST_PROBLEMS {
            // It counts all the same: nobody may take the rest for good.
            if self.told > MOST_PROBLEMS + 1 {
                return;
            }
        }
        let (line, column) = self.line(at);
        self.problems.push(Problem {
            file: self.source.name.clone(),
            rule: self.rule.clone(),
            key: key.to_owned(),
            line,
            column,
            message: message.into(),
            next: next.into(),
        });
    }

    pub(super) fn unknown_word(&mut self, word: &str, at: usize, key: &str, known: impl Iterator<Item = &'static str>) {
        let mut next = "take one of ".to_owned();
        for (n, word) in known.enumerate() {
            let _ = write!(next, "{}{word:?}", if n == 0 { "" } else { ", " });
        }
        self.problem(at, key, format!("{word:?} is not known here"), next);
    }

    /// Complains of other keys.
    pub(super) fn only(&mut self, table: &Table<'_>, known: &[&str]) {
        for (name, _) in table.table {
            if !known.contains(&name.get_ref().as_ref()) {
                let key = table.key(name.get_ref());
                self.problem(
                    name.span().start,
                    &key,
                    "no such key here",
                    format!("known are {}", known.join(", ")),
                );
            }
        }
    }

    fn wrong(&mut self, table: &Table<'_>, key: &str, value: &Spanned<DeValue<'_>>, wanted: &str) {
        let found = value.get_ref().type_str();
        self.problem(
            value.span().start,
            &table.key(key),
            format!("a {found}"),
            format!("write {wanted}"),
        );
    }

    pub(super) fn text(&mut self, table: &Table<'_>, key: &str) -> Option<(String, usize)> {
        let value = table.get(key)?;
        match value.get_ref() {
            DeValue::String(text) => Some((text.to_string(), value.span().start)),
            _ => {
                self.wrong(table, key, value, "a text in quotes");
                None
            }
        }
    }

    /// A text that must be there.
    pub(super) fn needed(&mut self, table: &Table<'_>, key: &str) -> Option<(String, usize)> {
        if !table.has(key) {
            self.problem(table.at, &table.key(key), "missing", format!("add `{key} = \"…\"`"));
        }
        self.text(table, key)
    }

    /// A list of texts, or one.
    pub(super) fn texts(&mut self, table: &Table<'_>, key: &str) -> Option<Vec<(String, usize)>> {
        let value = table.get(key)?;
        match value.get_ref() {
            DeValue::String(text) => Some(vec![(text.to_string(), value.span().start)]),
            DeValue::Array(items) => {
                let mut texts = Vec::with_capacity(items.len());
                for item in items.iter() {
                    match item.get_ref() {
                        DeValue::String(text) => texts.push((text.to_string(), item.span().start)),
                        _ => self.wrong(table, key, item, "a text in quotes"),
                    }
                }
                Some(texts)
            }
            _ => {
                self.wrong(table, key, value, "a list of texts, [\"…\", \"…\"]");
                None
            }
        }
    }

    pub(super) fn flag(&mut self, table: &Table<'_>, key: &str) -> Option<bool> {
        let value = table.get(key)?;
        let flag = value.get_ref().as_bool();
        if flag.is_none() {
            self.wrong(table, key, value, "true or false");
        }
        flag
    }

    pub(super) fn number(&mut self, table: &Table<'_>, key: &str) -> Option<(f64, usize)> {
        let value = table.get(key)?;
        let number = match value.get_ref() {
            DeValue::Integer(number) => number.as_str().parse().ok(),
            DeValue::Float(number) => number.as_str().parse().ok(),
            _ => None,
        };
        match number.filter(|number: &f64| number.is_finite()) {
            Some(number) => Some((number, value.span().start)),
            None => {
                self.wrong(table, key, value, "a number");
                None
            }
        }
    }

    pub(super) fn integer(&mut self, table: &Table<'_>, key: &str) -> Option<(i64, usize)> {
        let value = table.get(key)?;
        let number = value
            .get_ref()
            .as_integer()
            .and_then(|number| i64::from_str_radix(number.as_str(), number.radix()).ok());
        match number {
            Some(number) => Some((number, value.span().start)),
            None => {
                self.wrong(table, key, value, "a whole number");
                None
            }
        }
    }

    /// A whole number that is not negative.
    pub(super) fn count(&mut self, table: &Table<'_>, key: &str) -> Option<(i64, usize)> {
        let (number, at) = self.integer(table, key)?;
        if number < 0 {
            self.problem(at, &table.key(key), "a negative number", "write 0 or more");
            return None;
        }
        Some((number, at))
    }

    pub(super) fn duration(&mut self, table: &Table<'_>, key: &str) -> Option<(Duration, usize)> {
        let (text, at) = self.text(table, key)?;
        match humantime::parse_duration(&text) {
            // Ten years: what is longer is a slip.
            Ok(time) if (1..=315_360_000).contains(&time.as_secs()) => Some((time, at)),
            _ => {
                self.problem(
                    at,
                    &table.key(key),
                    format!("{text:?} is no time"),
                    "write \"10m\", \"24h\" or \"7d\"",
                );
                None
            }
        }
    }

    pub(super) fn word<T: Copy>(
        &mut self,
        table: &Table<'_>,
        key: &str,
        parse: fn(&str) -> Option<T>,
        all: &[T],
        name: fn(T) -> &'static str,
    ) -> Option<(T, usize)> {
        let (word, at) = self.text(table, key)?;
        let found = parse(&word);
        if found.is_none() {
            self.unknown_word(&word, at, &table.key(key), all.iter().map(|one| name(*one)));
        }
        found.map(|found| (found, at))
    }

    pub(super) fn domain(&mut self, text: &str, at: usize, key: &str) -> Option<Domain> {
        match Domain::parse(text.trim_start_matches("*.").trim_start_matches('.')) {
            Ok(domain) => Some(domain),
            Err(error) => {
                self.problem(
                    at,
                    key,
                    error.to_string(),
                    "write \"bad.example\": what is below it is meant, too",
                );
                None
            }
        }
    }

    pub(super) fn table<'t>(&mut self, table: &Table<'t>, key: &str) -> Option<Table<'t>> {
        let value = table.get(key)?;
        match value.get_ref() {
            DeValue::Table(inner) => Some(Table {
                table: inner,
                path: table.key(key),
                at: value.span().start,
            }),
            _ => {
                self.wrong(table, key, value, "a table");
                None
            }
        }
    }

    /// A list of tables, or one.
    pub(super) fn tables<'t>(&mut self, table: &Table<'t>, key: &str) -> Vec<Table<'t>> {
        let Some(value) = table.get(key) else { return Vec::new() };
        let items: Vec<&'t Spanned<DeValue<'t>>> = match value.get_ref() {
            DeValue::Array(items) => items.iter().collect(),
            _ => vec![value],
        };
        let mut tables = Vec::with_capacity(items.len());
        for item in items {
            match item.get_ref() {
                DeValue::Table(inner) => tables.push(Table {
                    table: inner,
                    path: table.key(key),
                    at: item.span().start,
                }),
                _ => self.wrong(table, key, item, "a table"),
            }
        }
        tables
    }
}
