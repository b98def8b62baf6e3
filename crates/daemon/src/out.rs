//! What commands print: tables for people, JSON for programs. With `--json` standard output is one JSON value, and
//! when the command failed that value is `{"error": …, "hint": …}`.

use std::{borrow::Cow, io::Write as _};

use serde::Serialize;

/// Prints a line. A closed pipe is the reader's business.
pub fn line(text: impl AsRef<str>) {
    let _ = writeln!(std::io::stdout(), "{}", visible(text.as_ref()));
}

/// Prints a line on standard error, for what must not mix with the answer.
pub fn error_line(text: impl AsRef<str>) {
    let _ = writeln!(std::io::stderr(), "{}", visible(text.as_ref()));
}

/// Without what commands a terminal or turns the direction of writing: names, comments and errors come from strangers.
fn visible(text: &str) -> Cow<'_, str> {
    let is_hidden = |c: char| {
        let turns = matches!(c, '\u{202a}'..='\u{202e}' | '\u{2066}'..='\u{2069}');
        turns || (c.is_control() && c != '\n' && c != '\t')
    };
    if text.contains(is_hidden) {
        Cow::Owned(text.replace(is_hidden, ""))
    } else {
        Cow::Borrowed(text)
    }
}

/// Prints a value as JSON.
///
/// # Errors
/// When it cannot be JSON: a bug.
pub fn json(value: &impl Serialize) -> anyhow::Result<()> {
    // As it is: what programs read must not lose a letter, and JSON spells control characters out.
    let _ = writeln!(std::io::stdout(), "{}", serde_json::to_string_pretty(value)?);
    Ok(())
}

/// Prints why a command failed: a line on standard error or, for programs, one object on standard output.
pub fn error(error: &anyhow::Error, as_json: bool) {
    let text = chain(error);
    if as_json {
        line(failure(&text).to_string());
    } else {
        error_line(format!("egret: {text}"));
    }
}

/// An error with its causes. Some errors name their cause themselves: it is not said again.
fn chain(error: &anyhow::Error) -> String {
    let mut text = String::new();
    for cause in error.chain() {
        let cause = cause.to_string();
        if !text.contains(&cause) {
            let between = if text.is_empty() { "" } else { ": " };
            text = format!("{text}{between}{cause}");
        }
    }
    text
}

/// The same for arguments that were not understood.
pub fn usage(error: &clap::Error) {
    let text = error.render().to_string();
    let text = text.trim().trim_start_matches("error: ");
    let (what, rest) = text.split_once('\n').unwrap_or((text, ""));
    let hint: Vec<&str> = rest.lines().map(str::trim).filter(|line| !line.is_empty()).collect();
    line(serde_json::json!({ "error": what, "hint": hint.join("; ") }).to_string());
}

/// Messages read "what is wrong; what to do": the hint is what stands behind the last semicolon.
fn failure(text: &str) -> serde_json::Value {
    let hint = text.rsplit_once("; ").map(|(_, hint)| hint);
    serde_json::json!({ "error": text, "hint": hint })
}

/// Prints rows below a heading, each column as wide as it must be.
pub fn table(heading: &[&str], rows: &[Vec<String>]) {
    line(aligned(heading, rows));
}

/// The same as a text.
pub fn aligned(heading: &[&str], rows: &[Vec<String>]) -> String {
    let width = |column: usize| {
        rows.iter()
            .filter_map(|row| row.get(column))
            .map(|cell| cell.chars().count())
            .chain([heading[column].chars().count()])
            .max()
            .unwrap_or(0)
    };
    let widths: Vec<usize> = (0..heading.len()).map(width).collect();
    let mut lines = Vec::new();
    let heading = heading.iter().map(|cell| (*cell).to_owned()).collect();
    for row in std::iter::once(&heading).chain(rows) {
        let mut text = String::new();
        for (cell, width) in row.iter().zip(&widths) {
            let gap = width.saturating_sub(cell.chars().count()) + 2;
            text.push_str(cell);
            text.extend(std::iter::repeat_n(' ', gap));
        }
        lines.push(text.trim_end().to_owned());
    }
    lines.join("\n")
}

#[cfg(test)]
mod tests {
    #[test]
    fn strangers_do_not_command_the_terminal() {
        let evil = "bad.social\u{1b}]0;you\u{7} is\u{202e}\u{9b}2J fine\r\n\tyes";
        assert_eq!(super::visible(evil), "bad.social]0;you is2J fine\n\tyes");
        assert_eq!(super::visible("ä b\n"), "ä b\n");
    }

    #[test]
    fn a_cause_is_said_once() {
        let cause = std::io::Error::other("the disk is full");
        let error = anyhow::Error::new(cause)
            .context("cannot write: the disk is full")
            .context("no backup");
        assert_eq!(super::chain(&error), "no backup: cannot write: the disk is full");
    }

    #[test]
    fn the_hint_is_what_to_do() {
        let failure = super::failure("cannot read t: no such file; put the token there, or mend token_file");
        assert_eq!(failure["hint"], "put the token there, or mend token_file");
        assert!(failure["error"].as_str().unwrap().starts_with("cannot read t"));
        assert!(super::failure("it is broken")["hint"].is_null());
    }

    #[test]
    fn columns_are_as_wide_as_their_widest_cell() {
        let rows = [
            vec!["replies.home".to_owned(), "x".to_owned()],
            vec!["ä".to_owned(), "y".to_owned()],
        ];
        assert_eq!(
            super::aligned(&["JOB", "B"], &rows),
            "JOB           B\nreplies.home  x\nä             y"
        );
    }
}
