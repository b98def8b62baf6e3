//! Where rules look.

use serde::{Deserialize, Serialize};

macro_rules! fields {
    ($($(#[$doc:meta])* $variant:ident = $name:literal),+ $(,)?) => {
        /// A place with text that a condition can look at.
        #[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
        #[serde(rename_all = "snake_case")]
        pub enum Field {
            $($(#[$doc])* $variant),+
        }

        impl Field {
            /// All of them.
            pub const ALL: &[Field] = &[$(Field::$variant),+];

            /// As rules spell it.
            pub fn name(self) -> &'static str {
                match self { $(Self::$variant => $name),+ }
            }
        }
    };
}

fields! {
    /// The account's name without its domain.
    Username = "username",
    /// The name shown.
    DisplayName = "display_name",
    /// The profile's text.
    Bio = "bio",
    /// Names in the profile's table.
    FieldName = "field_name",
    /// Values in the profile's table.
    FieldValue = "field_value",
    /// A status's text.
    Content = "content",
    /// What stands in front of hidden content.
    ContentWarning = "content_warning",
    /// Descriptions of media.
    AltText = "alt_text",
    /// What can be voted for.
    PollOption = "poll_option",
    /// Hashtags, without `#`.
    Tag = "tag",
    /// Who is named: `user@domain`.
    Mention = "mention",
    /// Full addresses of links.
    Url = "url",
    /// Hosts of links, in Unicode.
    Host = "host",
    /// Registered domains of links: `example.co.uk` of `a.b.example.co.uk`.
    RegisteredDomain = "registered_domain",
    /// The status's language.
    Language = "language",
    /// What the status was written with.
    Application = "application",
    /// Type of media: `image`, and the ending of the file, `image/png`.
    MediaType = "media_type",
    /// The account's domain.
    Domain = "domain",
}

impl Field {
    /// Whether it belongs to the account; else to a status. Links belong to both.
    pub fn is_of_account(self) -> bool {
        matches!(
            self,
            Self::Username | Self::DisplayName | Self::Bio | Self::FieldName | Self::FieldValue | Self::Domain
        )
    }

    /// Reads the name, singular or plural.
    pub fn parse(name: &str) -> Option<Self> {
        let plain = name.strip_suffix('s').unwrap_or(name);
        Self::ALL
            .iter()
            .copied()
            .find(|field| field.name() == name || field.name() == plain)
    }
}

/// A set of fields.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Default)]
pub struct Fields(u32);

impl Fields {
    /// What people write and read: everything but links, mentions, tags and what programs say.
    pub const WRITTEN: Fields = Fields::of(&[
        Field::Username,
        Field::DisplayName,
        Field::Bio,
        Field::FieldName,
        Field::FieldValue,
        Field::Content,
        Field::ContentWarning,
        Field::AltText,
        Field::PollOption,
    ]);

    /// Links only.
    pub const LINKS: Fields = Fields::of(&[Field::Url, Field::Host, Field::RegisteredDomain]);

    /// These.
    pub const fn of(fields: &[Field]) -> Self {
        let (mut bits, mut at) = (0, 0);
        while at < fields.len() {
            bits |= 1 << fields[at] as u32;
            at += 1;
        }
        Self(bits)
    }

    /// Whether `field` is among them.
    pub const fn has(self, field: Field) -> bool {
        self.0 & (1 << field as u32) != 0
    }

    /// With `field`.
    #[must_use]
    pub const fn with(self, field: Field) -> Self {
        Self(self.0 | (1 << field as u32))
    }

    /// Those in either.
    #[must_use]
    pub const fn or(self, other: Fields) -> Self {
        Self(self.0 | other.0)
    }

    /// Whether there is none.
    pub const fn is_empty(self) -> bool {
        self.0 == 0
    }

    /// Whether any of them belongs to a status.
    pub fn has_status_fields(self) -> bool {
        Field::ALL
            .iter()
            .any(|field| self.has(*field) && !field.is_of_account())
    }

    /// Them.
    pub fn iter(self) -> impl Iterator<Item = Field> {
        Field::ALL.iter().copied().filter(move |field| self.has(*field))
    }
}
