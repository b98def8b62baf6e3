//! Judging: which rules hit a subject, and what for.

use chrono::{DateTime, Utc};

use crate::{
    Contribution, Counters, Ruleset, Scope, State, Subject, Verdict,
    bench::{Bench, Together, Truth},
    score::rounded,
};

impl Ruleset {
    /// Judges a subject. It asks nobody but `counters`, and takes as long as the texts are long.
    pub fn judge(&self, subject: &Subject, counters: &dyn Counters, now: DateTime<Utc>) -> Verdict {
        let bench = Bench::new(&self.compiled.index, subject, counters, now);
        let exempt = self.compiled.exempt.spares(&subject.account, now);
        let mut contributions = Vec::new();
        let judge = |number: u32, what: &Together, contributions: &mut Vec<(u32, Contribution)>| -> bool {
            let tree = &bench.index.trees[number as usize];
            if bench.holds(tree, what) != Truth::Yes {
                return false;
            }
            let rule = &self.compiled.rules[number as usize];
            let mut evidence = Vec::new();
            bench.evidence(tree, what, &mut evidence);
            contributions.push((
                number,
                Contribution {
                    rule: rule.id.clone(),
                    state: self.states[number as usize],
                    weight: rule.weight,
                    status: match rule.scope {
                        Scope::Status if what.0.len() == 1 => bench.statuses[what.0.start].status.map(|s| s.id.clone()),
                        _ => None,
                    },
                    exempt: exempt.clone().or_else(|| rule.exempt.spares(&subject.account, now)),
                    evidence,
                },
            ));
            true
        };
        let rule_of = |number: u32| &self.compiled.rules[number as usize];
        let runs =
            |number: u32, scope: Scope| self.states[number as usize] != State::Off && rule_of(number).scope == scope;

        // The account by itself.
        let alone = Together(0..0);
        let mut done: Vec<u32> = Vec::new();
        let mut of_account = Vec::new();
        bench.account.worth(bench.index, &mut of_account);
        let mut candidates = of_account.clone();
        candidates.extend(&bench.index.always);
        for number in unique(&mut candidates) {
            if runs(*number, Scope::Status) && judge(*number, &alone, &mut contributions) {
                done.push(*number);
            }
        }
        // Each status with the account.
        for (n, page) in bench.statuses.iter().enumerate() {
            let Some(status) = page.status.filter(|status| !status.context) else {
                continue;
            };
            let mut candidates = of_account.clone();
            page.worth(bench.index, &mut candidates);
            candidates.extend(&bench.index.always);
            for number in unique(&mut candidates) {
                if runs(*number, Scope::Status)
                    && done.binary_search(number).is_err()
                    && (status.visibility.is_open() || rule_of(*number).private)
                {
                    judge(*number, &Together(n..n + 1), &mut contributions);
                }
            }
        }
        // All together.
        let mut candidates = of_account;
        for page in &bench.statuses {
            page.worth(bench.index, &mut candidates);
        }
        candidates.extend(&bench.index.always);
        for number in unique(&mut candidates) {
            if runs(*number, Scope::Account) {
                judge(*number, &bench.together(rule_of(*number)), &mut contributions);
            }
        }
        contributions.sort_by_key(|(number, _)| *number);
        let score = |counts: &dyn Fn(&Contribution) -> bool| {
            let mut sum = 0.0;
            let mut last = (u32::MAX, 0);
            for (number, hit) in contributions.iter().filter(|(_, hit)| counts(hit)) {
                last = if last.0 == *number {
                    (*number, last.1 + 1)
                } else {
                    (*number, 1)
                };
                if last.1 <= rule_of(*number).most {
                    sum += hit.weight;
                }
            }
            rounded(sum)
        };
        Verdict {
            version: self.compiled.version.clone(),
            score: score(&Contribution::counts),
            shadow_score: score(&|hit| hit.exempt.is_none()),
            exempt,
            contributions: contributions.into_iter().map(|(_, hit)| hit).collect(),
        }
    }
}

fn unique(numbers: &mut Vec<u32>) -> &[u32] {
    if !numbers.is_sorted() {
        numbers.sort_unstable();
    }
    numbers.dedup();
    numbers
}
