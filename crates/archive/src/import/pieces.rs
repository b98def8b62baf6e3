//! A JSON object of lists, however long, an item at a time and each as it stands there: mastodon-archive keeps a life
//! in one file, and a life does not fit into memory.

use std::io::{self, BufRead};

/// An item longer than this is no status.
const LONGEST: usize = 8 << 20;

/// Reads the items of the lists in an object.
pub(super) struct Pieces<R> {
    from: R,
    key: String,
    state: State,
    seen: Vec<String>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum State {
    /// Before the object.
    Begin,
    /// Where a key comes.
    Key,
    /// Inside of a list, where an item comes.
    Item,
    End,
}

impl<R: BufRead> Pieces<R> {
    pub(super) fn of(from: R) -> Self {
        Self {
            from,
            key: String::new(),
            state: State::Begin,
            seen: Vec::new(),
        }
    }

    /// Whether there was a list of one of these names, be it empty.
    pub(super) fn saw(&self, names: &[&str]) -> bool {
        self.seen.iter().any(|seen| names.contains(&seen.as_str()))
    }

    /// The next item, and the name of its list.
    pub(super) fn next(&mut self) -> io::Result<Option<(String, String)>> {
        loop {
            match self.state {
                State::End => return Ok(None),
                State::Begin => {
                    // A byte order mark is no JSON, and yet there.
                    while self.peek()?.is_some_and(|byte| matches!(byte, 0xef | 0xbb | 0xbf)) {
                        self.from.consume(1);
                    }
                    if self.solid()? != Some(b'{') {
                        return Err(odd("no JSON object"));
                    }
                    self.from.consume(1);
                    self.state = State::Key;
                }
                State::Key => match self.solid()? {
                    Some(b',') => self.from.consume(1),
                    Some(b'"') => {
                        let key = self.value(true)?;
                        self.key = serde_json::from_str(&key).map_err(io::Error::other)?;
                        if self.solid()? != Some(b':') {
                            return Err(odd("a key without a value"));
                        }
                        self.from.consume(1);
                        if self.solid()? == Some(b'[') {
                            self.from.consume(1);
                            self.seen.push(self.key.clone());
                            self.state = State::Item;
                        } else {
                            self.value(false)?;
                        }
                    }
                    Some(b'}') | None => self.state = State::End,
                    Some(_) => return Err(odd("no key where one should be")),
                },
                State::Item => match self.solid()? {
                    Some(b',') => self.from.consume(1),
                    Some(b']') => {
                        self.from.consume(1);
                        self.state = State::Key;
                    }
                    Some(_) => {
                        let item = self.value(true)?;
                        return Ok(Some((self.key.clone(), item)));
                    }
                    None => return Err(io::ErrorKind::UnexpectedEof.into()),
                },
            }
        }
    }

    fn peek(&mut self) -> io::Result<Option<u8>> {
        Ok(self.from.fill_buf()?.first().copied())
    }

    /// The next byte that is no blank.
    fn solid(&mut self) -> io::Result<Option<u8>> {
        while let Some(byte) = self.peek()? {
            if !byte.is_ascii_whitespace() {
                return Ok(Some(byte));
            }
            self.from.consume(1);
        }
        Ok(None)
    }

    /// A whole value; its text where it is wanted.
    fn value(&mut self, wanted: bool) -> io::Result<String> {
        let mut text = Vec::new();
        let (mut depth, mut quoted, mut escaped, mut begun) = (0_u32, false, false, false);
        loop {
            let buffer = self.from.fill_buf()?;
            if buffer.is_empty() {
                // A number may be all there is; anything that is open is not whole.
                return if begun && depth == 0 && !quoted {
                    String::from_utf8(text).map_err(io::Error::other)
                } else {
                    Err(io::ErrorKind::UnexpectedEof.into())
                };
            }
            let mut used = 0;
            let mut whole = false;
            for &byte in buffer {
                let plain = !quoted && depth == 0;
                if plain && begun && matches!(byte, b',' | b']' | b'}' | b':') {
                    whole = true;
                    break;
                }
                used += 1;
                match byte {
                    _ if escaped => escaped = false,
                    b'\\' if quoted => escaped = true,
                    b'"' => {
                        quoted = !quoted;
                        whole = !quoted && depth == 0;
                    }
                    b'{' | b'[' if !quoted => depth += 1,
                    b'}' | b']' if !quoted => {
                        depth = depth.checked_sub(1).ok_or_else(|| odd("brackets that do not match"))?;
                        whole = depth == 0;
                    }
                    _ => {}
                }
                begun = true;
                if whole {
                    break;
                }
            }
            if wanted {
                text.extend_from_slice(&buffer[..used]);
            }
            self.from.consume(used);
            if text.len() > LONGEST {
                return Err(odd("an item longer than any status"));
            }
            if whole {
                return String::from_utf8(text).map_err(io::Error::other);
            }
        }
    }
}

fn odd(what: &'static str) -> io::Error {
    io::Error::new(io::ErrorKind::InvalidData, what)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(text: &str, buffer: usize) -> io::Result<Vec<(String, String)>> {
        let mut pieces = Pieces::of(io::BufReader::with_capacity(buffer, text.as_bytes()));
        let mut found = Vec::new();
        while let Some(piece) = pieces.next()? {
            found.push(piece);
        }
        Ok(found)
    }

    #[test]
    fn items_come_as_they_stand_there() {
        let text = "\u{feff} {\"account\": {\"a\": [1, \"]\"]}, \"n\": 5, \"x\" : [ {\"b\": \"}\\\"]\", \"c\":[ ]} , 7,\"s\" ], \"e\": [],\"y\":[null]}";
        for buffer in [1, 3, 64] {
            let found = read(text, buffer).unwrap();
            let found: Vec<(&str, &str)> = found.iter().map(|(a, b)| (a.as_str(), b.as_str())).collect();
            assert_eq!(
                found,
                [
                    ("x", "{\"b\": \"}\\\"]\", \"c\":[ ]}"),
                    ("x", "7"),
                    ("x", "\"s\""),
                    ("y", "null")
                ]
            );
        }
    }

    #[test]
    fn what_is_cut_off_or_no_json_is_an_error() {
        for odd in [
            "",
            "[]",
            "{\"a\": [",
            "{\"a\": [{\"b\"",
            "{\"a\": [\"x",
            "{\"a\"}",
            "{a: []}",
            "{\"a\": [}",
        ] {
            assert!(read(odd, 8).is_err(), "{odd}");
        }
        assert_eq!(read("{}", 8).unwrap(), []);
    }
}
