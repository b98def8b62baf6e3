//! Which backups are kept: the newest of each of the last days and weeks that have one, and always the newest.

use std::collections::BTreeSet;

use chrono::{DateTime, Datelike as _, TimeDelta, Utc};

/// One backup, as far as keeping it goes.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Kept<N> {
    /// Its name.
    pub name: N,
    /// When it was made.
    pub made_at: DateTime<Utc>,
    /// Made before something was changed: kept for a week, since that is when mistakes are noticed.
    pub before_change: bool,
}

/// Snapshots before changes are kept this long, and this many of them at most.
const REGRET: (TimeDelta, usize) = (TimeDelta::days(7), 100);

/// Names of those that may go.
pub fn surplus<N: Clone + Ord>(all: &[Kept<N>], daily: usize, weekly: usize, now: DateTime<Utc>) -> Vec<N> {
    let mut newest_first: Vec<&Kept<N>> = all.iter().collect();
    newest_first.sort_by(|a, b| b.made_at.cmp(&a.made_at).then_with(|| b.name.cmp(&a.name)));
    let (mut days, mut weeks) = (BTreeSet::new(), BTreeSet::new());
    let mut regrets = 0;
    let mut gone = Vec::new();
    for (nth, one) in newest_first.into_iter().enumerate() {
        let day = one.made_at.date_naive();
        let week = (day.iso_week().year(), day.iso_week().week());
        let mut stays = nth == 0;
        if days.len() < daily && days.insert(day) {
            stays = true;
        }
        if weeks.len() < weekly && weeks.insert(week) {
            stays = true;
        }
        if one.before_change && now - one.made_at <= REGRET.0 && regrets < REGRET.1 {
            regrets += 1;
            stays = true;
        }
        if !stays {
            gone.push(one.name.clone());
        }
    }
    gone
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(day: i64, hour: i64) -> DateTime<Utc> {
        DateTime::from_timestamp(1_767_571_200, 0).unwrap() + TimeDelta::days(day) + TimeDelta::hours(hour)
    }

    fn nightly(days: i64) -> Vec<Kept<i64>> {
        let one = |day| Kept {
            name: day,
            made_at: at(day, 3),
            before_change: false,
        };
        (0..days).map(one).collect()
    }

    #[test]
    fn seven_days_and_four_weeks_stay() {
        let all = nightly(100);
        let gone = surplus(&all, 7, 4, at(100, 0));
        let stay: Vec<i64> = (0..100).filter(|day| !gone.contains(day)).collect();
        // The newest of this week and of the last are among the seven days.
        assert_eq!(stay, [83, 90, 93, 94, 95, 96, 97, 98, 99]);
        assert!(
            surplus(
                &all.into_iter()
                    .filter(|it| !gone.contains(&it.name))
                    .collect::<Vec<_>>(),
                7,
                4,
                at(100, 0)
            )
            .is_empty()
        );
    }

    #[test]
    fn the_newest_stays_however_old_it_is() {
        assert!(surplus(&nightly(1), 0, 0, at(5000, 0)).is_empty());
        assert_eq!(surplus(&nightly(3), 0, 0, at(5000, 0)), [1, 0]);
    }

    #[test]
    fn what_was_kept_before_changes_stays_a_week() {
        let mut all = nightly(2);
        all.extend((0..5).map(|n| Kept {
            name: 100 + n,
            made_at: at(0, 4 + n),
            before_change: true,
        }));
        assert_eq!(surplus(&all, 7, 4, at(2, 0)), [0]);
        assert_eq!(surplus(&all, 7, 4, at(30, 0)), [103, 102, 101, 100, 0]);
    }
}
