//! What can be allowed, and how far it reaches: words in the store, in scopes of tokens, and on pages alike.

use std::fmt;

/// One thing that a visitor may be allowed.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub(crate) enum Right {
    /// See the common pages, and what is theirs. Whoever has any other right has this one too.
    View,
    /// Cases, rules, reports.
    Moderation,
    /// Who asks to come in.
    Registrations,
    /// Blocklists.
    Federation,
    /// Settings, running and pausing jobs, releasing effects, the panic stop.
    Admin,
}

impl Right {
    /// All of them, weakest first.
    pub(crate) const ALL: [Self; 5] = [
        Self::View,
        Self::Moderation,
        Self::Registrations,
        Self::Federation,
        Self::Admin,
    ];

    /// As it is written in scopes of API tokens.
    pub(crate) fn as_str(self) -> &'static str {
        match self {
            Self::View => "view",
            Self::Moderation => "moderation",
            Self::Registrations => "registrations",
            Self::Federation => "federation",
            Self::Admin => "admin",
        }
    }

    /// From a word. Case counts.
    pub(crate) fn parse(word: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|right| right.as_str() == word)
    }

    /// Of whoever looks after a feature.
    pub(crate) fn of_feature(feature: &str) -> Self {
        match feature {
            "moderation" => Self::Moderation,
            "registrations" => Self::Registrations,
            "blocklists" => Self::Federation,
            _ => Self::Admin,
        }
    }
}

/// How far a right reaches.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Place {
    /// All servers that there are, were and will be, and the daemon itself.
    Everywhere,
    /// One server, `host[:port]`, and all logins there.
    Server(String),
    /// One login, `host[:port]/name`: its owner's.
    Login(String),
}

impl Place {
    /// Whether what is for `scope` (a login, a server, or nothing for the daemon, as in `job_runs`) lies within it. What
    /// is a server's own lies within reach of those who have a login there.
    pub(crate) fn covers(&self, scope: &str) -> bool {
        match self {
            Self::Everywhere => true,
            Self::Server(host) => server_of(scope) == host,
            Self::Login(login) => scope == login || (!scope.is_empty() && scope == server_of(login)),
        }
    }
}

/// The server of a scope; nothing of the daemon's.
pub(crate) fn server_of(scope: &str) -> &str {
    scope.split_once('/').map_or(scope, |(host, _)| host)
}

/// A right, and how far it reaches. Written `moderation`, `moderation@mastodon.example`, `view@mastodon.example/me`.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct Grant {
    pub(crate) right: Right,
    pub(crate) place: Place,
}

impl Grant {
    pub(crate) fn everywhere(right: Right) -> Self {
        let place = Place::Everywhere;
        Self { right, place }
    }

    pub(crate) fn at(right: Right, server: &str) -> Self {
        let place = Place::Server(server.to_owned());
        Self { right, place }
    }

    /// Somebody's own login.
    pub(crate) fn own(login: &str) -> Self {
        Self {
            right: Right::View,
            place: Place::Login(login.to_owned()),
        }
    }

    /// From how it is written. Only seeing is for single logins.
    pub(crate) fn parse(word: &str) -> Option<Self> {
        let Some((right, place)) = word.split_once('@') else {
            return Right::parse(word).map(Self::everywhere);
        };
        let right = Right::parse(right)?;
        let odd = |c: char| c.is_whitespace() || c.is_control() || c == '@';
        if place.is_empty() || place.contains(odd) {
            return None;
        }
        match place.split_once('/') {
            None => Some(Self::at(right, place)),
            Some((host, name)) => (right == Right::View && !host.is_empty() && !name.is_empty() && !name.contains('/'))
                .then(|| Self::own(place)),
        }
    }

    /// The server or login that it is for; `None` for one that reaches everywhere.
    pub(crate) fn scope(&self) -> Option<&str> {
        match &self.place {
            Place::Everywhere => None,
            Place::Server(scope) | Place::Login(scope) => Some(scope),
        }
    }

    /// Whether it lets do `right`, wherever it does.
    pub(crate) fn brings(&self, right: Right) -> bool {
        right == Right::View || self.right == right || self.right == Right::Admin
    }

    /// Whether whoever has this one lacks nothing of the other.
    pub(crate) fn includes(&self, other: &Self) -> bool {
        let far = match &other.place {
            Place::Everywhere => self.place == Place::Everywhere,
            Place::Server(scope) => !matches!(self.place, Place::Login(_)) && self.place.covers(scope),
            Place::Login(scope) => self.place.covers(scope),
        };
        self.brings(other.right) && far
    }
}

impl fmt::Display for Grant {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.right.as_str())?;
        self.scope().map_or(Ok(()), |scope| write!(f, "@{scope}"))
    }
}

/// Grants as the store keeps them.
pub(crate) fn to_words(grants: &[Grant]) -> String {
    let words: Vec<_> = grants.iter().map(ToString::to_string).collect();
    words.join(" ")
}

/// Grants as the store kept them. A word that this version does not know gives nothing.
pub(crate) fn from_words(words: &str) -> Vec<Grant> {
    words.split_whitespace().filter_map(Grant::parse).collect()
}

/// At which servers somebody may something.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Servers {
    /// Those that are configured, and any that were.
    All,
    /// These.
    These(Vec<String>),
}

impl Servers {
    pub(crate) fn has(&self, server: &str) -> bool {
        match self {
            Self::All => true,
            Self::These(hosts) => hosts.iter().any(|host| host == server),
        }
    }

    /// For a filter of the store: `None` for no filter.
    pub(crate) fn filter(&self) -> Option<Vec<String>> {
        match self {
            Self::All => None,
            Self::These(hosts) => Some(hosts.clone()),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn words_and_back() {
        let words = "view moderation@a.example registrations federation@b.example:8443 admin view@a.example/me";
        assert_eq!(to_words(&from_words(words)), words);
        for bad in [
            "owner",
            "Admin",
            "admin@",
            "@a",
            "admin@a.example/me",
            "view@a/b/c",
            "view@/me",
            "view@a/",
            "view@a@b",
        ] {
            assert_eq!(Grant::parse(bad), None, "{bad}");
        }
    }

    #[test]
    fn who_lost_something_is_told_from_who_did_not() {
        let includes = |new: &str, old: &str| Grant::parse(new).unwrap().includes(&Grant::parse(old).unwrap());
        for (new, old) in [
            ("admin", "view@a.example/me"),
            ("admin@a.example", "registrations@a.example"),
            ("moderation@a.example", "view@a.example/me"),
            ("view@a.example/me", "view@a.example/me"),
        ] {
            assert!(includes(new, old), "{new} {old}");
        }
        for (new, old) in [
            ("admin@a.example", "admin"),
            ("admin@a.example", "view@b.example/me"),
            ("view@a.example/me", "view@a.example"),
            ("moderation@a.example", "registrations@a.example"),
            ("view@a.example/me", "view@a.example/you"),
        ] {
            assert!(!includes(new, old), "{new} {old}");
        }
    }
}
