//! A domain as a list spells it, in the one spelling used for every comparison.

use std::borrow::Cow;

use model::Domain;

/// What a list calls a server.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub enum Name<'a> {
    /// A domain: lower case, punycode, no dots around it. Blocks cover subdomains, so `*.bad.social` is `bad.social`.
    Plain(Cow<'a, str>),
    /// Partly hidden, as in `ba*.so****`: nobody's name until a digest says whose.
    Hidden(Box<Hidden>),
}

/// A name with stars in it.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct Hidden {
    /// As published.
    pub pattern: String,
    /// SHA-256 of the true domain, where the list tells it.
    pub digest: Option<[u8; 32]>,
}

/// A name as read, and what had to be mended to read it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Read<'a> {
    /// The name.
    pub name: Name<'a>,
    /// What was odd about the spelling, if it says something about the list.
    pub note: Option<&'static str>,
}

/// Why a text names no server.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum NameError {
    /// Nothing there.
    #[error("the domain is empty")]
    Empty,
    /// `129.159.139.0`, `[::1]`.
    #[error("an IP address is no domain")]
    Address,
    /// Longer than names can be, or a part of it is.
    #[error("a name or a part of it is too long")]
    TooLong,
    /// `a..b`, `_x.social`, `bad domain.social`, a broken `xn--`.
    #[error("not a domain name")]
    Malformed,
}

/// Longest name and longest label of it.
const LONGEST: usize = 253;
const LONGEST_LABEL: usize = 63;

/// Reads a domain as lists write it.
///
/// # Errors
/// When it names no server.
pub fn read(text: &str) -> Result<Read<'_>, NameError> {
    if is_normal(text) {
        return Ok(Read {
            name: Name::Plain(Cow::Borrowed(text)),
            note: None,
        });
    }
    let mut note = None;
    let mut rest = text.trim_matches(|c: char| c.is_whitespace() || c == '\u{feff}' || c == '\u{200b}');
    if let Some((scheme, tail)) = rest.split_once("://")
        && matches!(scheme.to_ascii_lowercase().as_str(), "http" | "https")
    {
        (rest, note) = (tail, Some("an address was taken for its domain"));
    }
    if let Some((before, _)) = rest.split_once(['/', '?', '#'])
        && note.is_some()
    {
        rest = before;
    } else if let Some(before) = rest.strip_suffix('/') {
        rest = before;
    }
    if let Some((_, domain)) = rest.rsplit_once('@') {
        (rest, note) = (domain, Some("an account was taken for its domain"));
    }
    if let Some(below) = rest.strip_prefix("*.") {
        (rest, note) = (
            below,
            Some("a block covers subdomains anyway, so the star was left out"),
        );
    }
    let rest = rest.trim_matches('.');
    if rest.is_empty() || rest == "*" {
        return Err(NameError::Empty);
    }
    if rest.contains('*') {
        let pattern = rest.to_lowercase();
        let fits = pattern
            .chars()
            .all(|c| c == '*' || c == '.' || c == '-' || c.is_alphanumeric());
        return if fits && pattern.len() <= LONGEST {
            Ok(Read {
                name: Name::Hidden(Box::new(Hidden { pattern, digest: None })),
                note,
            })
        } else {
            Err(NameError::Malformed)
        };
    }
    plain(rest).map(|name| Read {
        name: Name::Plain(name),
        note,
    })
}

fn plain(text: &str) -> Result<Cow<'static, str>, NameError> {
    if text.starts_with('[') || is_address(text) {
        return Err(NameError::Address);
    }
    if text.len() > LONGEST || text.split('.').any(|label| label.chars().count() > LONGEST_LABEL) {
        return Err(NameError::TooLong);
    }
    let domain = Domain::parse(text).map_err(|_| NameError::Malformed)?;
    let name = String::from(domain);
    if name.len() > LONGEST || name.split('.').any(|label| label.len() > LONGEST_LABEL) {
        return Err(NameError::TooLong);
    }
    // The URL standard lets through more than a server takes: `_x.social`, `a--.social` with a broken `xn--`.
    if is_made_of_labels(&name) {
        Ok(Cow::Owned(name))
    } else {
        Err(NameError::Malformed)
    }
}

fn is_address(text: &str) -> bool {
    text.parse::<std::net::IpAddr>().is_ok()
        || text
            .rsplit('.')
            .next()
            .is_some_and(|last| !last.is_empty() && last.bytes().all(|b| b.is_ascii_digit()))
}

/// Whether a text is a domain as it stands: nearly all rows of real lists are.
fn is_normal(text: &str) -> bool {
    if text.is_empty() || text.len() > LONGEST {
        return false;
    }
    let (mut label, mut digits, mut before, mut last) = (0_usize, true, b'.', 0);
    for (at, &byte) in text.as_bytes().iter().enumerate() {
        match byte {
            b'.' => {
                if label == 0 || label > LONGEST_LABEL || before == b'-' {
                    return false;
                }
                (label, digits, last) = (0, true, at + 1);
            }
            b'a'..=b'z' => (label, digits) = (label + 1, false),
            b'0'..=b'9' => label += 1,
            b'-' => {
                // `xn--` may hold nonsense: the slow way looks into it.
                if label == 0 || (label == 3 && before == b'-') {
                    return false;
                }
                (label, digits) = (label + 1, false);
            }
            _ => return false,
        }
        before = byte;
    }
    // `0x7f` is a number to the URL standard.
    label > 0 && label <= LONGEST_LABEL && !digits && before != b'-' && !text.as_bytes()[last..].starts_with(b"0x")
}

fn is_made_of_labels(name: &str) -> bool {
    name.split('.').all(|label| {
        !label.is_empty()
            && !label.starts_with('-')
            && !label.ends_with('-')
            && label
                .bytes()
                .all(|b| b.is_ascii_lowercase() || b.is_ascii_digit() || b == b'-')
    })
}

/// A domain and its parents: `a.b.c`, `b.c`, `c`.
pub fn with_parents(domain: &str) -> impl Iterator<Item = &str> {
    std::iter::successors(Some(domain), |name| name.split_once('.').map(|(_, parent)| parent))
}

/// Whether `domain` is `other` or one of its subdomains.
pub fn is_within(domain: &str, other: &str) -> bool {
    domain
        .strip_suffix(other)
        .is_some_and(|rest| rest.is_empty() || rest.ends_with('.'))
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn name(text: &str) -> String {
        match read(text).unwrap().name {
            Name::Plain(name) => name.into_owned(),
            Name::Hidden(hidden) => panic!("{hidden:?}"),
        }
    }

    /// Check 5.
    #[test]
    fn spellings_of_one_domain_are_one_name() {
        for (text, odd) in [
            ("bad.example", false),
            ("Bad.Example", false),
            ("bad.example.", false),
            (" bad.example ", false),
            ("https://bad.example/", true),
            ("https://bad.example/about?x=1", true),
            ("@u@bad.example", true),
        ] {
            assert_eq!(name(text), "bad.example", "{text}");
            assert_eq!(read(text).unwrap().note.is_some(), odd, "{text}");
        }
        assert_eq!(name("bücher.example"), "xn--bcher-kva.example");
        assert_eq!(name("xn--bcher-kva.example"), "xn--bcher-kva.example");
    }

    /// Check 6.
    #[test]
    fn a_star_in_front_goes_and_one_inside_hides() {
        assert_eq!(name("*.bad.example"), "bad.example");
        assert!(read("*.bad.example").unwrap().note.is_some());
        assert_eq!(name(".bad.example"), "bad.example");
        assert!(matches!(read("ba*.ex****").unwrap().name, Name::Hidden(hidden) if hidden.pattern == "ba*.ex****"));
    }

    /// Check 7. What is no domain at all. Suffixes and single labels are the guard's.
    #[test]
    fn what_names_no_server_is_refused() {
        let long = format!("{}.example", "a".repeat(64));
        for (text, error) in [
            ("", NameError::Empty),
            (" . ", NameError::Empty),
            ("*", NameError::Empty),
            ("129.159.139.0", NameError::Address),
            ("[::1]", NameError::Address),
            ("::1", NameError::Address),
            ("1.2.3", NameError::Address),
            (&*long, NameError::TooLong),
            ("a..b", NameError::Malformed),
            ("_x.example", NameError::Malformed),
            ("xn--p1abe3d-xn--80asehdb", NameError::Malformed),
            ("bad domain.example", NameError::Malformed),
            ("bad.example:8443", NameError::Malformed),
            ("bad.example/path", NameError::Malformed),
            ("-bad.example", NameError::Malformed),
        ] {
            assert_eq!(read(text).unwrap_err(), error, "{text}");
        }
    }

    #[test]
    fn parents_count_by_labels() {
        assert_eq!(with_parents("a.b.c").collect::<Vec<_>>(), ["a.b.c", "b.c", "c"]);
        assert!(is_within("x.bad.example", "bad.example") && is_within("bad.example", "bad.example"));
        assert!(!is_within("notbad.example", "bad.example"));
    }

    proptest! {
        #[test]
        fn reading_never_panics_and_gives_names_that_read_as_themselves(text in "\\PC{0,80}") {
            if let Ok(Read { name: Name::Plain(name), .. }) = read(&text) {
                prop_assert_eq!(&read(&name).unwrap().name, &Name::Plain(name.clone()));
                prop_assert!(is_made_of_labels(&name));
            }
        }

        #[test]
        fn the_short_way_agrees_with_the_long_one(text in "[a-z0-9.-]{1,20}") {
            if is_normal(&text) {
                prop_assert_eq!(plain(&text).unwrap(), text);
            }
        }
    }
}
