//! What is wrong with a rule, where, and what to do about it.

use std::fmt;

use serde::Serialize;

/// One mistake in a source.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Problem {
    /// The source's name.
    pub file: String,
    /// The rule's id, or its number in the file when it has none.
    pub rule: Option<String>,
    /// The key, with dots between tables; empty when it is about the whole rule or file.
    pub key: String,
    /// From 1.
    pub line: usize,
    /// From 1, in letters.
    pub column: usize,
    /// What is wrong.
    pub message: String,
    /// What to do.
    pub next: String,
}

impl fmt::Display for Problem {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}:{}:{}: ", self.file, self.line, self.column)?;
        if let Some(rule) = &self.rule {
            write!(f, "rule {rule}: ")?;
        }
        if !self.key.is_empty() {
            write!(f, "`{}`: ", self.key)?;
        }
        write!(f, "{}; {}", self.message, self.next)
    }
}
