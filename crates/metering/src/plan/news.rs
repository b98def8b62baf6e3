//! What of a new point is news: a spike, a drop, a round number, a long silence.

use store::{metered_accounts::Metered, metered_points::Point};

use super::{Plan, Told};
use crate::{Config, chart::grouped};

/// Looks at a point and the row before it.
pub(super) fn look(plan: &mut Plan, config: &Config, account: &Metered, before: Option<&Point>, new: &Point) {
    let Some(before) = before.filter(|before| before.slot < new.slot) else {
        return;
    };
    for (what, was, is) in [
        ("followers", before.followers, new.followers),
        ("following", before.following, new.following),
    ] {
        let (Some(was), Some(is)) = (was.map(i64::from), is.map(i64::from)) else {
            continue;
        };
        if is_spike(config, was, is) {
            let kind = if is > was { "spike" } else { "drop" };
            plan.happened(
                account,
                kind,
                Some(&format!("{was} {what}")),
                Some(&format!("{is} {what}")),
            );
            plan.news.push(Told {
                kind,
                acct: account.acct.clone(),
                host: account.host.clone(),
                remote_id: account.remote_id.clone(),
                text: format!(
                    "{} went from {} to {} {what} within {}",
                    account.acct,
                    grouped(was),
                    grouped(is),
                    length(new.from() - before.until())
                ),
            });
        }
        if what == "followers"
            && config.milestones
            && let Some(reached) = milestone(was, is)
        {
            plan.happened(account, "milestone", None, Some(&format!("{reached} followers")));
            plan.news.push(Told {
                kind: "milestone",
                acct: account.acct.clone(),
                host: account.host.clone(),
                remote_id: account.remote_id.clone(),
                text: format!("{} has {} followers now", account.acct, grouped(reached)),
            });
        }
    }
    let silence = i64::try_from(config.silence.as_secs()).unwrap_or(i64::MAX);
    if silence > 0
        && let (Some(last), false) = (new.last_status.map(|day| i64::from(day) * 86_400), before.is_gap())
    {
        let silent = |at: i64| at - last >= silence;
        if silent(new.from()) && !silent(before.until()) {
            plan.happened(account, "silent", None, None);
            plan.news.push(Told {
                kind: "silence",
                acct: account.acct.clone(),
                host: account.host.clone(),
                remote_id: account.remote_id.clone(),
                text: format!("{} wrote nothing for {}", account.acct, length(new.from() - last)),
            });
        }
    }
}

fn is_spike(config: &Config, was: i64, is: i64) -> bool {
    let change = (is - was).abs();
    config.spike > 0 && change >= i64::from(config.spike) && change * 100 >= was * i64::from(config.spike_percent)
}

/// The largest round number between two counts: 100, 500, 1,000, 5,000, …
fn milestone(was: i64, is: i64) -> Option<i64> {
    (2_u32..10)
        .flat_map(|power| [1, 5].map(|digit| digit * 10_i64.pow(power)))
        .take_while(|number| *number <= is)
        .filter(|number| was < *number)
        .last()
}

/// `3 days`, `5 hours`, `12 minutes`.
pub fn length(seconds: i64) -> String {
    let told = |count: i64, unit: &str| format!("{count} {unit}{}", if count == 1 { "" } else { "s" });
    let minutes = (seconds.max(0) + 30) / 60;
    match minutes {
        ..120 => told(minutes, "minute"),
        120..2880 => {
            let hours = (minutes + 30) / 60;
            told(hours, "hour")
        }
        _ => told((minutes + 720) / 1440, "day"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn round_numbers_are_told_once() {
        assert_eq!(milestone(99, 100), Some(100));
        assert_eq!(milestone(100, 101), None);
        assert_eq!(milestone(90, 1200), Some(1000));
        assert_eq!(milestone(1200, 90), None);
        assert_eq!(milestone(0, 99), None);
    }

    #[test]
    fn a_spike_is_many_and_a_large_share() {
        let config = Config::default();
        assert!(is_spike(&config, 0, 5000));
        assert!(is_spike(&config, 2000, 500));
        assert!(!is_spike(&config, 100_000, 102_000), "two in a hundred");
        assert!(!is_spike(&config, 10, 500), "few");
    }

    #[test]
    fn lengths_are_told_roughly() {
        assert_eq!(length(60), "1 minute");
        assert_eq!(length(3 * 3600), "3 hours");
        assert_eq!(length(24 * 3600), "24 hours");
        assert_eq!(length(73 * 3600), "3 days");
    }
}
