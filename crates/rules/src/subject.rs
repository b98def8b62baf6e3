//! What is judged: an account, and statuses of it.

use chrono::{DateTime, Utc};
use model::{Role, Visibility};
use serde::{Deserialize, Serialize};

/// An account with the statuses that are looked at together.
///
/// It holds what everybody can see, and never an e-mail address or where somebody came from.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
#[serde(default)]
pub struct Subject {
    /// Whose.
    pub account: AccountFacts,
    /// Its statuses. Those marked as `context` only count for rules that look across statuses.
    pub statuses: Vec<StatusFacts>,
}

/// What rules may ask of an account. `None` is "nobody said", which is never a hit.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
#[serde(default)]
pub struct AccountFacts {
    /// On the server that told of it.
    pub id: String,
    /// Without the domain.
    pub username: String,
    /// As shown.
    pub display_name: String,
    /// HTML.
    pub bio: String,
    /// Names and values of the profile's table; HTML.
    pub fields: Vec<(String, String)>,
    /// `None` for the server's own people.
    pub domain: Option<String>,
    /// The profile's page.
    pub url: Option<String>,
    /// When it was made. Public entities say the day only.
    pub created_at: Option<DateTime<Utc>>,
    /// Who follows it; `None` where the server hides it.
    pub followers: Option<u64>,
    /// Whom it follows.
    pub following: Option<u64>,
    /// What it wrote, as far as the server knows.
    pub statuses_count: Option<u64>,
    /// Says it is automated.
    pub bot: bool,
    /// Follow requests are asked for.
    pub locked: bool,
    /// Limited already.
    pub silenced: bool,
    /// Suspended already.
    pub suspended: bool,
    /// Has a picture of its own.
    pub has_avatar: Option<bool>,
    /// Has a header picture of its own.
    pub has_header: Option<bool>,
    /// Its role's permission bits, as [`Role`] reads them.
    pub permissions: String,
    /// Its role's id.
    pub role: Option<String>,
    /// It is one of our own logins.
    pub is_own: bool,
    /// Somebody of ours (a login, or staff when so configured) follows it.
    pub followed: Option<bool>,
    /// It follows somebody of ours.
    pub follows: Option<bool>,
    /// It does not show who follows it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub hides_follows: Option<bool>,
}

impl AccountFacts {
    /// `user` for the server's own, `user@domain` for others; lower case.
    pub fn acct(&self) -> String {
        match &self.domain {
            Some(domain) => format!("{}@{domain}", self.username).to_lowercase(),
            None => self.username.to_lowercase(),
        }
    }

    /// Whether it lives on the server that told of it.
    pub fn is_local(&self) -> bool {
        self.domain.is_none()
    }

    /// Whether it may see reports or change accounts here: a permission, never a role's name. Somebody of another server
    /// is no staff of ours.
    pub fn is_staff(&self) -> bool {
        let role = Role {
            name: String::new(),
            permissions: self.permissions.clone(),
        };
        self.is_local() && role.can(Role::MANAGE_REPORTS | Role::MANAGE_USERS)
    }
}

/// What rules may ask of a status.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
#[serde(default)]
pub struct StatusFacts {
    /// On the server that told of it.
    pub id: String,
    /// The key across servers.
    pub uri: Option<String>,
    /// For people.
    pub url: Option<String>,
    /// HTML.
    pub content: String,
    /// What stands in front of hidden content; plain text.
    pub content_warning: String,
    /// Media are hidden at first.
    pub sensitive: bool,
    /// As the author's server says: `en`.
    pub language: Option<String>,
    /// What it was written with.
    pub application: Option<String>,
    /// Who may see it.
    pub visibility: Visibility,
    /// When it was written, by its author's server.
    pub created_at: Option<DateTime<Utc>>,
    /// When it was last edited.
    pub edited_at: Option<DateTime<Utc>>,
    /// It answers another.
    pub is_reply: bool,
    /// It passes another on: judged for nothing but what the wrapper itself says, and counted nowhere.
    pub is_reblog: bool,
    /// Pictures, sounds, films.
    pub media: Vec<MediaFacts>,
    /// What can be voted for; plain text.
    pub poll_options: Vec<String>,
    /// Without `#`.
    pub tags: Vec<String>,
    /// Who is named.
    pub mentions: Vec<MentionFacts>,
    /// Links beyond those in the HTML: the preview card's, a quote's.
    pub links: Vec<String>,
    /// Looked at for what the account usually writes, not judged for itself.
    pub context: bool,
}

/// A picture, sound or film of a status.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct MediaFacts {
    /// `image`, `gifv`, `video`, `audio`, `unknown`.
    pub kind: String,
    /// The alt text.
    pub description: String,
    /// Where it lies; its ending stands for the type that no server tells.
    pub url: Option<String>,
    /// The blurhash.
    pub blurhash: Option<String>,
    /// Known hashes of the file, `sha256:…`, `md5:…`, or of what it shows, `pdq:…`, `phash:…`.
    pub hashes: Vec<String>,
    /// Where the server that told of it keeps the file.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub file: Option<String>,
    /// Where that server keeps a small picture of it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub preview: Option<String>,
    /// Somebody tried to hash it in vain: it is too large, or gone.
    #[serde(skip_serializing_if = "std::ops::Not::not")]
    pub unreadable: bool,
}

impl MediaFacts {
    /// Whether nobody looked at the file yet.
    pub fn is_unread(&self) -> bool {
        self.hashes.is_empty() && !self.unreadable
    }
}

/// Somebody named in a status.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct MentionFacts {
    /// `user` or `user@domain`.
    pub acct: String,
    /// They follow the author or wrote to them before; `None` when nobody looked.
    pub knows_author: Option<bool>,
}

impl MentionFacts {
    /// Whether they are the server's own.
    pub fn is_local(&self) -> bool {
        !self.acct.contains('@')
    }
}
