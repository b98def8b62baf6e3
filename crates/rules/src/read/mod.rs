//! Reads rules from TOML, and says of everything that is wrong what and where it is and what to do.

mod condition;
mod table;
mod texts;

use std::{
    collections::{BTreeMap, BTreeSet},
    time::Duration,
};

use model::Domain;
use toml::de::DeTable;

use crate::{Action, Category, Exemptions, Problem, Rule, Scope, Scoring, State};
use table::{Reader, Table};

/// Longest source, in bytes.
const LONGEST: usize = 8 << 20;
/// Most rules of a set.
pub(crate) const MOST_RULES: usize = 50_000;

/// Rules as they lie in a file.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Source {
    /// The file's name, for people.
    pub name: String,
    /// TOML.
    pub text: String,
}

impl Source {
    /// A source.
    pub fn new(name: impl Into<String>, text: impl Into<String>) -> Self {
        Self {
            name: name.into(),
            text: text.into(),
        }
    }
}

/// What sources say, read but not made ready.
#[derive(Debug, Default)]
pub(crate) struct Read {
    pub(crate) rules: Vec<Rule>,
    pub(crate) scoring: Scoring,
    pub(crate) exempt: Exemptions,
    pub(crate) sets: BTreeMap<String, BTreeSet<Domain>>,
    pub(crate) lists: BTreeMap<String, Vec<String>>,
}

/// Reads all sources. What could be read is there even when there are problems.
pub(crate) fn read(sources: &[Source]) -> (Read, Vec<Problem>) {
    let mut all = Read {
        exempt: Exemptions {
            staff: true,
            ..Exemptions::default()
        },
        ..Read::default()
    };
    let mut problems = Vec::new();
    let mut seen = Seen::default();
    let parsed: Vec<(&Source, _)> = sources
        .iter()
        .filter_map(|source| {
            let mut reader = Reader::new(source, &mut problems);
            if source.text.len() > LONGEST {
                reader.problem(
                    0,
                    "",
                    format!("longer than {LONGEST} bytes"),
                    "put the rules in several files",
                );
                return None;
            }
            match DeTable::parse(&source.text) {
                Ok(table) => Some((source, table)),
                Err(error) => {
                    let at = error.span().map_or(0, |span| span.start);
                    reader.problem(at, "", format!("no TOML: {}", error.message()), "mend the line");
                    None
                }
            }
        })
        .collect();
    // Lists first: rules of other files may name them.
    for (source, table) in &parsed {
        let mut reader = Reader::new(source, &mut problems);
        reader.only(
            &Table::root(table.get_ref()),
            &["rules", "scoring", "exempt", "sets", "lists"],
        );
        named_lists(&mut reader, &Table::root(table.get_ref()), &mut all);
    }
    for (source, table) in &parsed {
        let mut reader = Reader::new(source, &mut problems);
        let root = Table::root(table.get_ref());
        if let Some(table) = reader.table(&root, "scoring") {
            if seen.scoring {
                reader.problem(table.at, "scoring", "there is another one", "keep one for all files");
            }
            seen.scoring = true;
            all.scoring = scoring(&mut reader, &table);
        }
        if let Some(table) = reader.table(&root, "exempt") {
            if seen.exempt {
                reader.problem(table.at, "exempt", "there is another one", "keep one for all files");
            }
            seen.exempt = true;
            all.exempt = exemptions(&mut reader, &table, true);
        }
        for (number, mut table) in reader.tables(&root, "rules").into_iter().enumerate() {
            // Keys of a rule are told as they are written in it.
            table.path.clear();
            if all.rules.len() >= MOST_RULES {
                reader.problem(
                    table.at,
                    "rules",
                    format!("more than {MOST_RULES} rules"),
                    "join some into one with a longer list",
                );
                break;
            }
            reader.rule = Some(format!("number {}", number + 1));
            if let Some(rule) = rule(&mut reader, &table, &all, &mut seen) {
                all.rules.push(rule);
            }
            reader.rule = None;
        }
    }
    (all, problems)
}

#[derive(Default)]
struct Seen {
    ids: BTreeSet<String>,
    names: BTreeSet<String>,
    scoring: bool,
    exempt: bool,
}

fn named_lists(reader: &mut Reader<'_>, root: &Table<'_>, all: &mut Read) {
    for table in reader.tables(root, "sets") {
        reader.only(&table, &["name", "domains"]);
        let (Some(name), Some(names)) = (reader.needed(&table, "name"), reader.texts(&table, "domains")) else {
            continue;
        };
        let names = names
            .iter()
            .filter_map(|(text, at)| reader.domain(text, *at, "domains"));
        let names: BTreeSet<Domain> = names.collect();
        if all.sets.insert(name.0.clone(), names).is_some() {
            reader.problem(
                name.1,
                "name",
                format!("there are two sets named {:?}", name.0),
                "give each a name of its own",
            );
        }
    }
    for table in reader.tables(root, "lists") {
        reader.only(&table, &["name", "words"]);
        let (Some(name), Some(words)) = (reader.needed(&table, "name"), reader.texts(&table, "words")) else {
            continue;
        };
        let words = words.into_iter().map(|(word, _)| word).collect();
        if all.lists.insert(name.0.clone(), words).is_some() {
            reader.problem(
                name.1,
                "name",
                format!("there are two lists named {:?}", name.0),
                "give each a name of its own",
            );
        }
    }
}

fn scoring(reader: &mut Reader<'_>, table: &Table<'_>) -> Scoring {
    reader.only(table, &["threshold", "window"]);
    let mut scoring = Scoring::default();
    if let Some((threshold, at)) = reader.number(table, "threshold") {
        if threshold > 0.0 && threshold <= 1000.0 {
            scoring.threshold = threshold;
        } else {
            reader.problem(
                at,
                "threshold",
                "not between 0 and 1000",
                "1.0 is what weights are usually made for",
            );
        }
    }
    if let Some((window, _)) = reader.duration(table, "window") {
        scoring.window = window;
    }
    scoring
}

fn exemptions(reader: &mut Reader<'_>, table: &Table<'_>, staff: bool) -> Exemptions {
    reader.only(
        table,
        &[
            "staff",
            "followed",
            "follows",
            "accounts",
            "domains",
            "roles",
            "older_than_days",
        ],
    );
    let domains = reader.texts(table, "domains").unwrap_or_default();
    let domains = domains
        .iter()
        .filter_map(|(text, at)| reader.domain(text, *at, "domains"))
        .collect();
    let accounts = reader.texts(table, "accounts").unwrap_or_default();
    Exemptions {
        staff: reader.flag(table, "staff").unwrap_or(staff),
        followed: reader.flag(table, "followed").unwrap_or(false),
        follows: reader.flag(table, "follows").unwrap_or(false),
        accounts: accounts
            .iter()
            .map(|(text, _)| text.trim().trim_start_matches('@').to_lowercase())
            .collect(),
        domains,
        roles: reader
            .texts(table, "roles")
            .unwrap_or_default()
            .into_iter()
            .map(|(text, _)| text)
            .collect(),
        older_than_days: reader
            .count(table, "older_than_days")
            .and_then(|(days, _)| u32::try_from(days).ok()),
    }
}

/// The keys of a rule.
const RULE: [&str; 23] = [
    "id",
    "name",
    "description",
    "state",
    "weight",
    "most",
    "category",
    "server_rules",
    "action",
    "allow",
    "undo_after",
    "tell",
    "may_resolve_reports",
    "without_statuses",
    "scope",
    "private",
    "exempt",
    "when",
    "unless",
    "created",
    "author",
    "source",
    "tags",
];

fn rule(reader: &mut Reader<'_>, table: &Table<'_>, all: &Read, seen: &mut Seen) -> Option<Rule> {
    let problems = reader.problems();
    let (id, id_at) = reader.needed(table, "id")?;
    reader.rule = Some(id.clone());
    let is_plain = |c: char| c.is_ascii_lowercase() || c.is_ascii_digit() || c == '-' || c == '_';
    if id.is_empty() || id.len() > 60 || !id.chars().all(is_plain) {
        reader.problem(
            id_at,
            "id",
            format!("{id:?} is no id"),
            "take up to 60 of a-z, 0-9, - and _, like \"casino-links\"",
        );
    }
    if !seen.ids.insert(id.clone()) {
        reader.problem(
            id_at,
            "id",
            format!("there are two rules with the id {id:?}"),
            "ids are unique over all files",
        );
    }
    let (name, name_at) = reader.text(table, "name").unwrap_or_else(|| (id.clone(), id_at));
    if name.trim().is_empty() || name.chars().count() > 120 {
        reader.problem(
            name_at,
            "name",
            "empty or longer than 120 letters",
            "say in a few words what it finds",
        );
    }
    if !seen.names.insert(name.to_lowercase()) {
        reader.problem(
            name_at,
            "name",
            format!("there are two rules named {name:?}"),
            "names are unique over all files",
        );
    }
    reader.only(table, &RULE);
    let state = reader.word(table, "state", State::parse, State::ALL, State::name);
    let category = reader.word(table, "category", Category::parse, Category::ALL, Category::name);
    let action = reader
        .word(table, "action", Action::parse, Action::ALL, Action::name)
        .map_or(Action::Report, |a| a.0);
    let scope = reader.word(table, "scope", Scope::parse, Scope::ALL, Scope::name);
    let weight = match reader.number(table, "weight") {
        None => 1.0,
        Some((weight, _)) if weight > 0.0 && weight <= 1000.0 => weight,
        Some((_, at)) => {
            reader.problem(
                at,
                "weight",
                "not above 0 and up to 1000",
                "1.0 reaches the usual threshold alone",
            );
            1.0
        }
    };
    let most = match reader.count(table, "most") {
        None => 1,
        Some((most, _)) if (1..=1000).contains(&most) => u32::try_from(most).unwrap_or(1),
        Some((_, at)) => {
            reader.problem(
                at,
                "most",
                "not between 1 and 1000",
                "it is how many hits of the rule count per account",
            );
            1
        }
    };
    let server_rules: Vec<String> = reader
        .texts(table, "server_rules")
        .unwrap_or_default()
        .into_iter()
        .map(|t| t.0)
        .collect();
    let category = match category {
        Some((Category::Violation, at)) if server_rules.is_empty() => {
            reader.problem(
                at,
                "category",
                "a violation without `server_rules` is refused by servers",
                "name the ids of the server's rules that are broken, or take another category",
            );
            Category::Violation
        }
        Some((category, _)) => category,
        None if server_rules.is_empty() => Category::Spam,
        None => Category::Violation,
    };
    let allow = allowed(reader, table);
    let tell = reader.text(table, "tell").map(|t| t.0).unwrap_or_default();
    if tell.chars().count() > 500 {
        reader.problem(table.at, "tell", "longer than 500 letters", "say it shorter");
    }
    let undo_after = reader.duration(table, "undo_after");
    if let Some((_, at)) = undo_after
        && !matches!(
            action,
            Action::Sensitive | Action::Disable | Action::Silence | Action::Suspend
        )
    {
        reader.problem(
            at,
            "undo_after",
            format!("`{}` cannot be taken back", action.name()),
            "leave it out",
        );
    }
    let exempt = reader.table(table, "exempt");
    let exempt = exempt.map_or_else(Exemptions::default, |table| exemptions(reader, &table, false));
    let when = condition::of_rule(reader, table, all);
    let rule = Rule {
        id,
        name,
        description: reader.text(table, "description").map(|t| t.0).unwrap_or_default(),
        state: state.map_or(State::Shadow, |s| s.0),
        weight,
        most,
        category,
        server_rules,
        action,
        allow,
        undo_after: undo_after.map(|(after, _): (Duration, usize)| after),
        tell,
        may_resolve_reports: reader.flag(table, "may_resolve_reports").unwrap_or(false),
        without_statuses: reader.flag(table, "without_statuses").unwrap_or(false),
        scope: scope.map_or(Scope::Status, |s| s.0),
        private: reader.flag(table, "private").unwrap_or(false),
        exempt,
        file: reader.file().to_owned(),
        line: reader.line(table.at).0,
        when: when?,
    };
    (reader.problems() == problems).then_some(rule)
}

fn allowed(reader: &mut Reader<'_>, table: &Table<'_>) -> Vec<Action> {
    let mut allow = Vec::new();
    for (word, at) in reader.texts(table, "allow").unwrap_or_default() {
        match Action::parse(&word) {
            Some(action) => allow.push(action),
            None => reader.unknown_word(&word, at, "allow", Action::ALL.iter().map(|a| a.name())),
        }
    }
    allow.sort_unstable();
    allow.dedup();
    allow
}
