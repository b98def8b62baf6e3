//! What commands print: tables for people, JSON for programs.

use std::io::Write as _;

use serde::Serialize;

/// Prints a line. A closed pipe is the reader's business.
pub fn line(text: impl AsRef<str>) {
    let _ = writeln!(std::io::stdout(), "{}", text.as_ref());
}

/// Prints a value as JSON.
///
/// # Errors
/// When it cannot be JSON: a bug.
pub fn json(value: &impl Serialize) -> anyhow::Result<()> {
    line(serde_json::to_string_pretty(value)?);
    Ok(())
}

/// Prints rows below a heading, each column as wide as it must be.
pub fn table(heading: &[&str], rows: &[Vec<String>]) {
    line(aligned(heading, rows));
}

fn aligned(heading: &[&str], rows: &[Vec<String>]) -> String {
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
