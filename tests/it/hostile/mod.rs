//! A function for each kind of thing that comes from outside. Each takes any bytes, and panics when what reads them is
//! wrong about them: not when it refuses them.

mod archives;
mod config;
mod entities;
mod headers;
mod lists;
mod names;
mod notes;
mod queries;
mod rules;
mod tables;

/// Reads bytes.
pub type Target = fn(&[u8]);

/// All of them, by the name of their folder in `fuzz/corpus`.
pub const TARGETS: [(&str, Target); 10] = [
    ("archives", archives::read),
    ("config", config::read),
    ("entities", entities::read),
    ("headers", headers::read),
    ("lists", lists::read),
    ("names", names::read),
    ("notes", notes::read),
    ("queries", queries::read),
    ("rules", rules::read),
    ("tables", tables::read),
];

/// Runs one of them.
///
/// # Panics
/// When there is none of that name, and when it found something.
pub fn run(name: &str, data: &[u8]) {
    let target = TARGETS.iter().find(|(known, _)| *known == name);
    let (_, read) = target.unwrap_or_else(|| panic!("no target is called {name}"));
    read(data);
}

/// The first byte chooses, the rest is text.
fn choice(data: &[u8]) -> Option<(u8, &str)> {
    let (first, rest) = data.split_first()?;
    Some((*first, std::str::from_utf8(rest).ok()?))
}
