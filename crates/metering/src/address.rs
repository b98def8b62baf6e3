//! How people write down an account: `@user@host`, a page, an id.

use model::{Domain, Uri};

/// An account as somebody wrote it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Address {
    /// `user@host`.
    Name {
        /// Without the host.
        user: String,
        /// `host` or, where no domain will do, `host:port`.
        host: String,
    },
    /// The page for people, or the actor.
    Page(Uri),
    /// The number that our own server gave it.
    Id(String),
}

/// A text that names no account.
#[derive(Debug, thiserror::Error, PartialEq, Eq)]
#[error("`{0}` names no account; write @user@host, the address of a profile, or an id of your own server")]
pub struct AddressError(String);

/// Longer names are nobody's.
const LONGEST: usize = 300;

impl Address {
    /// Reads `@user@host`, `user@host`, `acct:user@host`, `https://host/@user` or an id.
    ///
    /// # Errors
    /// When it is none of these.
    pub fn parse(text: &str) -> Result<Self, AddressError> {
        let text = text.trim();
        let error = || AddressError(text.chars().take(80).collect());
        if text.len() > LONGEST * 4 || text.is_empty() {
            return Err(error());
        }
        if text.contains("://") {
            return Uri::parse(text).map(Self::Page).map_err(|_| error());
        }
        if text.bytes().all(|byte| byte.is_ascii_alphanumeric()) && text.len() <= 64 {
            return if text.bytes().any(|byte| byte.is_ascii_digit()) {
                Ok(Self::Id(text.to_owned()))
            } else {
                Err(error())
            };
        }
        let name = text.strip_prefix("acct:").unwrap_or(text).trim_start_matches('@');
        let (user, host) = name.split_once('@').ok_or_else(error)?;
        let plain = |c: char| c.is_alphanumeric() || matches!(c, '_' | '-' | '.' | '~');
        if user.is_empty() || user.len() > LONGEST || !user.chars().all(plain) {
            return Err(error());
        }
        let host = match Domain::parse(host) {
            Ok(domain) => domain.to_string(),
            // A server at a bare address: `net` decides whether that may be asked.
            Err(_) if Uri::parse(&format!("http://{host}/")).is_ok_and(|uri| uri.host().as_str() == host) => {
                host.to_owned()
            }
            Err(_) => return Err(error()),
        };
        Ok(Self::Name {
            user: user.to_owned(),
            host,
        })
    }
}

/// An address and its groups.
pub type Listed = (String, Vec<String>);

/// Addresses in a file, one a line: a plain list, or a CSV whose column is called `Account address` as in Mastodon's
/// export of followings, `address`, `acct`, `account` or `url`; further columns `groups` (or `group`, `labels`) name
/// groups, with spaces or semicolons between them. What names no account is given back with its line number.
pub fn read_file(text: &str) -> (Vec<Listed>, Vec<(usize, String)>) {
    let (mut found, mut odd) = (Vec::new(), Vec::new());
    let (mut column, mut group_column) = (0, None);
    for (number, line) in text.trim_start_matches('\u{feff}').lines().enumerate() {
        let line = line.trim();
        if line.is_empty() || line.starts_with('#') {
            continue;
        }
        let cells = cells(line);
        let place = |names: &[&str]| {
            cells
                .iter()
                .position(|cell| names.contains(&cell.trim().to_lowercase().as_str()))
        };
        let heading = place(&["account address", "address", "acct", "account", "url", "uri"]);
        if let Some(heading) = heading.filter(|_| found.is_empty()) {
            column = heading;
            group_column = place(&["groups", "group", "labels", "label"]);
            continue;
        }
        let address = cells
            .get(column)
            .map(|cell| cell.trim().trim_start_matches('\''))
            .unwrap_or_default();
        if let Err(error) = Address::parse(address) {
            odd.push((number + 1, error.to_string()));
            continue;
        }
        let groups = group_column
            .and_then(|column| cells.get(column))
            .map(String::as_str)
            .unwrap_or_default();
        let groups = groups
            .split([';', ' '])
            .filter(|group| !group.is_empty())
            .map(str::to_owned);
        found.push((address.to_owned(), groups.collect()));
    }
    (found, odd)
}

/// The cells of a line of CSV. Quotes may hold commas; two of them are one.
fn cells(line: &str) -> Vec<String> {
    let (mut cells, mut quoted) = (vec![String::new()], false);
    let mut letters = line.chars().peekable();
    while let Some(letter) = letters.next() {
        let last = cells.len() - 1;
        match letter {
            '"' if quoted && letters.peek() == Some(&'"') => {
                letters.next();
                cells[last].push('"');
            }
            '"' => quoted = !quoted,
            ',' | '\t' if !quoted => cells.push(String::new()),
            letter => cells[last].push(letter),
        }
    }
    cells
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Check 41: one account in all its spellings.
    #[test]
    fn spellings_of_one_name() {
        let name = Address::Name {
            user: "Alice".into(),
            host: "a.example".into(),
        };
        for text in [
            "@Alice@a.example",
            "Alice@A.example.",
            "acct:Alice@a.example",
            "  @Alice@a.example ",
        ] {
            assert_eq!(Address::parse(text), Ok(name.clone()), "{text}");
        }
        assert!(matches!(
            Address::parse("https://a.example/@alice"),
            Ok(Address::Page(_))
        ));
        assert_eq!(Address::parse("109348"), Ok(Address::Id("109348".into())));
        assert_eq!(Address::parse("9vXQ8w"), Ok(Address::Id("9vXQ8w".into())));
        for text in [
            "",
            "alice",
            "@alice",
            "a b@c.example",
            "ftp://a.example/x",
            "@@",
            "a@b@c",
            "x@",
        ] {
            assert!(Address::parse(text).is_err(), "{text}");
        }
    }

    #[test]
    fn files_of_all_kinds() {
        let export = "Account address,Show boosts,Notify on new posts,Languages\nalice@a.example,true,false,\nnobody,true,false,\nbob@b.example,true,false,\"de, en\"\n";
        let (found, odd) = read_file(export);
        assert_eq!(found.len(), 2);
        assert_eq!((found[1].0.as_str(), odd[0].0), ("bob@b.example", 3));
        let (found, _) = read_file("\u{feff}acct,groups\n@a@a.example,\"news;friends\"\n");
        assert_eq!(
            found,
            [("@a@a.example".to_owned(), vec!["news".to_owned(), "friends".to_owned()])]
        );
        let (found, odd) = read_file("# mine\n@a@a.example\n\nhttps://b.example/@b\n");
        assert_eq!((found.len(), odd.len()), (2, 0));
    }
}
