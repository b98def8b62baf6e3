//! Text as it is compared, with the way back to what was written.

use crate::Field;

mod folded;
mod html;
mod joined;
mod letters;
mod lookalikes;
mod mapped;
mod writer;

pub(crate) use folded::{Folded, fold, fold_all, fold_word};
pub(crate) use html::read as read_html;
pub(crate) use joined::{Joined, join};
pub(crate) use letters::{is_letter, is_unspaced};
pub(crate) use mapped::Mapped;
pub(crate) use writer::{Seen, Writer};

/// A text as it is compared.
pub(crate) fn plain(text: &str) -> String {
    let mut out = Mapped::default();
    let mut writer = Writer::new(&mut out);
    writer.text(text, 0);
    writer.end();
    out.text().to_owned()
}

/// The same with upper case kept.
pub(crate) fn cased(text: &str) -> String {
    let mut out = Mapped::default();
    let mut writer = Writer::new(&mut out).cased();
    writer.text(text, 0);
    writer.end();
    out.text().to_owned()
}

/// A part of a field with upper case kept.
pub(crate) fn cased_map(source: &str, field: Field) -> Mapped {
    let mut out = Mapped::default();
    let mut writer = Writer::new(&mut out).cased();
    if matches!(field, Field::Content | Field::Bio | Field::FieldValue) {
        read_html(source, &mut writer);
    } else {
        writer.text(source, 0);
    }
    writer.end();
    out
}
