//! A rule: what is said of it beside its conditions.

use std::time::Duration;

use serde::Serialize;

use crate::condition::Condition;

macro_rules! words {
    ($(#[$doc:meta])* $name:ident { $($(#[$vdoc:meta])* $variant:ident = $word:literal),+ $(,)? }) => {
        $(#[$doc])*
        #[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, ::serde::Serialize, ::serde::Deserialize)]
        #[serde(rename_all = "snake_case")]
        pub enum $name { $($(#[$vdoc])* $variant),+ }

        impl $name {
            /// All of them.
            pub const ALL: &[$name] = &[$($name::$variant),+];

            /// As rules spell it.
            pub fn name(self) -> &'static str {
                match self { $(Self::$variant => $word),+ }
            }

            /// Reads the word.
            pub fn parse(word: &str) -> Option<Self> {
                Self::ALL.iter().copied().find(|one| one.name() == word)
            }
        }
    };
}
pub(crate) use words;

words! {
    /// Whether a rule counts.
    State {
        /// It is judged and shown, and leads to nothing: where every rule begins.
        Shadow = "shadow",
        /// It counts.
        Live = "live",
        /// It is not judged.
        Off = "off",
    }
}

words! {
    /// The report's category.
    Category {
        /// Unwanted and many.
        Spam = "spam",
        /// Against the law.
        Legal = "legal",
        /// Against the server's rules, which are named.
        Violation = "violation",
        /// Anything else.
        Other = "other",
    }
}

words! {
    /// What a rule asks for. Everything but a report needs to be allowed by the rule itself.
    Action {
        /// Nothing: the hit is kept.
        Record = "record",
        /// A report that moderators see.
        Report = "report",
        /// A warning to the account.
        Warn = "warn",
        /// Its media are hidden.
        Sensitive = "sensitive",
        /// It cannot sign in; the server's own accounts only.
        Disable = "disable",
        /// It is limited.
        Silence = "silence",
        /// It is suspended.
        Suspend = "suspend",
    }
}

words! {
    /// What the conditions of a rule look at together.
    Scope {
        /// The account and one status.
        Status = "status",
        /// The account and all of its statuses that are looked at: one condition may hold on one, another on another.
        Account = "account",
    }
}

/// A rule.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Rule {
    /// Letters, digits, `-` and `_`; stays when the rule is renamed.
    pub id: String,
    /// For people.
    pub name: String,
    /// Why it is there.
    pub description: String,
    /// Whether it counts, as its file says.
    pub state: State,
    /// What one hit adds to the account's score.
    pub weight: f64,
    /// How many hits of it count per account within the window.
    pub most: u32,
    /// The report's category.
    pub category: Category,
    /// Ids of the server's rules that are broken, for a violation.
    pub server_rules: Vec<String>,
    /// What it asks for.
    pub action: Action,
    /// What may be done without a person.
    pub allow: Vec<Action>,
    /// After how long an action is taken back.
    #[serde(with = "humantime_text")]
    pub undo_after: Option<Duration>,
    /// What the account is told with an action.
    pub tell: String,
    /// It may resolve reports of people by its action.
    pub may_resolve_reports: bool,
    /// A case with nothing but gone statuses is filed all the same.
    pub without_statuses: bool,
    /// What its conditions look at together.
    pub scope: Scope,
    /// Private and direct statuses are judged, too.
    pub private: bool,
    /// Whom it spares, beside the whole set's exemptions.
    pub exempt: crate::Exemptions,
    /// The file it stands in.
    pub file: String,
    /// The line it begins at.
    pub line: usize,
    /// When it hits.
    #[serde(skip)]
    pub(crate) when: Condition,
}

mod humantime_text {
    use std::time::Duration;

    use serde::Serializer;

    #[expect(clippy::ref_option, reason = "serde hands it like this")]
    pub(super) fn serialize<S: Serializer>(value: &Option<Duration>, serializer: S) -> Result<S::Ok, S::Error> {
        match value {
            Some(value) => serializer.collect_str(&humantime::format_duration(*value)),
            None => serializer.serialize_none(),
        }
    }
}
