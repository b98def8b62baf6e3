//! Literals of which a text must hold one before a pattern can match it, so that one search for all literals of all
//! rules says which patterns are worth a try.

use std::collections::BTreeSet;

use regex_syntax::hir::{Class, Hir, HirKind};

/// Shortest literal worth looking for, in bytes.
const SHORTEST: usize = 3;
/// Most literals of one pattern.
const MOST: usize = 64;

/// Literals that are in nearly every text with a link, and so tell nothing.
const COMMON: [&str; 8] = ["http", "https", "http://", "https://", "www.", ".com", "://", "the"];

/// Literals in lower case of which any match holds one; `None` when there are none worth looking for.
pub(crate) fn literals(hir: &Hir) -> Option<Vec<String>> {
    let best = match read(hir) {
        Found::Exact(all) | Found::Many(all) => Some(all),
        Found::Part(best) => best,
    };
    best.filter(is_useful).map(|all| all.into_iter().collect())
}

type Set = BTreeSet<String>;

enum Found {
    /// Whatever matches is one of these, in lower case.
    Exact(Set),
    /// Whatever matches is several of these in a row.
    Many(Set),
    /// Whatever matches holds one of these, if there are any.
    Part(Option<Set>),
}

fn is_useful(set: &Set) -> bool {
    !set.is_empty() && set.len() <= MOST && set.iter().all(|one| one.len() >= SHORTEST)
}

/// How much a set tells: the shortest of its literals says how often texts hold one by chance.
fn worth(set: &Set) -> usize {
    if !is_useful(set) {
        return 0;
    }
    let shortest = set.iter().map(String::len).min().unwrap_or(0);
    let is_common = set.iter().any(|one| COMMON.contains(&one.as_str()));
    if is_common {
        1
    } else {
        shortest * 100 + 64 - set.len().min(64)
    }
}

fn better(a: Option<Set>, b: Option<Set>) -> Option<Set> {
    match (a, b) {
        (Some(a), Some(b)) => Some(if worth(&b) > worth(&a) { b } else { a }),
        (a, b) => a.or(b),
    }
}

fn empty() -> Found {
    Found::Exact(Set::from([String::new()]))
}

fn read(hir: &Hir) -> Found {
    match hir.kind() {
        HirKind::Empty | HirKind::Look(_) => empty(),
        HirKind::Literal(literal) => match std::str::from_utf8(&literal.0) {
            Ok(text) => Found::Exact(Set::from([text.to_lowercase()])),
            Err(_) => Found::Part(None),
        },
        HirKind::Class(class) => letters(class).map_or(Found::Part(None), Found::Exact),
        HirKind::Capture(capture) => read(&capture.sub),
        HirKind::Repetition(repetition) => {
            if repetition.min == 0 {
                return match (repetition.max, read(&repetition.sub)) {
                    (Some(1), Found::Exact(mut all)) if all.len() < MOST => {
                        all.insert(String::new());
                        Found::Exact(all)
                    }
                    _ => Found::Part(None),
                };
            }
            match read(&repetition.sub) {
                Found::Exact(all) if repetition.min == 1 && repetition.max == Some(1) => Found::Exact(all),
                Found::Exact(all) => Found::Many(all),
                part => part,
            }
        }
        HirKind::Concat(parts) => concat(parts),
        HirKind::Alternation(parts) => {
            let (mut all, mut exact, mut each) = (Set::new(), true, true);
            for one in parts.iter().map(read) {
                match one {
                    Found::Exact(set) => all.extend(set),
                    Found::Many(set) | Found::Part(Some(set)) => {
                        exact = false;
                        all.extend(set);
                    }
                    Found::Part(None) => (exact, each) = (false, false),
                }
            }
            if exact && all.len() <= MOST {
                Found::Exact(all)
            } else {
                Found::Part(Some(all).filter(|all| each && is_useful(all)))
            }
        }
    }
}

/// Neighbours that are known exactly are joined; of all such runs and of the parts between, the best counts.
fn concat(parts: &[Hir]) -> Found {
    let mut best = None;
    let mut run = Set::from([String::new()]);
    let mut whole = true;
    for part in parts.iter().map(read) {
        match part {
            Found::Exact(all) if run.len().saturating_mul(all.len()) <= MOST => {
                run = joined(&run, &all);
            }
            Found::Exact(all) => {
                whole = false;
                best = better(best, Some(std::mem::replace(&mut run, all)).filter(is_useful));
            }
            Found::Many(all) => {
                whole = false;
                if run.len().saturating_mul(all.len()) <= MOST {
                    run = joined(&run, &all);
                }
                best = better(best, Some(std::mem::replace(&mut run, all)).filter(is_useful));
            }
            Found::Part(some) => {
                whole = false;
                best = better(
                    best,
                    Some(std::mem::replace(&mut run, Set::from([String::new()]))).filter(is_useful),
                );
                best = better(best, some);
            }
        }
    }
    if whole {
        return Found::Exact(run);
    }
    Found::Part(better(best, Some(run).filter(is_useful)))
}

fn joined(heads: &Set, tails: &Set) -> Set {
    let all = heads
        .iter()
        .flat_map(|head| tails.iter().map(move |tail| format!("{head}{tail}")));
    all.collect()
}

/// The letters of a small class, in lower case.
fn letters(class: &Class) -> Option<Set> {
    let Class::Unicode(class) = class else { return None };
    let many: u32 = class
        .ranges()
        .iter()
        .map(|range| u32::from(range.end()) - u32::from(range.start()) + 1)
        .fold(0, u32::saturating_add);
    if many > 8 {
        return None;
    }
    let all = class.ranges().iter().flat_map(|range| range.start()..=range.end());
    Some(all.map(|c| c.to_lowercase().collect()).collect())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn of(pattern: &str) -> Option<Vec<String>> {
        literals(&crate::pattern::structure(pattern).unwrap())
    }

    #[test]
    fn the_best_literals_are_found() {
        for (pattern, wanted) in [
            (r"\bCasino\b", &["casino"][..]),
            (r"https?://\S*casino\S*", &["casino"]),
            (r"(?:bingo|poker)\s+now", &["bingo", "poker"]),
            (r"buy\s+(cheap|fake)\s+followers", &["followers"]),
            (r"[bd]og+s", &["bog", "dog"]),
            (r"(spam)+", &["spam"]),
            (r"free(bie)?x", &["freebiex", "freex"]),
        ] {
            assert_eq!(of(pattern).unwrap(), wanted, "{pattern}");
        }
        for pattern in [r"\w+@\w+", r"a|bcd", r"\d{4}", r"(casino)?x"] {
            assert_eq!(of(pattern), None, "{pattern}");
        }
    }
}
