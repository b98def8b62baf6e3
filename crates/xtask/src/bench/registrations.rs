//! How long somebody waits who signs up with the address of an institution.

use std::time::{Duration, Instant};

use anyhow::bail;

use super::{
    Figure,
    stage::{Egret, Fediverse, Programs},
};

/// Sign-ups, one after the other.
const SIGN_UPS: usize = 200;

const CONFIG: &str = "[replies]\nper_run = 100000\n\
    [registrations]\nmode = \"act\"\nquota = 100000\napprovals_per_hour = 100000\n\
    [registrations.pending]\nenabled = true\n\
    [[registrations.rules]]\nname = \"government\"\nverdict = \"approve\"\ndomains = [\".gov\"]\n";

/// From the sign-up, over the webhook and the look at the account, to the approval at the server. The verdict lies in
/// between, so its budget is held by the sum.
pub(super) fn measure(programs: &Programs) -> anyhow::Result<Figure> {
    let fediverse = Fediverse::start(programs, &["--scenario", "small"])?.visited_by_its_owner();
    let egret = Egret::new(programs, &fediverse, CONFIG)?;
    let _running = egret.run()?;
    fediverse.wait_until_quiet(Duration::from_secs(3))?;
    fediverse.webhook(&egret.webhook(&fediverse), &egret.secret()?, "account.created")?;
    let mut took = Vec::new();
    for n in 0..SIGN_UPS {
        let begin = Instant::now();
        let id = fediverse.sign_up(&format!("bench{n}"), &format!("bench{n}@nyc.gov"))?;
        while !fediverse.wrote(&format!("{id}/approve"))? {
            if begin.elapsed() > Duration::from_secs(90) {
                bail!("{id} was not let in within 90 s");
            }
            std::thread::sleep(Duration::from_millis(1));
        }
        took.push(begin.elapsed());
    }
    took.sort();
    let ms = |at: usize| took[at].as_secs_f64() * 1000.0;
    Ok(Figure {
        what: "sign-up to approval by webhook, p99",
        measured: ms(SIGN_UPS * 99 / 100),
        budget: 200.0,
        unit: "ms",
        baseline: format!(
            "median {:.0} ms; the story it replaces polls every 300,000 ms",
            ms(SIGN_UPS / 2)
        ),
    })
}
