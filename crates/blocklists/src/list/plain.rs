//! One domain a line.

use std::borrow::Cow;

use super::{Draft, ListError, Place, Sink, csv, is_damaged};

pub(super) fn read<'a>(text: &'a str, sink: &mut Sink<'a, '_>) -> Result<(), ListError> {
    let mut is_first = true;
    for (line, text) in (1..).zip(text.lines()) {
        let text = text.trim();
        if text.is_empty() || csv::is_comment(text) || text.starts_with(['!', ';']) || text.starts_with("//") {
            continue;
        }
        // What stands behind a domain is a remark: `bad.social # spam`.
        let domain = text
            .split(" #")
            .next()
            .unwrap_or(text)
            .trim_end_matches([',', ' ', '\t']);
        let at = Place { line, column: 1 };
        if sink.is_damaged && is_damaged(text) {
            sink.fault(at, text, "damaged: NUL or bytes that are no UTF-8");
            continue;
        }
        // A header over the only column.
        if std::mem::take(&mut is_first) && csv::is_header(domain) {
            continue;
        }
        sink.row(at, Cow::Borrowed(domain), Draft::default())?;
    }
    Ok(())
}
