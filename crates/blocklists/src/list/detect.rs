//! Which format a text is in.

use super::{Format, ListError, csv};

/// The format of a text that nobody told.
pub(super) fn format(text: &str) -> Result<Format, ListError> {
    let begin = text.trim_start();
    refuse_pages(begin)?;
    match begin.as_bytes().first() {
        None => Err(ListError::Empty),
        Some(b'[') => Ok(Format::Json),
        Some(b'{') => {
            let head = head(begin);
            if head.contains("\"@spec\"") {
                Ok(Format::Rapidblock)
            } else if head.contains("\"@context\"") || head.contains("\"orderedItems\"") {
                Ok(Format::Fires)
            } else {
                Ok(Format::Json)
            }
        }
        Some(_) => Ok(table(begin)),
    }
}

/// Refuses what cannot be of the format that was promised.
pub(super) fn refuse(text: &str, format: Format) -> Result<(), ListError> {
    let begin = text.trim_start();
    if begin.is_empty() {
        return Err(ListError::Empty);
    }
    refuse_pages(begin)?;
    let is_json = begin.starts_with(['{', '[']);
    match format {
        Format::Csv | Format::Tsv | Format::Plain if is_json => {
            Err(ListError::Shape("JSON where a table was expected".to_owned()))
        }
        Format::Json | Format::Rapidblock | Format::Fires if !is_json => Err(ListError::Shape("no JSON".to_owned())),
        _ => Ok(()),
    }
}

fn refuse_pages(begin: &str) -> Result<(), ListError> {
    if begin.starts_with('<') {
        return Err(ListError::Html);
    }
    // Compressed, an image, UTF-16: bytes that no list begins with.
    if head(begin)
        .chars()
        .take(4)
        .any(|c| c.is_control() && !c.is_whitespace())
    {
        return Err(ListError::Shape("not a text".to_owned()));
    }
    Ok(())
}

fn table(begin: &str) -> Format {
    let first = begin
        .lines()
        .find(|line| !line.trim().is_empty() && !csv::is_comment(line))
        .unwrap_or_default();
    if first.contains('\t') {
        Format::Tsv
    } else if first.contains([',', ';', '"']) {
        Format::Csv
    } else {
        Format::Plain
    }
}

fn head(text: &str) -> &str {
    let mut end = text.len().min(4096);
    while !text.is_char_boundary(end) {
        end -= 1;
    }
    &text[..end]
}
