//! BSON as `mongodump` writes it: documents one after the other, read into the JSON that `mongoexport` would have
//! written. Only what such a dump may hold; whatever the bytes are, reading ends.

use serde_json::{Map, Value, json};

/// Documents in documents. MongoDB stops at a hundred.
const DEEPEST: usize = 100;

/// Whether this is BSON. A document begins with its length, and none is as long as 16 MiB, so the fourth byte is zero:
/// no text has that.
pub(super) fn is_bson(bytes: &[u8]) -> bool {
    bytes.len() >= 5 && bytes[3] == 0
}

/// All documents of a file.
///
/// # Errors
/// Says in which document it ends or goes wrong.
pub(super) fn documents(bytes: &[u8]) -> Result<Vec<Value>, String> {
    let mut reader = Reader(bytes);
    let mut found = Vec::new();
    while !reader.0.is_empty() {
        let document = reader.document(false, 0);
        found.push(document.ok_or_else(|| format!("document {} is cut off or no BSON", found.len() + 1))?);
    }
    Ok(found)
}

/// What is left to read.
struct Reader<'a>(&'a [u8]);

impl<'a> Reader<'a> {
    fn take(&mut self, count: usize) -> Option<&'a [u8]> {
        let (taken, left) = self.0.split_at_checked(count)?;
        self.0 = left;
        Some(taken)
    }

    fn array<const N: usize>(&mut self) -> Option<[u8; N]> {
        self.take(N)?.try_into().ok()
    }

    /// A length, which is never negative.
    fn length(&mut self) -> Option<usize> {
        usize::try_from(i32::from_le_bytes(self.array()?)).ok()
    }

    /// Text up to a zero.
    fn name(&mut self) -> Option<String> {
        let end = self.0.iter().position(|byte| *byte == 0)?;
        let text = String::from_utf8_lossy(self.take(end)?).into_owned();
        self.take(1)?;
        Some(text)
    }

    /// Text with its length, the zero at its end included.
    fn text(&mut self) -> Option<String> {
        let length = self.length()?;
        let (text, _zero) = self.take(length)?.split_at_checked(length.checked_sub(1)?)?;
        Some(String::from_utf8_lossy(text).into_owned())
    }

    fn document(&mut self, is_list: bool, depth: usize) -> Option<Value> {
        let length = self.length()?.checked_sub(4)?;
        let mut inside = Reader(self.take(length)?);
        if depth > DEEPEST {
            return None;
        }
        let (mut fields, mut list) = (Map::new(), Vec::new());
        loop {
            let kind = inside.array::<1>()?[0];
            if kind == 0 {
                break;
            }
            let name = inside.name()?;
            let value = inside.value(kind, depth)?;
            if is_list {
                list.push(value);
            } else {
                fields.insert(name, value);
            }
        }
        inside.0.is_empty().then_some(if is_list {
            Value::Array(list)
        } else {
            Value::Object(fields)
        })
    }

    fn value(&mut self, kind: u8, depth: usize) -> Option<Value> {
        Some(match kind {
            0x01 => number(f64::from_le_bytes(self.array()?)),
            0x02 | 0x0d | 0x0e => Value::String(self.text()?),
            0x03 => self.document(false, depth + 1)?,
            0x04 => self.document(true, depth + 1)?,
            0x05 => {
                let length = self.length()?;
                // One byte more: which kind of bytes.
                self.take(length.checked_add(1)?)?;
                Value::Null
            }
            0x07 => {
                use std::fmt::Write as _;
                let mut hex = String::new();
                for byte in self.take(12)? {
                    let _ = write!(hex, "{byte:02x}");
                }
                json!({ "$oid": hex })
            }
            0x08 => Value::Bool(self.array::<1>()? != [0]),
            0x09 => json!({ "$date": { "$numberLong": i64::from_le_bytes(self.array()?).to_string() } }),
            0x0b => {
                self.name()?;
                self.name()?;
                Value::Null
            }
            0x0c => {
                self.text()?;
                self.take(12)?;
                Value::Null
            }
            0x0f => {
                let length = self.length()?.checked_sub(4)?;
                self.take(length)?;
                Value::Null
            }
            0x10 => i32::from_le_bytes(self.array()?).into(),
            0x11 => {
                self.take(8)?;
                Value::Null
            }
            0x12 => i64::from_le_bytes(self.array()?).into(),
            0x13 => {
                self.take(16)?;
                Value::Null
            }
            0x06 | 0x0a | 0x7f | 0xff => Value::Null,
            _ => return None,
        })
    }
}

/// A count that went through JavaScript comes as a fraction without one.
fn number(number: f64) -> Value {
    #[expect(clippy::cast_possible_truncation, reason = "whole and small enough")]
    if number.fract() == 0.0 && number.abs() < 1e15 {
        (number as i64).into()
    } else {
        number.into()
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    /// As the specification's first example has it, and one of each kind that such a dump holds.
    #[test]
    fn documents_are_read() {
        let hello = b"\x16\0\0\0\x02hello\0\x06\0\0\0world\0\0";
        assert!(is_bson(hello));
        let twice = [hello.as_slice(), hello].concat();
        assert_eq!(
            documents(&twice).unwrap(),
            [json!({"hello": "world"}), json!({"hello": "world"})]
        );
        // The list of the specification's second example.
        let list = b"\x31\0\0\0\x04BSON\0\x26\0\0\0\x020\0\x08\0\0\0awesome\0\x011\0\x33\x33\x33\x33\x33\x33\x14\x40\x102\0\xc2\x07\0\0\0\0";
        assert_eq!(documents(list).unwrap(), [json!({"BSON": ["awesome", 5.05, 1986]})]);
        assert!(!is_bson(b"{\"a\":1}") && !is_bson(b"[]"));
        assert_eq!(documents(&twice[..40]).unwrap_err(), "document 2 is cut off or no BSON");
    }

    proptest! {
        #[test]
        fn whatever_the_bytes_are_reading_ends(bytes in prop::collection::vec(any::<u8>(), 0..200)) {
            let _ = documents(&bytes);
        }
    }
}
