//! What runs say while they go on, for pages: filled by whoever receives log lines.

use std::{
    collections::{BTreeMap, VecDeque},
    sync::{Arc, Mutex, MutexGuard, PoisonError},
};

use store::run_logs::Line;

/// Lines kept of a run; the oldest go first.
const LINES: usize = 200;

/// The longest line, in bytes.
const LONGEST: usize = 500;

/// Runs kept; more never run at a time, and what ended is in the store.
const RUNS: usize = 256;

/// The logs of the runs of this process. Clone it freely.
#[derive(Debug, Clone, Default)]
pub struct RunLogs(Arc<Mutex<BTreeMap<String, VecDeque<Line>>>>);

impl RunLogs {
    /// One more line of a run.
    pub fn add(&self, run: &str, mut line: Line) {
        if line.text.len() > LONGEST {
            let end = (0..=LONGEST).rev().find(|end| line.text.is_char_boundary(*end));
            line.text.truncate(end.unwrap_or_default());
            line.text.push('…');
        }
        let mut runs = self.runs();
        // Ids sort by time: the oldest run is the first.
        if !runs.contains_key(run) && runs.len() >= RUNS {
            runs.pop_first();
        }
        let lines = runs.entry(run.to_owned()).or_default();
        if lines.len() >= LINES {
            lines.pop_front();
        }
        lines.push_back(line);
    }

    /// The lines of a run so far, oldest first.
    pub fn lines(&self, run: &str) -> Vec<Line> {
        self.runs().get(run).into_iter().flatten().cloned().collect()
    }

    /// The run has ended: gives its lines, to be stored, and forgets them.
    pub fn take(&self, run: &str) -> Vec<Line> {
        self.runs().remove(run).into_iter().flatten().collect()
    }

    fn runs(&self) -> MutexGuard<'_, BTreeMap<String, VecDeque<Line>>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[cfg(test)]
mod tests {
    use chrono::DateTime;

    use super::*;

    fn line(text: &str) -> Line {
        Line {
            at: DateTime::UNIX_EPOCH,
            level: "info".to_owned(),
            text: text.to_owned(),
        }
    }

    #[test]
    fn a_run_that_talks_for_ever_is_cut() {
        let logs = RunLogs::default();
        for n in 0..1000 {
            logs.add("a", line(&n.to_string()));
        }
        assert_eq!((logs.lines("a").len(), &*logs.lines("a")[0].text), (200, "800"));
        logs.add("a", line(&"ä".repeat(1000)));
        assert!(logs.lines("a").last().unwrap().text.len() < 510);
        for n in 0..1000 {
            logs.add(&format!("r{n:04}"), line("x"));
        }
        assert!(logs.lines("a").is_empty() && logs.runs().len() == RUNS);
        assert_eq!(logs.take("r0999").len(), 1);
        assert!(logs.lines("r0999").is_empty());
    }
}
