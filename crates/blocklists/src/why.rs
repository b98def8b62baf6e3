//! Why a domain is blocked, or is not: every list, every rule, every change, from the store alone.

use chrono::{DateTime, Utc};
use model::Severity;
use serde::Serialize;
use store::{
    Db,
    block_entries::{self, Change, Entry},
};

use crate::{
    Config,
    config::domain,
    gather::Library,
    guard::Guard,
    list::{Stance, severity_word},
    merge::{Role, Say, merge},
    name::{Name, is_within},
    plan::Reason,
};

/// Everything known of a domain.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Explanation {
    /// Normalised.
    pub domain: String,
    /// Per policy: what its lists say together.
    pub policies: Vec<Opinion>,
    /// Per server: what we remember.
    pub servers: Vec<Entry>,
    /// What we changed, newest first.
    pub changes: Vec<Change>,
}

/// What the lists of one policy say together.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Opinion {
    /// Which policy.
    pub policy: String,
    /// The block that comes of it, if one does.
    pub severity: Option<Severity>,
    /// How that came, in words.
    pub verdict: String,
    /// What each list says.
    pub says: Vec<Reason>,
    /// Blocks above it that cover it.
    pub covered_by: Vec<String>,
}

/// Explains a domain; `None` when the text is none.
///
/// # Errors
/// When the store fails.
pub async fn why(store: &Db, config: &Config, text: &str) -> Result<Option<Explanation>, store::Error> {
    let Some(name) = domain(text) else { return Ok(None) };
    let digest = crate::signature::sha256(name.as_bytes());
    let mut policies = Vec::new();
    for policy in &config.policies {
        let library = Library::load(store, config, policy).await?;
        let shelf = library.open(Some(&name));
        let voters = shelf.voters();
        let force: Vec<String> = policy.force.iter().filter_map(|text| domain(text)).collect();
        let guard = Guard::new([], force.iter().map(String::as_str), policy.reserved);
        let merging = policy.merging();
        let merged = merge(&voters, &merging, &guard, &[&name]);
        let named = |list: u32| merged.lists.get(list as usize).copied().unwrap_or("?").to_owned();
        let reason = |say: &Say| Reason {
            list: named(say.list),
            severity: say.severity,
            by_digest: say.by_digest,
            is_leaving: say.is_leaving,
        };
        let mut opinion = Opinion {
            policy: policy.name.clone(),
            severity: None,
            verdict: "no list names it".to_owned(),
            says: Vec::new(),
            covered_by: Vec::new(),
        };
        let mut spared_by = Vec::new();
        for voter in &voters {
            let now = voter.rows.iter().map(|row| (row, false));
            for (row, is_leaving) in now.chain(voter.leaving.iter().map(|row| (row, true))) {
                let by_digest = match &row.name {
                    Name::Plain(known) if *known == name => false,
                    Name::Hidden(hidden) if hidden.digest == Some(digest) => true,
                    _ => continue,
                };
                match (voter.role, row.stance) {
                    (Role::Block, Stance::Block(severity)) => opinion.says.push(Reason {
                        list: voter.name.to_owned(),
                        severity,
                        by_digest,
                        is_leaving,
                    }),
                    (Role::Allow | Role::Veto, Stance::Block(_) | Stance::Clear) => spared_by.push(voter.name),
                    _ => {}
                }
            }
        }
        if let Some(entry) = merged.get(&name) {
            opinion.severity = Some(entry.severity);
            opinion.says = entry.says.iter().map(reason).collect();
            let count = entry.says.len();
            let lists = if count == 1 { "list" } else { "lists" };
            let severity = severity_word(entry.severity);
            opinion.verdict = format!("{severity} by {:?} of {count} {lists}", policy.merge).to_lowercase();
        } else if let Some((_, refusal, _)) = merged.refused.iter().find(|(it, ..)| *it == name) {
            opinion.verdict = format!("never blocked: {refusal}");
        } else if let Some((_, list)) = merged.allowed.iter().find(|(it, _)| *it == name) {
            opinion.verdict = format!("spared by {}", named(*list));
        } else if let Some((_, allowed)) = merged.covering.iter().find(|(it, _)| *it == name) {
            opinion.verdict = format!("left out: it covers {allowed}, which is allowed");
        } else if !opinion.says.is_empty() {
            opinion.verdict = "fewer votes than the policy asks for".to_owned();
        } else if !spared_by.is_empty() {
            opinion.verdict = format!("no list wants it blocked; spared by {}", spared_by.join(", "));
        }
        if let (Some(_), Some(list)) = (opinion.severity, merged.unread_bounds.first()) {
            opinion.verdict = format!("{}; held: {list}, which may spare it, was never read", opinion.verdict);
        }
        if merged.is_held(&merging) {
            opinion.verdict = format!("held: {} was never read", merged.unread.join(", "));
            opinion.severity = None;
        }
        opinion.covered_by = merged
            .entries
            .iter()
            .filter(|entry| *entry.domain != *name && is_within(&name, &entry.domain))
            .map(|entry| format!("{} ({})", entry.domain, severity_word(entry.severity)))
            .collect();
        policies.push(opinion);
    }
    Ok(Some(Explanation {
        policies,
        servers: block_entries::of_domain(store, &name).await?,
        changes: block_entries::changes(store, &name, 50).await?,
        domain: name,
    }))
}

impl Explanation {
    /// For people.
    pub fn text(&self) -> String {
        use std::fmt::Write as _;
        let mut text = format!("{}\n", self.domain);
        for opinion in &self.policies {
            let _ = writeln!(text, "  policy {}: {}", opinion.policy, opinion.verdict);
            for say in &opinion.says {
                let how = match (say.by_digest, say.is_leaving) {
                    (true, _) => " (by digest)",
                    (_, true) => " (until lately)",
                    _ => "",
                };
                let _ = writeln!(text, "    {} says {}{how}", say.list, severity_word(say.severity));
            }
            for parent in &opinion.covered_by {
                let _ = writeln!(text, "    covered by {parent}");
            }
        }
        for entry in &self.servers {
            let state = format!("{:?}", entry.state).to_lowercase();
            let note = entry.note.as_deref().map_or(String::new(), |note| format!(": {note}"));
            let _ = writeln!(text, "  on {}: {state}{note}", entry.server);
        }
        for change in &self.changes {
            let when: DateTime<Utc> = change.changed_at;
            let undone = if change.undone_by.is_some() { ", undone" } else { "" };
            let rule = change.reason["rule"].as_str().unwrap_or_default();
            let _ = writeln!(
                text,
                "  {} {} on {} by {}: {rule}{undone}",
                when.format("%Y-%m-%d %H:%M"),
                change.action,
                change.server,
                change.who
            );
        }
        text
    }
}
