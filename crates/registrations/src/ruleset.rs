//! The rules together: one judgement of one applicant.
//!
//! Rules about the address's domain compete among each other, and the closest name wins. Everything else that fits has
//! a say beside them. Where two that have a say disagree, or what a rule needs could not be found out, a person decides.

use std::collections::{BTreeMap, BTreeSet};

use regex::Regex;

use crate::{Address, Facts, Judgement, Names, Rule, Verdict, address, names::Closeness, rule::pattern};

/// Lists that rules name, as last read; one that was never read is missing.
pub type Lists = BTreeMap<String, Names>;

/// The rules, ready to judge.
#[derive(Debug, Clone)]
pub struct Ruleset {
    rules: Vec<Compiled>,
    hash: String,
}

#[derive(Debug, Clone)]
struct Compiled {
    rule: Rule,
    domains: Names,
    mx: Names,
    usernames: Vec<Regex>,
    reasons: Vec<Regex>,
    lists: Vec<Names>,
    /// Lists that nobody has read yet.
    unread: Vec<String>,
}

/// How a rule fits an applicant.
enum Match {
    No,
    /// With how closely its name fits, when it has one, and what fitted.
    Yes(Option<Closeness>, Vec<String>),
    /// It would if this were known.
    Unknown(String),
}

impl Ruleset {
    /// Compiles rules.
    ///
    /// # Errors
    /// One line about the first that is no good.
    pub fn new(rules: &[Rule], lists: &Lists) -> Result<Self, String> {
        let mut names = BTreeSet::new();
        let mut compiled = Vec::new();
        for rule in rules {
            rule.validate()?;
            if !names.insert(&rule.name) {
                return Err(format!("there are two rules named {:?}", rule.name));
            }
            compiled.push(Compiled::new(rule, lists)?);
        }
        let written = serde_json::to_vec(rules).map_err(|error| error.to_string())?;
        Ok(Self {
            rules: compiled,
            hash: address::hex(&written)[..16].to_owned(),
        })
    }

    /// Which rules these are: the same for the same rules in the same order, whatever their lists hold today.
    pub fn hash(&self) -> &str {
        &self.hash
    }

    /// The rules.
    pub fn rules(&self) -> impl Iterator<Item = &Rule> {
        self.rules.iter().map(|one| &one.rule)
    }

    /// Whether any rule asks who takes a domain's mail.
    pub fn wants_mx(&self) -> bool {
        self.rules.iter().any(|one| !one.rule.mx.is_empty())
    }

    /// The rule of this name.
    pub fn rule(&self, name: &str) -> Option<&Rule> {
        self.rules().find(|rule| rule.name == name)
    }

    /// What the rules say of an applicant. Whether the address is confirmed is no matter of rules: see `plan`.
    pub fn judge(&self, facts: &Facts) -> Judgement {
        let address = match Address::parse(&facts.email) {
            Ok(address) => address,
            Err(error) => return Judgement::hold(format!("the address cannot be read: {error}")),
        };
        if let Some(odd) = address.odd() {
            return Judgement::hold(odd);
        }
        let mut unknown: Vec<(&Compiled, String)> = Vec::new();
        let mut named: Vec<(&Compiled, Closeness, Vec<String>)> = Vec::new();
        let mut others: Vec<(&Compiled, Vec<String>)> = Vec::new();
        for one in &self.rules {
            match one.fits(facts, &address) {
                Match::No => {}
                Match::Unknown(what) => unknown.push((one, what)),
                Match::Yes(Some(closeness), what) => named.push((one, closeness, what)),
                Match::Yes(None, what) => others.push((one, what)),
            }
        }
        let closest = named.iter().map(|(_, closeness, _)| *closeness).max();
        let says: Vec<(&Rule, Vec<String>)> = named
            .into_iter()
            .filter(|(_, closeness, _)| Some(*closeness) == closest)
            .map(|(one, _, what)| (&one.rule, what))
            .chain(others.into_iter().map(|(one, what)| (&one.rule, what)))
            .collect();
        let Some((first, what)) = says.first() else {
            return match unknown.first() {
                Some((one, what)) => Judgement::hold(format!("rule {:?} cannot tell: {what}", one.rule.name)),
                None => Judgement::hold("no rule fits"),
            };
        };
        if says.iter().any(|(rule, _)| rule.verdict != first.verdict) {
            let all = says
                .iter()
                .map(|(rule, _)| format!("{:?} says {}", rule.name, rule.verdict));
            return Judgement::hold(format!("rules disagree: {}", all.collect::<Vec<_>>().join(", ")));
        }
        if first.verdict != Verdict::Hold
            && let Some((one, what)) = unknown.iter().find(|(one, _)| one.rule.verdict != first.verdict)
        {
            return Judgement::hold(format!("rule {:?} cannot tell: {what}", one.rule.name));
        }
        if first.verdict == Verdict::Approve && closest.is_some() && foreign_letters(first, &address) {
            return Judgement::hold(
                "the domain below the rule's name is written in letters that may only look like others",
            );
        }
        Judgement {
            verdict: first.verdict,
            rule: Some(first.name.clone()),
            why: format!("rule {:?}: {}", first.name, what.join(", ")),
        }
    }
}

/// Whether a label that the rule does not spell out is punycode: `nyc.gov` and its twin in Cyrillic letters both end
/// in `.gov`, and only a person sees which one was meant.
fn foreign_letters(rule: &Rule, address: &Address) -> bool {
    let spelled = |label: &str| {
        rule.domains
            .iter()
            .any(|name| name.to_string().split(['.', '=']).any(|part| part == label))
    };
    address
        .domain()
        .as_str()
        .split('.')
        .any(|label| label.starts_with("xn--") && !spelled(label))
}

impl Compiled {
    fn new(rule: &Rule, lists: &Lists) -> Result<Self, String> {
        let patterns = |texts: &[String]| -> Result<Vec<Regex>, String> {
            let compiled = texts.iter().map(|text| pattern(text));
            compiled.collect::<Result<_, _>>().map_err(|error| error.to_string())
        };
        Ok(Self {
            domains: rule.domains.iter().cloned().collect(),
            mx: rule.mx.iter().cloned().collect(),
            usernames: patterns(&rule.usernames)?,
            reasons: patterns(&rule.reasons)?,
            lists: rule
                .domain_lists
                .iter()
                .filter_map(|list| lists.get(list).cloned())
                .collect(),
            unread: rule
                .domain_lists
                .iter()
                .filter(|list| !lists.contains_key(*list))
                .cloned()
                .collect(),
            rule: rule.clone(),
        })
    }

    fn fits(&self, facts: &Facts, address: &Address) -> Match {
        let mut what = Vec::new();
        // What is certain first: an unknown only matters where everything else fits.
        if let Some(fitted) = self.plain(facts) {
            what.extend(fitted);
        } else {
            return Match::No;
        }
        let mut closeness = None;
        if self.rule.is_about_the_domain() {
            let sets = std::iter::once(&self.domains).chain(&self.lists);
            let fit = sets
                .filter_map(|names| names.fit(address.domain()))
                .max_by_key(|fit| fit.closeness);
            match fit {
                Some(fit) => {
                    what.insert(0, format!("the address is {}", described(&fit.name.to_string())));
                    closeness = Some(fit.closeness);
                }
                None => match self.unread.first() {
                    Some(list) => return Match::Unknown(format!("the list {list:?} has not been read yet")),
                    None => return Match::No,
                },
            }
        }
        if !self.rule.mx.is_empty() {
            let Some(hosts) = &facts.mx else {
                return Match::Unknown("nobody said who takes the domain's mail".to_owned());
            };
            let hosts = hosts
                .iter()
                .filter_map(|host| address::domain(host.trim_end_matches('.')).ok());
            match hosts.filter_map(|host| self.mx.fit(&host)).next() {
                Some(fit) => what.push(format!("its mail goes to {}", described(&fit.name.to_string()))),
                None => return Match::No,
            }
        }
        Match::Yes(closeness, what)
    }

    /// The conditions that are about neither the domain nor its mail hosts; `None` when one does not fit.
    fn plain(&self, facts: &Facts) -> Option<Vec<String>> {
        let rule = &self.rule;
        let mut what = Vec::new();
        let mut check = |stated: bool, fits: bool, words: &dyn Fn() -> String| {
            if stated && fits {
                what.push(words());
            }
            !stated || fits
        };
        let reason = facts.invite_request.as_deref().unwrap_or_default();
        let any = |patterns: &[Regex], text: &str| patterns.iter().any(|pattern| pattern.is_match(text));
        let one_of = |values: &[String], value: Option<&String>| {
            value.is_some_and(|value| values.iter().any(|one| one == "*" || one == value))
        };
        let locale = facts.locale.as_deref().unwrap_or_default().to_lowercase();
        let speaks = |one: &String| {
            let one = one.to_lowercase();
            locale == one
                || locale
                    .strip_prefix(&one)
                    .is_some_and(|rest| rest.starts_with(['-', '_']))
        };
        let fits = check(
            !self.usernames.is_empty(),
            any(&self.usernames, &facts.username),
            &|| "the name fits a pattern".into(),
        ) && check(!self.reasons.is_empty(), any(&self.reasons, reason), &|| {
            "the reason fits a pattern".into()
        }) && check(
            !rule.ips.is_empty(),
            facts
                .ips
                .iter()
                .any(|ip| rule.ips.iter().any(|net| net.contains(&ip.to_canonical()))),
            &|| "from one of its networks".into(),
        ) && check(!rule.locales.is_empty(), rule.locales.iter().any(speaks), &|| {
            format!("speaks {locale}")
        }) && check(
            !rule.inviters.is_empty(),
            one_of(&rule.inviters, facts.invited_by.as_ref()),
            &|| "invited by one of its people".into(),
        ) && check(
            !rule.applications.is_empty(),
            one_of(&rule.applications, facts.application.as_ref()),
            &|| "came by one of its applications".into(),
        ) && check(
            rule.network_over.is_some(),
            rule.network_over.is_some_and(|most| facts.neighbours > most),
            &|| format!("{} others came from the same network", facts.neighbours),
        ) && check(
            rule.same_reason.is_some(),
            rule.same_reason.is_some_and(|least| facts.same_reason >= least),
            &|| format!("{} others wrote the same reason", facts.same_reason),
        ) && check(
            rule.reason_below.is_some(),
            rule.reason_below
                .is_some_and(|most| reason.trim().chars().count() < most as usize),
            &|| "the reason is short".into(),
        ) && check(
            rule.reason_links.is_some(),
            rule.reason_links.is_some_and(|least| links(reason) >= least as usize),
            &|| "the reason holds links".into(),
        ) && check(rule.rejected_before, facts.rejected_before, &|| {
            "turned away before".into()
        });
        fits.then_some(what)
    }
}

fn links(text: &str) -> usize {
    text.matches("http://").count() + text.matches("https://").count()
}

/// `.gov` as `within gov`, `=gmail.com` as `at gmail.com`.
fn described(name: &str) -> String {
    match name.split_at_checked(1) {
        Some(("=", domain)) => format!("at {domain}"),
        Some((_, domain)) => format!("within {domain}"),
        None => name.to_owned(),
    }
}

#[cfg(test)]
mod tests;
