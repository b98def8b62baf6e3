//! A letter as it is written: headers that nothing can break out of, and a body in base64, which no server changes.

use base64::{Engine as _, engine::general_purpose::STANDARD};
use chrono::{DateTime, Utc};
use model::Domain;

use super::Letter;

/// Bytes of a subject in one encoded word: 75 characters at most, by the standard.
const WORD: usize = 42;

/// Characters of a line of base64.
const LINE: usize = 76;

/// A name, maybe, and an address that can stand in a header and in a command.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Mailbox {
    name: String,
    pub(super) address: String,
}

impl Mailbox {
    /// `Example <noreply@example.org>`, or the address alone.
    pub(super) fn parse(text: &str) -> Option<Self> {
        // A line of its own would be a command of its own.
        if text.chars().any(char::is_control) {
            return None;
        }
        let (name, address) = match text.trim().strip_suffix('>').and_then(|rest| rest.rsplit_once('<')) {
            Some((name, address)) => (name.trim().trim_matches('"'), address),
            None => ("", text.trim()),
        };
        let (local, domain) = address.rsplit_once('@')?;
        let plain = |c: char| c.is_ascii_alphanumeric() || "!#$%&'*+-/=?^_`{|}~.".contains(c);
        if local.is_empty()
            || local.len() > 64
            || !local.chars().all(plain)
            || local.starts_with('.')
            || local.ends_with('.')
        {
            return None;
        }
        let domain = Domain::parse(domain).ok()?;
        let host = domain
            .as_str()
            .chars()
            .all(|c| c.is_ascii_alphanumeric() || matches!(c, '.' | '-'));
        host.then(|| Self {
            name: name.to_owned(),
            address: format!("{local}@{domain}"),
        })
    }

    pub(super) fn domain(&self) -> &str {
        self.address.rsplit('@').next().unwrap_or_default()
    }

    fn header(&self) -> String {
        if self.name.is_empty() {
            format!("<{}>", self.address)
        } else {
            format!("{} <{}>", phrase(&self.name), self.address)
        }
    }
}

/// The whole letter without its end mark.
pub(super) fn written(letter: &Letter, from: &Mailbox, to: &Mailbox, now: DateTime<Utc>) -> String {
    let id: String = letter
        .id
        .chars()
        .filter(|c| c.is_ascii_alphanumeric() || *c == '-')
        .collect();
    let text = letter.text.replace("\r\n", "\n").replace('\n', "\r\n");
    let body = STANDARD.encode(text);
    let lines: Vec<&str> = body
        .as_bytes()
        .chunks(LINE)
        .filter_map(|line| std::str::from_utf8(line).ok())
        .collect();
    format!(
        "Date: {}\r\nFrom: {}\r\nTo: {}\r\nSubject: {}\r\nMessage-ID: <{id}@{}>\r\nAuto-Submitted: auto-generated\r\n\
         MIME-Version: 1.0\r\nContent-Type: text/plain; charset=utf-8\r\nContent-Transfer-Encoding: base64\r\n\r\n{}",
        now.to_rfc2822(),
        from.header(),
        to.header(),
        words(&letter.subject),
        from.domain(),
        lines.join("\r\n"),
    )
}

/// A text that stands alone in a header.
fn words(text: &str) -> String {
    encoded(text, " -_.,:!?'/()")
}

/// A name before an address: there a comma begins the next address, and a point or a bracket breaks the line.
fn phrase(text: &str) -> String {
    encoded(text, " -_!?'/")
}

/// As it is, where it is of letters, digits and `plain` alone, else in encoded words. Control characters are left out.
fn encoded(text: &str, plain: &str) -> String {
    let text: String = text.chars().filter(|c| !c.is_control()).take(200).collect();
    if text.chars().all(|c| c.is_ascii_alphanumeric() || plain.contains(c)) {
        return text;
    }
    let mut words = Vec::new();
    let mut rest = text.as_str();
    while !rest.is_empty() {
        let mut end = rest.len().min(WORD);
        while !rest.is_char_boundary(end) {
            end -= 1;
        }
        let (word, more) = rest.split_at(end);
        words.push(format!("=?utf-8?B?{}?=", STANDARD.encode(word)));
        rest = more;
    }
    words.join("\r\n ")
}

#[cfg(test)]
mod tests {
    use super::*;

    fn letter(subject: &str) -> Letter {
        Letter {
            id: "0192-x\r\n".into(),
            to: "jane@nyc.gov".into(),
            subject: subject.into(),
            text: "Sorry, Jürgen.\n.\nNo free mail.\n".into(),
        }
    }

    fn text(subject: &str) -> String {
        let (from, to) = (
            Mailbox::parse("Bücher <noreply@example.org>"),
            Mailbox::parse("jane@nyc.gov"),
        );
        let now = DateTime::from_timestamp(1_800_000_000, 0).unwrap();
        written(&letter(subject), &from.unwrap(), &to.unwrap(), now)
    }

    #[test]
    fn a_header_is_one_line() {
        let mail = text("Your request\r\nBcc: everybody@example.org");
        assert!(!mail.lines().any(|line| line.starts_with("Bcc")), "{mail}");
        assert!(mail.contains("Message-ID: <0192-x@example.org>\r\n"), "{mail}");
        assert!(mail.lines().all(|line| line.len() <= 200 && line.is_ascii()), "{mail}");
        let long = text(&"Ä".repeat(150));
        assert!(long.split("\r\n").all(|line| line.len() <= 100), "{long}");
    }

    #[test]
    fn a_name_with_a_comma_is_one_sender() {
        for (from, header) in [
            ("Example <a@b.example>", "From: Example <a@b.example>"),
            (
                "\"Example, Inc. (mail)\" <a@b.example>",
                "From: =?utf-8?B?RXhhbXBsZSwgSW5jLiAobWFpbCk=?= <a@b.example>",
            ),
        ] {
            let from = Mailbox::parse(from).unwrap();
            let mail = written(&letter("x, y."), &from, &from, DateTime::UNIX_EPOCH);
            assert!(mail.lines().any(|line| line == header), "{mail}");
            assert!(mail.contains("Subject: x, y.\r\n"), "{mail}");
        }
    }

    #[test]
    fn the_body_comes_out_as_it_went_in() {
        let mail = text("x");
        let (_, body) = mail.split_once("\r\n\r\n").unwrap();
        let decoded = STANDARD.decode(body.replace("\r\n", "")).unwrap();
        assert_eq!(
            String::from_utf8(decoded).unwrap(),
            "Sorry, Jürgen.\r\n.\r\nNo free mail.\r\n"
        );
        assert!(body.lines().all(|line| !line.starts_with('.') && line.len() <= LINE));
    }

    #[test]
    fn only_plain_addresses_get_mail() {
        let parse = |text: &str| Mailbox::parse(text).map(|mailbox| mailbox.address);
        assert_eq!(
            parse("\"A, B\" <a+b@Bücher.example>").as_deref(),
            Some("a+b@xn--bcher-kva.example")
        );
        for text in [
            "",
            "x",
            "a@",
            "@b",
            "a b@c.example",
            "a@b.example\r\nRCPT TO:<c@d.example>",
            "a>@b.example",
            "<a@b.example",
            "ü@b.example",
            "a@b_c.example",
        ] {
            assert_eq!(parse(text), None, "{text}");
        }
    }
}
