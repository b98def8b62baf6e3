//! Tables. A reader of our own: it goes on behind a bad row, says where it stood, and copies nothing that it need not.

use std::borrow::Cow;

use super::{Draft, Field, ListError, Place, Sink, boolean, is_damaged, severity, trimmed};

/// What stands in a column.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Column {
    Domain,
    Severity,
    Digest,
    Is(Field),
    /// Not ours.
    Other,
}

/// The column a header names. Mastodon puts a `#` before each name.
fn column(name: &str) -> Column {
    let name = name
        .trim()
        .trim_start_matches('#')
        .trim()
        .to_ascii_lowercase()
        .replace([' ', '-'], "_");
    match name.as_str() {
        "domain" | "domains" | "host" | "hostname" | "instance" | "server" => Column::Domain,
        "severity" | "action" | "level" => Column::Severity,
        "digest" => Column::Digest,
        "reject_media" => Column::Is(Field::RejectMedia),
        "reject_reports" => Column::Is(Field::RejectReports),
        "obfuscate" => Column::Is(Field::Obfuscate),
        "public_comment" | "comment" | "reason" => Column::Is(Field::PublicComment),
        "private_comment" => Column::Is(Field::PrivateComment),
        _ => Column::Other,
    }
}

/// Whether a first line names columns.
pub(super) fn is_header(line: &str) -> bool {
    line.split([',', ';', '\t'])
        .any(|cell| column(cell.trim().trim_matches('"')) == Column::Domain)
}

/// A line that is a remark. A header begins with `#` too.
pub(super) fn is_comment(line: &str) -> bool {
    line.trim_start().starts_with('#') && !is_header(line)
}

/// Comma, or semicolon where the first line has those and no comma, or tab.
pub(super) fn delimiter(text: &str) -> u8 {
    let first = text
        .lines()
        .find(|line| !line.trim().is_empty() && !is_comment(line))
        .unwrap_or_default();
    match (first.contains(','), first.contains(';'), first.contains('\t')) {
        (false, true, _) => b';',
        (false, false, true) => b'\t',
        _ => b',',
    }
}

/// A cell with the character it begins at.
type Cell<'a> = (Cow<'a, str>, u32);

pub(super) fn read<'a>(text: &'a str, delimiter: u8, sink: &mut Sink<'a, '_>) -> Result<(), ListError> {
    let mut columns: Option<Vec<Column>> = None;
    let mut cells: Vec<Cell<'a>> = Vec::with_capacity(8);
    let mut lines = Lines {
        text,
        at: 0,
        line: 0,
        begun: 0,
    };
    while lines.record(delimiter, &mut cells)? {
        let Some((first, _)) = cells.first() else { continue };
        if cells.len() == 1 && first.trim().is_empty() {
            continue;
        }
        let line = lines.begun;
        let Some(columns) = &columns else {
            if is_comment(first) && !cells.iter().any(|(cell, _)| column(cell) == Column::Domain) {
                continue;
            }
            let named: Vec<Column> = cells.iter().map(|(cell, _)| column(cell)).collect();
            if named.contains(&Column::Domain) {
                columns = Some(named);
                continue;
            }
            // Mastodon's own export without its header.
            columns = Some(vec![
                Column::Domain,
                Column::Severity,
                Column::Is(Field::RejectMedia),
                Column::Is(Field::RejectReports),
                Column::Is(Field::PublicComment),
                Column::Is(Field::Obfuscate),
            ]);
            row(columns.as_deref().unwrap_or_default(), &mut cells, line, sink)?;
            continue;
        };
        if first.starts_with('#') {
            continue;
        }
        row(columns, &mut cells, line, sink)?;
    }
    Ok(())
}

fn row<'a>(columns: &[Column], cells: &mut [Cell<'a>], line: u32, sink: &mut Sink<'a, '_>) -> Result<(), ListError> {
    if sink.is_damaged
        && let Some((cell, column)) = cells.iter().find(|(cell, _)| is_damaged(cell))
    {
        let at = Place { line, column: *column };
        sink.fault(at, &cell.clone(), "damaged: NUL or bytes that are no UTF-8");
        return Ok(());
    }
    let mut draft = Draft::default();
    let mut domain: Option<Cell<'a>> = None;
    for (column, (cell, at)) in columns.iter().zip(cells.iter_mut()) {
        let at = Place { line, column: *at };
        match column {
            Column::Domain if domain.is_none() => domain = Some((std::mem::take(cell), at.column)),
            Column::Severity => {
                let text = trimmed(cell);
                if text.is_empty() {
                    continue;
                }
                let Some(read) = severity(text) else {
                    sink.fault(at, text, "not a severity; noop, silence (limit) or suspend");
                    return Ok(());
                };
                draft.severity = Some(read);
            }
            Column::Digest => draft.digest = super::hidden_digest(cell),
            Column::Is(field) if sink.reading.takes(*field) => match field {
                Field::PublicComment => draft.public_comment = std::mem::take(cell),
                Field::PrivateComment => draft.private_comment = std::mem::take(cell),
                flag => {
                    let text = trimmed(cell);
                    let Some(read) = boolean(text) else {
                        sink.note(at, text, "neither yes nor no, so the row says nothing about it");
                        continue;
                    };
                    match flag {
                        Field::RejectMedia => draft.flags.reject_media = read,
                        Field::RejectReports => draft.flags.reject_reports = read,
                        _ => draft.flags.obfuscate = read,
                    }
                }
            },
            _ => {}
        }
    }
    match domain {
        Some((domain, column)) => sink.row(Place { line, column }, domain, draft),
        None => {
            sink.fault(Place { line, column: 1 }, "", "the row ends before its domain");
            Ok(())
        }
    }
}

/// Cells of a row that are kept: nobody's list has so many columns, and a line of commas would take gigabytes.
const MOST_CELLS: usize = 256;

/// Adds a cell that begins this many bytes behind the line's beginning.
fn push<'a>(cells: &mut Vec<Cell<'a>>, cell: Cow<'a, str>, begun: usize) {
    if cells.len() < MOST_CELLS {
        cells.push((cell, u32::try_from(begun).unwrap_or(u32::MAX - 1) + 1));
    }
}

/// The text, record by record: a quoted cell may go on over several lines.
struct Lines<'a> {
    text: &'a str,
    at: usize,
    line: u32,
    /// The line that the last record began at.
    begun: u32,
}

impl<'a> Lines<'a> {
    /// Reads the next record into `cells`; `false` at the end.
    fn record(&mut self, delimiter: u8, cells: &mut Vec<Cell<'a>>) -> Result<bool, ListError> {
        cells.clear();
        let Some(rest) = self.text.get(self.at..).filter(|rest| !rest.is_empty()) else {
            return Ok(false);
        };
        self.line += 1;
        self.begun = self.line;
        // One look at each byte: nearly all rows of real lists have no quotes, or only around their last cells.
        let mut begun = 0;
        for (at, byte) in rest.bytes().enumerate() {
            if byte == delimiter {
                push(cells, Cow::Borrowed(&rest[begun..at]), begun);
                begun = at + 1;
            } else if byte == b'\n' {
                let cell = rest[begun..at].strip_suffix('\r').unwrap_or(&rest[begun..at]);
                push(cells, Cow::Borrowed(cell), begun);
                self.at += at + 1;
                return Ok(true);
            } else if byte == b'"' {
                let line_start = self.at;
                self.at += begun;
                return self.quoted(delimiter, line_start, cells);
            }
        }
        let cell = rest[begun..].strip_suffix('\r').unwrap_or(&rest[begun..]);
        push(cells, Cow::Borrowed(cell), begun);
        self.at = self.text.len();
        Ok(true)
    }

    /// Goes on with a record in which a quote was seen, at the beginning of the cell that holds it.
    fn quoted(&mut self, delimiter: u8, mut line_start: usize, cells: &mut Vec<Cell<'a>>) -> Result<bool, ListError> {
        let bytes = self.text.as_bytes();
        loop {
            let start = self.at;
            let begun = start - line_start;
            let cell = if bytes.get(start) == Some(&b'"') {
                self.in_quotes(delimiter, &mut line_start)?
            } else {
                let rest = &self.text[start..];
                let end = rest.find([char::from(delimiter), '\n']).unwrap_or(rest.len());
                self.at = start + end;
                Cow::Borrowed(rest[..end].trim_end_matches('\r'))
            };
            push(cells, cell, begun);
            match bytes.get(self.at) {
                Some(byte) if *byte == delimiter => self.at += 1,
                Some(_) => {
                    self.at += 1;
                    return Ok(true);
                }
                None => return Ok(true),
            }
        }
    }

    /// A cell that begins with a quote; leaves `at` on the delimiter or line end behind it.
    fn in_quotes(&mut self, delimiter: u8, line_start: &mut usize) -> Result<Cow<'a, str>, ListError> {
        let opened = self.line;
        let begin = self.at + 1;
        let mut at = begin;
        let mut doubled = false;
        let close = loop {
            let Some(found) = self.text[at..].find('"') else {
                return Err(ListError::Truncated(format!(
                    "the quote opened in line {opened} is never closed"
                )));
            };
            let here = at + found;
            if self.text.as_bytes().get(here + 1) == Some(&b'"') {
                doubled = true;
                at = here + 2;
            } else {
                break here;
            }
        };
        let inside = &self.text[begin..close];
        let breaks = inside.bytes().filter(|byte| *byte == b'\n').count();
        if breaks > 0 {
            self.line += u32::try_from(breaks).unwrap_or(u32::MAX / 2);
            *line_start = begin + inside.rfind('\n').unwrap_or(0) + 1;
        }
        // What stands between the closing quote and the next delimiter is kept: `"a"b` is odd, not fatal.
        let rest = &self.text[close + 1..];
        let is_end = |byte| byte == delimiter || byte == b'\n';
        let tail = rest.bytes().position(is_end).unwrap_or(rest.len());
        self.at = close + 1 + tail;
        let tail = rest[..tail].trim_end_matches('\r').trim();
        let cell = if doubled {
            Cow::Owned(inside.replace("\"\"", "\""))
        } else {
            Cow::Borrowed(inside)
        };
        Ok(if tail.is_empty() {
            cell
        } else {
            Cow::Owned(format!("{cell}{tail}"))
        })
    }
}
