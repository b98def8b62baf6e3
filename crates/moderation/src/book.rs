//! The rules in place: read from a folder and from people, kept in versions, compiled once for as long as nothing changes.
//!
//! A version is never edited, a change is the next one, and a rollback is a change as well. Whether a rule counts is kept
//! beside it, by its text: a rule that was written anew begins in shadow.

use std::{
    collections::BTreeMap,
    path::Path,
    sync::{Arc, Mutex, PoisonError},
};

use chrono::{DateTime, Utc};
use model::{Clock, Domain};
use rules::{Problem, Rule, Ruleset, Sets, Source, State};
use serde::{Deserialize, Serialize};
use serde_json::json;
use sha2::{Digest as _, Sha256};
use store::{
    Db,
    cases::Line,
    cursors,
    rulesets::{self, Standing, StoredRuleset},
};

use crate::{Config, FEATURE};

/// Where the state of the folder stands that was last taken in.
const FOLDER: (&str, &str) = ("moderation.rules", "folder");

/// Who changed rules when it was the folder.
const FILES: &str = "files";

/// Files read from a folder.
const MOST_FILES: usize = 500;

/// A page of rules: a file, or what somebody wrote on the page.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Page {
    /// `spam.toml`.
    pub name: String,
    /// TOML.
    pub text: String,
}

/// Why rules were not put in place.
#[derive(Debug, thiserror::Error)]
pub enum BookError {
    /// The store.
    #[error(transparent)]
    Store(#[from] store::Error),
    /// They are no good rules.
    #[error("{}", .0.iter().map(ToString::to_string).collect::<Vec<_>>().join("; "))]
    Problems(Vec<Problem>),
    /// Somebody else changed them meanwhile.
    #[error("somebody else changed the rules meanwhile; look at them anew")]
    Changed,
    /// There is no such rule or version.
    #[error("there is no {0}")]
    Missing(String),
    /// It was never tried on what was seen.
    #[error("the rule {0} was not tried on what was seen; run a backtest, or say why it need not be")]
    Untried(String),
    /// The folder.
    #[error("cannot read {path}: {source}")]
    Folder {
        /// Which.
        path: String,
        /// Why.
        source: std::io::Error,
    },
}

/// The rules as they hold.
#[derive(Debug)]
pub(crate) struct Effective {
    /// The version; 0 while there are none.
    pub(crate) version: i64,
    /// Ready to judge.
    pub(crate) ruleset: Ruleset,
    /// What was said of each rule as it is written now, by id.
    pub(crate) standings: BTreeMap<String, Standing>,
    /// Why they cannot be used, where they cannot.
    pub(crate) broken: Option<String>,
}

impl Effective {
    /// How far a rule is trusted: what its text was granted. What a file says of itself can only ask for less.
    pub(crate) fn standing(&self, id: &str) -> State {
        self.ruleset.rule(id).map_or(State::Off, |(_, state)| state)
    }

    /// A rule by its id.
    pub(crate) fn rule(&self, id: &str) -> Option<&Rule> {
        self.ruleset.rule(id).map(|(rule, _)| rule)
    }

    /// Names of all rules by id.
    pub(crate) fn names(&self) -> Vec<(String, String)> {
        let names = self.ruleset.rules();
        names.map(|(rule, _)| (rule.id.clone(), rule.name.clone())).collect()
    }
}

/// What was said of a rule in its present text.
fn standing_of<'a>(standings: &'a [Standing], id: &str, digest: &str) -> Option<&'a Standing> {
    standings.iter().find(|said| said.name == id && said.digest == digest)
}

/// The rules in place, compiled once for as long as none of them changes.
#[derive(Debug, Default)]
pub(crate) struct Book {
    cache: Mutex<Option<(Stamp, Arc<Effective>)>>,
    /// What the folder held that was refused, beside which rules and lists, and why: it is not tried again for each status.
    refused: Mutex<Option<(String, Stamp, Vec<Problem>)>>,
}

/// What rules are made of: their version, when somebody last said something of one, and the lists that they may ask for.
type Stamp = ((i64, Option<DateTime<Utc>>), Vec<(String, String)>);

impl Book {
    /// The rules as they hold now. What the folder holds is taken in first, if it changed.
    ///
    /// # Errors
    /// When the store cannot be read. A folder that cannot be read, or holds rules that are none, leaves the old ones in
    /// place and is told of.
    pub(crate) async fn now(
        &self,
        db: &Db,
        clock: &dyn Clock,
        config: &Config,
    ) -> Result<Arc<Effective>, store::Error> {
        if let Some(folder) = &config.rules
            && let Err(error) = self.take_in(db, clock, folder).await
        {
            if let BookError::Store(error) = error {
                return Err(error);
            }
            let text = format!(
                "the rules in {} are not taken in, the old ones stay: {error}",
                folder.display()
            );
            tell(db, clock, "folder", &text).await;
        }
        // A list that was read anew is in the rules from the next judgement on.
        let stamp = stamp(db).await?;
        if let Some((known, effective)) = &*self.cache()
            && *known == stamp
        {
            return Ok(Arc::clone(effective));
        }
        let effective = Arc::new(load(db).await?);
        if let Some(why) = &effective.broken {
            let text = format!("the rules in place cannot be used, and nobody is judged: {why}");
            tell(db, clock, "place", &text).await;
        }
        *self.cache() = Some((stamp, Arc::clone(&effective)));
        Ok(effective)
    }

    fn cache(&self) -> std::sync::MutexGuard<'_, Option<(Stamp, Arc<Effective>)>> {
        self.cache.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn refused(&self) -> std::sync::MutexGuard<'_, Option<(String, Stamp, Vec<Problem>)>> {
        self.refused.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Takes the folder in, if it changed since it last was: its files take the place of pages of the same names, and those
    /// that are gone go.
    async fn take_in(&self, db: &Db, clock: &dyn Clock, folder: &Path) -> Result<(), BookError> {
        let path = folder.to_owned();
        let read = tokio::task::spawn_blocking(move || read_folder(&path)).await;
        let files = match read {
            Ok(files) => files.map_err(|source| BookError::Folder {
                path: folder.display().to_string(),
                source,
            })?,
            Err(_) => return Ok(()),
        };
        let taken: Taken = cursors::load(db, FOLDER.0, FOLDER.1)
            .await?
            .and_then(|text| serde_json::from_str(&text).ok())
            .unwrap_or_default();
        let digest = hash(&serde_json::to_string(&files).unwrap_or_default());
        if taken.digest == digest {
            return Ok(());
        }
        let beside = stamp(db).await?;
        if let Some((refused, known, problems)) = &*self.refused()
            && (refused, known) == (&digest, &beside)
        {
            return Err(BookError::Problems(problems.clone()));
        }
        let stored = rulesets::newest(db).await?;
        let version = stored.as_ref().map_or(0, |stored| stored.version);
        let mut pages = stored.as_ref().map(pages_of).unwrap_or_default();
        pages.retain(|page| !taken.names.contains(&page.name) && !files.iter().any(|file| file.name == page.name));
        let names = files.iter().map(|file| file.name.clone()).collect();
        pages.extend(files);
        let now = clock.now();
        if !(version == 0 && pages.is_empty()) {
            let put = put(db, version, pages, "the folder changed", FILES, now).await;
            if let Err(BookError::Problems(problems)) = &put {
                *self.refused() = Some((digest.clone(), beside, problems.clone()));
            }
            put?;
        }
        let taken = serde_json::to_string(&Taken { digest, names }).unwrap_or_default();
        cursors::save(db, FOLDER.0, FOLDER.1, &taken, now).await?;
        Ok(())
    }
}

async fn stamp(db: &Db) -> Result<Stamp, store::Error> {
    Ok((rulesets::stamp(db).await?, store::block_sources::stamp(db).await?))
}

/// Keeps a notice about rules that are not in place.
async fn tell(db: &Db, clock: &dyn Clock, about: &str, text: &str) {
    let news = job::News {
        feature: FEATURE,
        kind: "rules",
        about,
        severity: store::notices::Severity::Error,
        text,
    };
    job::tell(db, clock, news).await;
}

/// The rules of the newest version, which this program may not be able to read any more.
async fn load(db: &Db) -> Result<Effective, store::Error> {
    let stored = rulesets::newest(db).await?;
    let standings = rulesets::standings(db).await?;
    let (version, pages) = match stored {
        Some(stored) => (stored.version, pages_of(&stored)),
        None => (0, Vec::new()),
    };
    let (ruleset, broken) = match compile(db, &pages).await {
        Ok(ruleset) => (ruleset, None),
        Err(BookError::Store(error)) => return Err(error),
        Err(error) => (Ruleset::empty(), Some(error.to_string())),
    };
    let digests = digests(&pages);
    let standings: BTreeMap<String, Standing> = digests
        .iter()
        .filter_map(|(id, digest)| Some((id.clone(), standing_of(&standings, id, digest)?.clone())))
        .collect();
    let states = ruleset.rules().map(|(rule, _)| {
        let said = standings.get(&rule.id).and_then(|said| State::parse(&said.standing));
        let state = match (rule.state, said) {
            (State::Off, _) | (_, Some(State::Off)) => State::Off,
            (_, Some(State::Live)) => State::Live,
            _ => State::Shadow,
        };
        (rule.id.clone(), state)
    });
    let states = states.collect();
    Ok(Effective {
        version,
        standings,
        ruleset: ruleset.with_states(&states),
        broken,
    })
}

/// Makes pages ready to judge, with the lists of domains that are subscribed to.
///
/// # Errors
/// Everything that is wrong with them.
pub async fn compile(db: &Db, pages: &[Page]) -> Result<Ruleset, BookError> {
    let sets = sets(db).await?;
    let sources: Vec<Source> = pages.iter().map(|page| Source::new(&page.name, &page.text)).collect();
    match tokio::task::spawn_blocking(move || Ruleset::compile(&sources, &sets)).await {
        Ok(compiled) => compiled.map_err(BookError::Problems),
        Err(error) => Err(BookError::Missing(format!("way to make the rules ready: {error}"))),
    }
}

/// Blocklists that are subscribed to, by name: what rules may ask for as a set of domains.
async fn sets(db: &Db) -> Result<Sets, store::Error> {
    let mut sets = Sets::default();
    for source in store::block_sources::list(db).await? {
        match &source.body {
            Some(body) => sets.insert(&source.name, domains(body)),
            None => sets.declare(&source.name),
        }
    }
    Ok(sets)
}

/// The domains of a list, whatever its columns: each stands first on its line.
fn domains(body: &str) -> Vec<Domain> {
    body.lines()
        .filter_map(|line| line.split([',', '\t', ' ']).next())
        .map(|cell| cell.trim_matches(['"', '\'', '\u{feff}']))
        .filter(|cell| cell.contains('.') && !cell.starts_with('#'))
        .filter_map(|cell| Domain::parse(cell).ok())
        .collect()
}

/// The pages of a stored version.
pub fn pages_of(stored: &StoredRuleset) -> Vec<Page> {
    serde_json::from_str(&stored.rules).unwrap_or_default()
}

/// A hash of each rule as it is written, by id, without the state: asking for less is no other rule.
pub fn digests(pages: &[Page]) -> BTreeMap<String, String> {
    let digest = |(id, mut rule): (String, toml::Table)| {
        rule.remove("state");
        (id, hash(&toml::to_string(&rule).unwrap_or_default()))
    };
    written(pages).map(digest).collect()
}

/// Names of the rules in place by id, read without making them ready to judge.
pub(crate) async fn names(db: &Db) -> Result<Vec<(String, String)>, store::Error> {
    let pages = rulesets::newest(db).await?.as_ref().map(pages_of).unwrap_or_default();
    let name = |(id, rule): (String, toml::Table)| {
        let name = rule.get("name").and_then(toml::Value::as_str).unwrap_or(&id);
        (id.clone(), name.to_owned())
    };
    Ok(written(&pages).map(name).collect())
}

/// The rules of pages as they are written, with their ids.
fn written(pages: &[Page]) -> impl Iterator<Item = (String, toml::Table)> {
    let roots = pages
        .iter()
        .filter_map(|page| toml::from_str::<toml::Table>(&page.text).ok());
    let rules = roots.flat_map(|mut root| match root.remove("rules") {
        Some(toml::Value::Array(rules)) => rules,
        _ => Vec::new(),
    });
    rules.filter_map(|rule| match rule {
        toml::Value::Table(rule) => Some((rule.get("id")?.as_str()?.to_owned(), rule)),
        _ => None,
    })
}

pub(crate) fn hash(text: &str) -> String {
    Sha256::digest(text.as_bytes())
        .iter()
        .take(16)
        .map(|byte| format!("{byte:02x}"))
        .collect()
}

/// A change somebody makes on the page, by the API or with a command.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Edit {
    /// Which page of rules; a new one is added.
    pub name: String,
    /// Its new text; `None` takes it away.
    pub text: Option<String>,
    /// What changed, for people.
    pub note: String,
    /// Who.
    pub by: String,
    /// The version they looked at.
    pub after: i64,
}

/// Puts a change in place as the next version, with the same checks wherever it comes from. Gives the version; that of
/// before when nothing changed.
///
/// # Errors
/// When it cannot be, and nothing changed.
pub async fn edit(db: &Db, edit: Edit, now: DateTime<Utc>) -> Result<i64, BookError> {
    let stored = rulesets::newest(db).await?;
    let version = stored.as_ref().map_or(0, |stored| stored.version);
    if version != edit.after {
        return Err(BookError::Changed);
    }
    let mut pages = stored.as_ref().map(pages_of).unwrap_or_default();
    pages.retain(|page| page.name != edit.name);
    if let Some(text) = edit.text {
        pages.push(Page {
            name: edit.name.clone(),
            text,
        });
    }
    put(db, version, pages, &edit.note, &edit.by, now).await
}

/// Puts the rules of an older version in place again, as the next version.
///
/// # Errors
/// When it cannot be, and nothing changed.
pub async fn rollback(db: &Db, to: i64, by: &str, now: DateTime<Utc>) -> Result<i64, BookError> {
    let newest = rulesets::newest(db).await?.map_or(0, |stored| stored.version);
    let old = rulesets::load(db, to).await?;
    let old = old.ok_or_else(|| BookError::Missing(format!("version {to}")))?;
    put(db, newest, pages_of(&old), &format!("back to version {to}"), by, now).await
}

async fn put(
    db: &Db,
    after: i64,
    mut pages: Vec<Page>,
    note: &str,
    by: &str,
    now: DateTime<Utc>,
) -> Result<i64, BookError> {
    pages.sort_by(|a, b| a.name.cmp(&b.name));
    compile(db, &pages).await?;
    let text = serde_json::to_string(&pages).unwrap_or_default();
    let digest = hash(&text);
    if let Some(newest) = rulesets::newest(db).await?
        && newest.digest == digest
    {
        return Ok(newest.version);
    }
    let stored = StoredRuleset {
        version: after + 1,
        digest,
        rules: text,
        note: note.to_owned(),
        by: by.to_owned(),
        at: now,
    };
    let detail = json!({ "version": after + 1, "note": note, "rules": digests(&pages).len() });
    let line = Line::new(None, "rules", by, detail, now);
    rulesets::save(db, after, &stored, &line)
        .await?
        .ok_or(BookError::Changed)
}

/// What the folder held when it was last taken in.
#[derive(Debug, Default, Serialize, Deserialize)]
struct Taken {
    digest: String,
    names: Vec<String>,
}

fn read_folder(folder: &Path) -> std::io::Result<Vec<Page>> {
    let mut pages = Vec::new();
    for entry in std::fs::read_dir(folder)? {
        let path = entry?.path();
        if path.extension().is_none_or(|ending| ending != "toml") || pages.len() >= MOST_FILES {
            continue;
        }
        let Some(name) = path.file_name().and_then(|name| name.to_str()) else {
            continue;
        };
        pages.push(Page {
            name: name.to_owned(),
            text: std::fs::read_to_string(&path)?,
        });
    }
    pages.sort_by(|a, b| a.name.cmp(&b.name));
    Ok(pages)
}

/// Says how far a rule is trusted as it is written now. Live it goes only with a backtest of this very text, or with a
/// reason that is kept.
///
/// # Errors
/// [`BookError::Untried`] without either; [`BookError::Missing`] where there is no such rule.
pub async fn stand(
    db: &Db,
    needs_backtest: bool,
    id: &str,
    wish: State,
    by: &str,
    why: &str,
    now: DateTime<Utc>,
) -> Result<Standing, BookError> {
    let stored = rulesets::newest(db).await?;
    let pages = stored.as_ref().map(pages_of).unwrap_or_default();
    let digest = digests(&pages)
        .remove(id)
        .ok_or_else(|| BookError::Missing(format!("rule {id:?}")))?;
    let tried = rulesets::backtests(db, 500)
        .await?
        .into_iter()
        .find(|test| test.state == "done" && test.digests.get(id).and_then(serde_json::Value::as_str) == Some(&digest));
    let why = match (wish, &tried) {
        (State::Live, None) if !why.is_empty() => format!("without a backtest: {why}"),
        (State::Live, None) if needs_backtest => return Err(BookError::Untried(id.to_owned())),
        (State::Live, Some(_)) if why.is_empty() => "tried on what was seen".to_owned(),
        _ => why.to_owned(),
    };
    let standing = Standing {
        name: id.to_owned(),
        digest,
        standing: wish.name().to_owned(),
        why,
        backtest: tried.filter(|_| wish == State::Live).map(|test| test.id),
        by: by.to_owned(),
        at: now,
    };
    let detail = json!({
        "rule": id, "standing": standing.standing, "why": standing.why, "backtest": standing.backtest,
        "override": wish == State::Live && standing.backtest.is_none(),
    });
    rulesets::set_standing(db, &standing, &Line::new(None, "standing", by, detail, now)).await?;
    Ok(standing)
}
