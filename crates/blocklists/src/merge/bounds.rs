//! Lists that spare: who is never blocked, or no harder than so.

use std::collections::{BTreeMap, HashMap};

use model::Severity;

use super::{Role, Voter, groups::Groups};
use crate::{list::Stance, name::with_parents};

/// Allow lists and vetoes.
pub(super) struct Bounds<'a> {
    allow: HashMap<&'a str, u32>,
    /// Strict parents of allowed domains.
    above: HashMap<&'a str, (&'a str, u32)>,
    most: HashMap<&'a str, (Severity, u32)>,
}

impl<'a> Bounds<'a> {
    pub(super) fn of(voters: &[Voter<'a>], groups: &Groups<'a>) -> Self {
        let mut bounds = Self {
            allow: HashMap::new(),
            above: HashMap::new(),
            most: HashMap::new(),
        };
        if voters.iter().all(|voter| voter.role == Role::Block) {
            return bounds;
        }
        for (domain, links) in groups.iter() {
            for link in links {
                if link.stance == Stance::Retracted {
                    continue;
                }
                match voters[link.list as usize].role {
                    Role::Block => {}
                    Role::Allow => {
                        let list = bounds.allow.entry(domain).or_insert(link.list);
                        *list = link.list.min(*list);
                    }
                    Role::Veto => {
                        let severity = match link.stance {
                            Stance::Block(severity) => severity,
                            Stance::Clear | Stance::Retracted => Severity::Noop,
                        };
                        let most = bounds.most.entry(domain).or_insert((severity, link.list));
                        *most = (*most).min((severity, link.list));
                    }
                }
            }
        }
        let allowed: BTreeMap<&'a str, u32> = bounds.allow.iter().map(|(domain, list)| (*domain, *list)).collect();
        for (domain, list) in allowed {
            for parent in with_parents(domain).skip(1) {
                bounds.above.entry(parent).or_insert((domain, list));
            }
        }
        bounds
    }

    pub(super) fn allowed(&self, domain: &str) -> Option<u32> {
        if self.allow.is_empty() {
            return None;
        }
        with_parents(domain).find_map(|name| self.allow.get(name).copied())
    }

    pub(super) fn most(&self, domain: &str) -> Option<(Severity, u32)> {
        if self.most.is_empty() {
            return None;
        }
        with_parents(domain)
            .filter_map(|name| self.most.get(name).copied())
            .min()
    }

    /// An allowed domain below this one.
    pub(super) fn below(&self, domain: &str) -> Option<(&'a str, u32)> {
        self.above.get(domain).copied()
    }
}
