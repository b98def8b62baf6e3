//! Sets of domain names that rules speak of, compared by labels.

use std::{collections::HashSet, fmt};

use model::Domain;
use serde::{Deserialize, Serialize};

use crate::address;

/// One name in a rule: `=gmail.com` is that domain alone, `.gov` is that domain and all below it.
#[derive(Debug, Clone, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub enum Name {
    /// `=gmail.com`.
    Exact(Domain),
    /// `.gov`.
    Within(Domain),
}

/// Why a text is no name for a rule.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{text:?} is no name for a rule: {why}")]
pub struct NameError {
    text: String,
    why: &'static str,
}

impl Name {
    /// Reads `=domain` or `.suffix`.
    ///
    /// # Errors
    /// When neither sign stands in front, or no domain name follows.
    pub fn parse(text: &str) -> Result<Self, NameError> {
        let error = |why| NameError {
            text: text.to_owned(),
            why,
        };
        let (make, rest): (fn(Domain) -> Self, _) = match text.trim().split_at_checked(1) {
            Some(("=", rest)) => (Self::Exact, rest),
            Some((".", rest)) => (Self::Within, rest),
            _ => {
                return Err(error(
                    "write \"=gmail.com\" for one domain or \".gov\" for a domain and all below it",
                ));
            }
        };
        address::domain(rest)
            .map(make)
            .map_err(|_| error("no domain name follows the sign"))
    }

    fn domain(&self) -> &Domain {
        match self {
            Self::Exact(domain) | Self::Within(domain) => domain,
        }
    }
}

impl fmt::Display for Name {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let sign = match self {
            Self::Exact(_) => '=',
            Self::Within(_) => '.',
        };
        write!(f, "{sign}{}", self.domain())
    }
}

impl TryFrom<String> for Name {
    type Error = NameError;

    fn try_from(text: String) -> Result<Self, NameError> {
        Self::parse(&text)
    }
}

impl From<Name> for String {
    fn from(name: Name) -> Self {
        name.to_string()
    }
}

/// How closely a name fits a domain: more labels are closer, and of equals the exact one.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub struct Closeness(usize);

/// The name of a set that fits a domain best.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Fit {
    /// Which.
    pub name: Name,
    /// How closely.
    pub closeness: Closeness,
}

/// Many names, asked by domain in as many look-ups as the domain has labels.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Names {
    exact: HashSet<Domain>,
    within: HashSet<Domain>,
}

impl Names {
    /// The closest name that fits `domain`.
    pub fn fit(&self, domain: &Domain) -> Option<Fit> {
        let labels = |domain: &Domain| domain.as_str().split('.').count();
        if self.exact.contains(domain) {
            return Some(Fit {
                closeness: Closeness(labels(domain) * 2 + 1),
                name: Name::Exact(domain.clone()),
            });
        }
        let parents = std::iter::successors(Some(domain.as_str()), |name| {
            name.split_once('.').map(|(_, parent)| parent)
        });
        // Longest first, so the first that is there is the closest. What stands after a dot of a domain is a domain.
        parents
            .filter_map(|parent| address::domain(parent).ok())
            .find(|parent| self.within.contains(parent))
            .map(|parent| Fit {
                closeness: Closeness(labels(&parent) * 2),
                name: Name::Within(parent),
            })
    }

    /// How many names.
    pub fn len(&self) -> usize {
        self.exact.len() + self.within.len()
    }

    /// Whether there is none.
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    fn add(&mut self, name: Name) {
        match name {
            Name::Exact(domain) => self.exact.insert(domain),
            Name::Within(domain) => self.within.insert(domain),
        };
    }

    /// Reads a published list: a name a line, `#` begins a comment, `.` and `*.` in front mean all below. A name without
    /// a sign is that domain alone. Also says how many lines were no names.
    pub fn read_list(text: &str) -> (Self, usize) {
        let (mut names, mut bad) = (Self::default(), 0);
        for line in text.trim_start_matches('\u{feff}').lines() {
            let line = line.split(['#', ';']).next().unwrap_or_default().trim();
            let line = line.strip_prefix('@').unwrap_or(line);
            if line.is_empty() || line.starts_with("//") {
                continue;
            }
            let name = match line.strip_prefix("*.") {
                Some(rest) => address::domain(rest).map(Name::Within).ok(),
                None if line.starts_with(['.', '=']) => Name::parse(line).ok(),
                None => address::domain(line).map(Name::Exact).ok(),
            };
            match name {
                Some(name) => names.add(name),
                None => bad += 1,
            }
        }
        (names, bad)
    }
}

impl FromIterator<Name> for Names {
    fn from_iter<I: IntoIterator<Item = Name>>(names: I) -> Self {
        let mut all = Self::default();
        for name in names {
            all.add(name);
        }
        all
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn names(texts: &[&str]) -> Names {
        texts.iter().map(|text| Name::parse(text).unwrap()).collect()
    }

    fn fit(names: &Names, domain: &str) -> Option<String> {
        names
            .fit(&Domain::parse(domain).unwrap())
            .map(|fit| fit.name.to_string())
    }

    #[test]
    fn the_closest_name_fits() {
        let names = names(&[".gov", "=gov.uk", ".gov.uk", ".parks.gov", "=parks.gov"]);
        for (domain, name) in [
            ("nyc.gov", Some(".gov")),
            ("gov", Some(".gov")),
            ("gov.uk", Some("=gov.uk")),
            ("x.gov.uk", Some(".gov.uk")),
            ("parks.gov", Some("=parks.gov")),
            ("a.parks.gov", Some(".parks.gov")),
            ("mygov", None),
            ("gov.example", None),
            ("x.gov.br", None),
        ] {
            assert_eq!(fit(&names, domain).as_deref(), name, "{domain}");
        }
        let close = |domain: &str| names.fit(&Domain::parse(domain).unwrap()).unwrap().closeness;
        assert!(close("gov.uk") > close("x.gov.uk") && close("x.gov.uk") > close("nyc.gov"));
    }

    #[test]
    fn a_name_needs_its_sign() {
        for text in ["gov", "", ".", "=", "=a b", ".gov.", "*.gov", ".1.2.3.4"] {
            let accepted = Name::parse(text);
            assert!(accepted.is_err() || text == ".gov.", "{text}");
        }
    }

    #[test]
    fn lists_are_read_leniently() {
        let text =
            "\u{feff}# free mail\r\nGmail.com\r\n*.mailer.example ; note\n.gov\n@aol.com\n\nnot a name\n<html>\n// x\n";
        let (names, bad) = Names::read_list(text);
        assert_eq!((names.len(), bad), (4, 2));
        assert_eq!(fit(&names, "gmail.com").as_deref(), Some("=gmail.com"));
        assert_eq!(fit(&names, "mail.gmail.com"), None);
        assert_eq!(fit(&names, "a.mailer.example").as_deref(), Some(".mailer.example"));
    }
}
