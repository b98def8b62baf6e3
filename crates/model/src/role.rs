//! What somebody may do on their server: Mastodon's roles and their permission bits.

use serde::{Deserialize, Serialize};

use crate::lenient;

/// A role, judged by its permission bits only.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, Default)]
pub struct Role {
    /// For people; never decide by it.
    #[serde(default, deserialize_with = "lenient::or_default")]
    pub name: String,
    /// A decimal string of a bit mask.
    #[serde(default, deserialize_with = "lenient::or_default")]
    pub permissions: String,
}

/// Every permission of Mastodon 4.6, by its bit and its name there.
const NAMES: [(u64, &str); 23] = [
    (0x1, "administrator"),
    (0x2, "view_devops"),
    (0x4, "view_audit_log"),
    (0x8, "view_dashboard"),
    (0x10, "manage_reports"),
    (0x20, "manage_federation"),
    (0x40, "manage_settings"),
    (0x80, "manage_blocks"),
    (0x100, "manage_taxonomies"),
    (0x200, "manage_appeals"),
    (0x400, "manage_users"),
    (0x800, "manage_invites"),
    (0x1000, "manage_rules"),
    (0x2000, "manage_announcements"),
    (0x4000, "manage_custom_emojis"),
    (0x8000, "manage_webhooks"),
    (0x10000, "invite_users"),
    (0x20000, "manage_roles"),
    (0x40000, "manage_user_access"),
    (0x80000, "delete_user_data"),
    (0x0010_0000, "view_feeds"),
    (0x0020_0000, "invite_bypass_approval"),
    (0x0040_0000, "manage_email_subscriptions"),
];

impl Role {
    /// All permissions.
    pub const ADMINISTRATOR: u64 = 0x1;
    /// Seeing and changing reports.
    pub const MANAGE_REPORTS: u64 = 0x10;
    /// Seeing and changing domain blocks.
    pub const MANAGE_FEDERATION: u64 = 0x20;
    /// Seeing and changing blocks of addresses and of e-mail.
    pub const MANAGE_BLOCKS: u64 = 0x80;
    /// Seeing and changing trends and hashtags.
    pub const MANAGE_TAXONOMIES: u64 = 0x100;
    /// Seeing and changing accounts.
    pub const MANAGE_USERS: u64 = 0x400;

    /// Whether the role has the permission `bit`, administrators having them all.
    pub fn can(&self, bit: u64) -> bool {
        self.bits() & (Self::ADMINISTRATOR | bit) != 0
    }

    /// The permissions that are set, by Mastodon's names; a bit that it got since is given as a number.
    pub fn permission_names(&self) -> Vec<String> {
        let bits = self.bits();
        let named = NAMES.iter().filter(|(bit, _)| bits & bit != 0);
        let unnamed = (0..u64::BITS)
            .map(|shift| 1_u64 << shift)
            .filter(|bit| bits & bit != 0 && NAMES.iter().all(|(known, _)| known != bit));
        named
            .map(|(_, name)| (*name).to_owned())
            .chain(unnamed.map(|bit| format!("{bit:#x}")))
            .collect()
    }

    /// Mastodon's name of a permission.
    pub fn name_of(bit: u64) -> &'static str {
        NAMES
            .iter()
            .find(|(known, _)| *known == bit)
            .map_or("unknown", |(_, name)| name)
    }

    fn bits(&self) -> u64 {
        self.permissions.parse().unwrap_or(0)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn role(permissions: &str) -> Role {
        Role {
            name: "x".into(),
            permissions: permissions.into(),
        }
    }

    #[test]
    fn the_bit_decides_and_administrators_have_them_all() {
        assert!(role("1").can(Role::MANAGE_FEDERATION) && role("8388607").can(Role::MANAGE_USERS));
        // The default moderator: no domain blocks.
        let moderator = role(&(0x0010_0000 | 0x400 | 0x10 | 0x100 | 0x8 | 0x4).to_string());
        assert!(moderator.can(Role::MANAGE_REPORTS) && !moderator.can(Role::MANAGE_FEDERATION));
        for odd in ["", "many", "-1", "99999999999999999999999"] {
            assert!(!role(odd).can(Role::MANAGE_USERS), "{odd}");
        }
    }

    #[test]
    fn bits_have_names() {
        assert_eq!(role("65536").permission_names(), ["invite_users"]);
        assert_eq!(role("8388609").permission_names(), ["administrator", "0x800000"]);
        assert_eq!(role("8388607").permission_names().len(), NAMES.len());
        assert_eq!(Role::name_of(Role::MANAGE_FEDERATION), "manage_federation");
    }
}
