//! Blocklists.

use blocklists::{
    guard::Guard,
    list::{Format, Parsed, Reading, parse},
    merge::{Merging, Role, Voter, merge},
    name::Name,
};
use model::Severity;

pub(super) fn read(data: &[u8]) {
    let Some((choice, text)) = super::choice(data) else {
        return;
    };
    let format = match choice % 7 {
        0 => Format::Auto,
        1 => Format::Csv,
        2 => Format::Tsv,
        3 => Format::Plain,
        4 => Format::Json,
        5 => Format::Rapidblock,
        _ => Format::Fires,
    };
    let reading = Reading {
        format,
        default_severity: (choice & 8 > 0).then_some(Severity::Silence),
        ..Reading::default()
    };
    let Ok(parsed) = parse(text, &reading) else { return };
    for row in &parsed.rows {
        if let Name::Plain(name) = &row.name {
            let again = blocklists::name::read(name).map(|read| read.name);
            assert_eq!(again.as_ref(), Ok(&row.name), "{name:?} was taken for a domain");
        }
    }
    merged(&parsed);
}

/// The order of lists says nothing, and nobody's own server is ever blocked.
fn merged(parsed: &Parsed<'_>) {
    let half = parsed.rows.len() / 2;
    let voter = |name, rows| Voter {
        name,
        weight: 1,
        role: Role::Block,
        rows,
        leaving: &[],
        is_read: true,
    };
    let (one, two) = (voter("one", &parsed.rows[..half]), voter("two", &parsed.rows[half..]));
    let guard = Guard::new(["home.social"], [], false);
    let merging = Merging::default();
    let there = merge(&[one, two], &merging, &guard, &[]);
    assert_eq!(there, merge(&[two, one], &merging, &guard, &[]));
    for entry in &there.entries {
        assert!(guard.refuses(&entry.domain).is_none(), "{} is blocked", entry.domain);
    }
}
