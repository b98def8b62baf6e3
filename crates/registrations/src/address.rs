//! An e-mail address as rules see it: a mailbox and a domain in one spelling, compared by labels and never as text.
//!
//! Nothing here guesses. What two programs might read in two ways is either refused or marked as odd, and what is odd
//! is left to a person.

use std::fmt;

use model::Domain;
use sha2::{Digest as _, Sha256};

/// The longest address that mail can carry (RFC 5321: 64 and 255 octets and the sign between them).
const LONGEST: usize = 320;

/// A readable address. It prints only its domain.
#[derive(Clone, PartialEq, Eq)]
pub struct Address {
    local: String,
    domain: Domain,
    odd: Option<&'static str>,
}

/// Why a text is no address.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum AddressError {
    /// No `@`, or nothing before it.
    #[error("it has no mailbox and domain")]
    NoParts,
    /// Longer than mail can carry.
    #[error("it is longer than any address")]
    TooLong,
    /// What stands after the last `@` is no domain name.
    #[error("what follows the @ is no domain name")]
    NoDomain,
}

impl fmt::Debug for Address {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Address(…@{})", self.domain)
    }
}

impl Address {
    /// Reads an address as a server shows it: split at the last `@`, the domain lower-cased, in punycode, without its
    /// one trailing dot.
    ///
    /// # Errors
    /// When there is no mailbox, or no domain that the internet could have.
    pub fn parse(text: &str) -> Result<Self, AddressError> {
        let text = text.trim_matches(|c: char| c.is_ascii_whitespace());
        if text.len() > LONGEST {
            return Err(AddressError::TooLong);
        }
        let (local, host) = text.rsplit_once('@').ok_or(AddressError::NoParts)?;
        if local.is_empty() || host.is_empty() {
            return Err(AddressError::NoParts);
        }
        let host = host.strip_suffix('.').unwrap_or(host);
        let domain = domain(host)?;
        let odd = odd_mailbox(local).or_else(|| odd_domain(host, &domain));
        Ok(Self {
            local: local.to_owned(),
            domain,
            odd,
        })
    }

    /// What stands after the last `@`, normalised.
    pub fn domain(&self) -> &Domain {
        &self.domain
    }

    /// Why a person should look at it although it can be read.
    pub fn odd(&self) -> Option<&'static str> {
        self.odd
    }

    /// The address that Mastodon takes for the same person's: lower case, without dots, and without what follows a `+`
    /// in the mailbox. For finding duplicates only, never for a rule.
    fn canonical(&self) -> String {
        let local = self.local.to_lowercase();
        let local = local.split('+').next().unwrap_or_default().replace('.', "");
        format!("{local}@{}", self.domain)
    }

    /// SHA-256 of the canonical form, in hex: what is kept of somebody whose address is not kept.
    pub fn hash(&self) -> String {
        hex(self.canonical().as_bytes())
    }
}

/// SHA-256 in hex.
pub(crate) fn hex(bytes: &[u8]) -> String {
    use fmt::Write as _;
    Sha256::digest(bytes)
        .iter()
        .fold(String::with_capacity(64), |mut text, byte| {
            let _ = write!(text, "{byte:02x}");
            text
        })
}

/// A domain that mail can go to. Stricter than a URL's host: no percent signs, no underscores, no bare numbers.
pub(crate) fn domain(text: &str) -> Result<Domain, AddressError> {
    let plain = |c: char| c.is_ascii_alphanumeric() || matches!(c, '-' | '.') || !c.is_ascii();
    if text.is_empty() || !text.chars().all(plain) || text.chars().any(char::is_control) {
        return Err(AddressError::NoDomain);
    }
    // The dots of other scripts are dots to a URL; a domain that uses them is read as one, then found odd.
    if text.split(['.', '\u{3002}', '\u{ff0e}', '\u{ff61}']).any(str::is_empty) {
        return Err(AddressError::NoDomain);
    }
    let domain = Domain::parse(text).map_err(|_| AddressError::NoDomain)?;
    let label = |label: &str| {
        (1..=63).contains(&label.len())
            && !label.starts_with('-')
            && !label.ends_with('-')
            && label.bytes().all(|b| b.is_ascii_alphanumeric() || b == b'-')
    };
    if domain.as_str().len() > 253 || !domain.as_str().split('.').all(label) {
        return Err(AddressError::NoDomain);
    }
    Ok(domain)
}

/// A mailbox that some mail server could take for a way to somebody else's: `a%evil.example@agency.gov`,
/// `evil.example!a@agency.gov`, `"a@evil.example"@agency.gov`.
fn odd_mailbox(local: &str) -> Option<&'static str> {
    let ordinary = |c: char| {
        c.is_ascii_alphanumeric()
            || matches!(
                c,
                '.' | '_'
                    | '-'
                    | '+'
                    | '='
                    | '\''
                    | '&'
                    | '*'
                    | '/'
                    | '#'
                    | '$'
                    | '?'
                    | '^'
                    | '{'
                    | '|'
                    | '}'
                    | '~'
                    | '`'
            )
            || (!c.is_ascii() && c.is_alphanumeric())
    };
    if local.len() > 64 {
        return Some("the mailbox is longer than mail can carry");
    }
    (!local.chars().all(ordinary)).then_some("the mailbox holds characters that can lead elsewhere")
}

/// A domain written in letters of another script, or with invisible ones, that turn into plain ones.
fn odd_domain(text: &str, domain: &Domain) -> Option<&'static str> {
    let typed: Vec<&str> = text.split('.').collect();
    let read: Vec<&str> = domain.as_str().split('.').collect();
    if typed.len() != read.len() {
        return Some("the domain is written with dots of another script");
    }
    typed
        .iter()
        .zip(&read)
        .any(|(typed, read)| !typed.is_ascii() && !read.starts_with("xn--"))
        .then_some("the domain is written with letters that only look like these")
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(text: &str) -> Option<String> {
        Address::parse(text).ok().map(|address| address.domain().to_string())
    }

    #[test]
    fn the_domain_is_what_follows_the_last_sign() {
        for (text, domain) in [
            ("mayor@nyc.gov", "nyc.gov"),
            (" A@NYC.GOV. ", "nyc.gov"),
            ("a@nyc.gov@evil.example", "evil.example"),
            ("a@bücher.example", "xn--bcher-kva.example"),
            ("\"a@b\"@c.example", "c.example"),
        ] {
            assert_eq!(read(text).as_deref(), Some(domain), "{text}");
        }
    }

    #[test]
    fn what_no_mail_reaches_is_no_address() {
        let long = format!("a@{}.gov", "x".repeat(64));
        let longer = format!("a@{}gov", "abcdefg.".repeat(32));
        for text in [
            "",
            "@",
            "a@",
            "@nyc.gov",
            "nyc.gov",
            "a@nyc..gov",
            "a@nyc.gov..",
            "a@.gov",
            "a@127.0.0.1",
            "a@[127.0.0.1]",
            "a@nyc%2egov",
            "a@ny_c.gov",
            "a@nyc.gov:25",
            "a@nyc.gov/x",
            "a@-nyc.gov",
            "a@nyc\u{0}.gov",
            "a@nyc .gov",
            "a@xn--a.gov",
            "a@nyc。。gov",
            &long,
            &longer,
        ] {
            assert_eq!(read(text), None, "{text}");
        }
    }

    #[test]
    fn odd_spellings_are_marked() {
        for text in [
            "a@nyc.ｇｏｖ",
            "a@nyc。gov",
            "a@gm\u{ad}ail.com",
            "a@nyc.\u{200b}gov",
            "a%evil.example@nyc.gov",
            "evil.example!a@nyc.gov",
            "a@evil.example@nyc.gov",
            "\"a b\"@nyc.gov",
            "a,b@nyc.gov",
            "a\u{202e}b@nyc.gov",
        ] {
            match Address::parse(text) {
                Ok(address) => assert!(address.odd().is_some(), "{text}"),
                Err(_) => assert!(!text.contains('ｇ'), "{text}"),
            }
        }
        for text in ["mayor@nyc.gov", "o'hara+x@nyc.gov", "ü@bücher.example"] {
            assert_eq!(Address::parse(text).unwrap().odd(), None, "{text}");
        }
    }

    #[test]
    fn one_person_has_one_hash_and_never_prints() {
        let one = Address::parse("Jane.Doe+news@gmail.com").unwrap();
        assert_eq!(one.hash(), Address::parse("janedoe@GMAIL.com").unwrap().hash());
        assert_ne!(one.hash(), Address::parse("janedoe@gmail.org").unwrap().hash());
        assert!(!format!("{one:?}").contains("Jane"));
    }
}
