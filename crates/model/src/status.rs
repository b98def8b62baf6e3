//! A status, called a post or toot elsewhere.

use chrono::{DateTime, Utc};
use serde::{Deserialize, Serialize};

use crate::{Account, AccountId, StatusId, Uri, lenient};

/// A status as a server shows it. Fields Mastodon always sends may still be missing elsewhere.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Status {
    /// Where this server keeps it. Means nothing on another server.
    pub id: StatusId,
    /// The ActivityPub id; Pleroma's boost wrappers and some software send none.
    #[serde(default, deserialize_with = "lenient::or_default")]
    pub uri: Option<Uri>,
    /// The page for people. May be `null`, and may be a redirect page of a third site on bridges.
    #[serde(default, deserialize_with = "lenient::or_default")]
    pub url: Option<Uri>,
    /// When it was written, by its author's server.
    #[serde(default, deserialize_with = "lenient::time")]
    pub created_at: Option<DateTime<Utc>>,
    /// When it was last edited.
    #[serde(default, deserialize_with = "lenient::time")]
    pub edited_at: Option<DateTime<Utc>>,
    /// Parent, if this server knows it.
    #[serde(default, deserialize_with = "lenient::or_default")]
    pub in_reply_to_id: Option<StatusId>,
    /// Author of the parent; set alone when the parent is deleted or unknown.
    #[serde(default, deserialize_with = "lenient::or_default")]
    pub in_reply_to_account_id: Option<AccountId>,
    /// Who may see it.
    #[serde(default, deserialize_with = "lenient::or_default")]
    pub visibility: Visibility,
    /// Replies that *this server* knows of.
    #[serde(default, deserialize_with = "lenient::count")]
    pub replies_count: Option<u64>,
    /// Author.
    #[serde(default, deserialize_with = "lenient::or_default")]
    pub account: Option<Account>,
    /// The original, when this is a boost wrapper.
    #[serde(default, deserialize_with = "lenient::or_default")]
    pub reblog: Option<Box<Status>>,
    /// Accounts named in it.
    #[serde(default, deserialize_with = "lenient::list")]
    pub mentions: Vec<Mention>,
    /// Never federated (glitch-soc, Hometown).
    #[serde(default, deserialize_with = "lenient::or_default")]
    pub local_only: bool,
}

impl Status {
    /// The status itself, or what it boosts.
    pub fn original(&self) -> &Status {
        self.reblog.as_deref().unwrap_or(self)
    }

    /// The identity across servers: `uri`, else `url`.
    pub fn identity(&self) -> Option<&Uri> {
        self.uri.as_ref().or(self.url.as_ref())
    }
}

/// Who may see a status.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Visibility {
    /// Everyone, in public timelines too.
    Public,
    /// Everyone who has the link.
    Unlisted,
    /// Followers.
    Private,
    /// Those mentioned.
    Direct,
    /// Anything else (`local`, `list` on Pleroma): treated as not for us.
    #[default]
    #[serde(other)]
    Other,
}

impl Visibility {
    /// Whether strangers may read it, so that asking another server about it tells nobody anything.
    pub fn is_open(self) -> bool {
        matches!(self, Self::Public | Self::Unlisted)
    }
}

/// An account named in a status.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Mention {
    /// The account on this server.
    pub id: AccountId,
    /// `user` or `user@domain`.
    #[serde(default)]
    pub acct: String,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn odd_fields_do_not_hide_a_status() {
        let status: Status = serde_json::from_str(
            r#"{"id": 7, "uri": "https://a.example/1", "url": null, "visibility": "local", "replies_count": -1,
                "mentions": [{"acct": "no id"}, {"id": "1", "acct": "b@c.example"}], "account": 5, "pleroma": {}}"#,
        )
        .unwrap();
        assert_eq!(status.id.as_str(), "7");
        assert_eq!(status.visibility, Visibility::Other);
        assert_eq!((status.replies_count, status.mentions.len()), (None, 1));
        assert_eq!(status.identity(), status.uri.as_ref());
    }
}
