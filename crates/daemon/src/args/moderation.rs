//! `egret rules` and `egret cases`.

use std::path::PathBuf;

use clap::Subcommand;

/// What to do with rules.
#[derive(Debug, Subcommand)]
pub enum RulesAction {
    /// Checks rules and says everything that is wrong with them, by file and line
    Check {
        /// Files or folders [default: the rules in place]
        #[arg(value_name = "PATH")]
        paths: Vec<PathBuf>,
    },
    /// Shows the rules in place, how far each is trusted, and how it fares
    List,
    /// Judges a status or an account, as JSON, and says of each condition of each rule whether it holds
    Test {
        /// A file with a Status, an Account or an Admin::Account; - for what is piped in
        file: PathBuf,
        /// Rules to judge by [default: the rules in place]
        #[arg(long, value_name = "PATH")]
        rules: Vec<PathBuf>,
    },
    /// Tries rules on what was seen: hits, accounts, samples, hits to expect in a day
    Backtest {
        /// Files or folders [default: the rules in place]
        #[arg(value_name = "PATH")]
        paths: Vec<PathBuf>,
        /// How far back
        #[arg(long, default_value = "7d", value_name = "TIME")]
        since: humantime::Duration,
    },
    /// Puts a file of rules in place as the next version; new rules begin in shadow
    Put {
        /// A file of rules
        file: PathBuf,
        /// What changed
        #[arg(long, default_value = "", hide_default_value = true)]
        note: String,
    },
    /// Takes over MastoWatch's rules: the answer of its `GET /rules`, as JSON. They begin in shadow
    Import {
        /// The file; - for what is piped in
        file: PathBuf,
        /// Only prints the rules, as TOML
        #[arg(long)]
        print: bool,
    },
    /// Puts the rules of an older version in place again
    Rollback {
        /// Which version
        #[arg(value_name = "VERSION")]
        to: i64,
    },
    /// Says how far a rule is trusted: shadow, live or off
    Stand {
        /// The rule's id
        id: String,
        /// shadow, live or off
        standing: String,
        /// Why; a rule that was not tried on what was seen goes live only with a reason
        #[arg(long, default_value = "", hide_default_value = true)]
        why: String,
    },
}

/// What to do with cases.
#[derive(Debug, Subcommand)]
pub enum CasesAction {
    /// Lists cases, newest first
    List {
        /// Only in this state: open, ready, reported, resolved, dismissed, gone [default: all that are not over]
        #[arg(long)]
        state: Vec<String>,
        /// Only of whose name holds this
        #[arg(long, value_name = "TEXT")]
        search: Option<String>,
        /// Only that this rule spoke in
        #[arg(long, value_name = "ID")]
        rule: Option<String>,
        /// Only at this server
        #[arg(long)]
        server: Option<String>,
        /// How many
        #[arg(long, default_value_t = 50)]
        limit: u32,
    },
    /// Shows a case with its evidence, its history and what would be sent
    Show {
        /// Its id, or its reference
        id: String,
    },
    /// Files its report
    Approve(WhichCases),
    /// Says that there is nothing in it
    Dismiss(WhichCases),
    /// Leaves it to somebody with more say
    Escalate(WhichCases),
    /// Says that there is nothing in it, and that rules leave the account alone
    Exempt(WhichCases),
    /// Prints everything that ever happened, a JSON object a line
    Audit,
}

/// Which cases.
#[derive(Debug, clap::Args)]
pub struct WhichCases {
    /// Ids or references
    #[arg(required = true, value_name = "ID")]
    pub ids: Vec<String>,
    /// Why, for the history
    #[arg(long, default_value = "", hide_default_value = true)]
    pub note: String,
}
