//! Judges posts and accounts by rules that people can read. No I/O: subjects come in, verdicts come out.
//!
//! ```
//! use rules::{NoCounters, Ruleset, Sets, Source, Subject};
//!
//! let source = Source::new("spam.toml", r#"
//!     [[rules]]
//!     id = "casino"
//!     state = "live"
//!     weight = 0.6
//!     when = { keywords = ["casino"], in = ["content", "bio"] }
//! "#);
//! let ruleset = Ruleset::compile(&[source], &Sets::default()).unwrap();
//! let status = serde_json::json!({
//!     "id": "1", "content": "<p>Best <b>cas</b>&#105;no</p>", "visibility": "public",
//!     "account": { "id": "7", "acct": "eve@spam.example" },
//! });
//! let subject = Subject::from_status(&status).unwrap();
//! let verdict = ruleset.judge(&subject, &NoCounters, chrono::DateTime::UNIX_EPOCH);
//! assert_eq!(verdict.score, 0.6);
//! assert_eq!(verdict.contributions[0].evidence[0].original, "cas</b>&#105;no");
//! ```
//!
//! How it is used, in order:
//!
//! 1. [`Ruleset::compile`] reads [`Source`]s (a file's name and its TOML) and the [`Sets`] of domains that lists bring. All
//!    [`Problem`]s come back at once. [`Ruleset::version`] is the hash of the texts. A ruleset never changes: keep it in
//!    an `ArcSwap<Ruleset>` or a `watch`, load it once per subject. Compiling thousands of rules takes a while; do it
//!    beside.
//! 2. What a rule's file says of its state is not the last word: whoever gates going live hands what holds to
//!    [`Ruleset::with_states`], which is cheap.
//! 3. [`Subject::from_status`], [`Subject::from_account`], [`AccountFacts::from_json`] (also for `Admin::Account`) and
//!    [`StatusFacts::from_json`] read what servers send. Set what they cannot know: `account.is_own`, `account.followed`,
//!    `mentions[].knows_author`, `media[].hashes`, and `context = true` on statuses that were judged before or are only
//!    there to show what the account usually writes. Subjects serialise, for keeping.
//!    [`Ruleset::needs`] says which of these are worth finding out.
//! 4. [`Ruleset::counters`] says which counts over time rules ask for. Show each subject to a [`Memory`] before it
//!    is judged, or keep an [`Event`] per status elsewhere ([`Event::of`] says what counts and what does not).
//! 5. [`Ruleset::judge`] gives a [`Verdict`]: every rule that hit, with [`Evidence`] that leads back to the letters
//!    people typed. [`Contribution::counts`] is false for rules in shadow and for accounts that are spared.
//! 6. [`Ruleset::add_up`] says what the [`Hit`]s of an account add up to over the window.
//! 7. Before a rule goes live, [`Backtest`] plays it over what is stored; [`Ruleset::explain`] shows each condition of
//!    each rule for one subject. [`Precision`] says when people no longer agree with a rule.
//!
//! `docs/features/rules.md` is the page for people who write rules.

mod backtest;
mod bench;
mod condition;
mod counters;
mod document;
mod entity;
mod evidence;
mod exempt;
mod explain;
mod facts;
mod field;
mod fingerprint;
mod fuzzy;
mod import;
mod index;
mod judge;
mod leaf;
mod media;
mod memory;
mod pattern;
mod problem;
mod read;
mod required;
mod rule;
mod ruleset;
mod score;
mod search;
mod similar;
mod subject;
mod text;
mod tried;
mod verdict;

pub use backtest::{Backtest, Backtested, Played, Sample};
pub use condition::{DomainOf, Fact, Is};
pub use counters::{Counter, CounterKind, Counters, Event, NoCounters};
pub use exempt::Exemptions;
pub use explain::{Explained, Explanation, Holds};
pub use field::{Field, Fields};
pub use fingerprint::Fingerprint;
pub use import::{ImportError, Imported, from_mastowatch};
pub use memory::Memory;
pub use problem::Problem;
pub use read::Source;
pub use rule::{Action, Category, Rule, Scope, State};
pub use ruleset::{Needs, Ruleset, Sets};
pub use score::{Hit, Precision, Scoring, Total};
pub use subject::{AccountFacts, MediaFacts, MentionFacts, StatusFacts, Subject};
pub use verdict::{Contribution, Evidence, Verdict};
