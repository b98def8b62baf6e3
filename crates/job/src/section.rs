//! The keys that every job's section of the config shares.
//!
//! `#[serde(flatten)]` does not go with `deny_unknown_fields`, so the keys are written out in each section; the macro
//! [`section!`](crate::section!) does the writing.

use std::{fmt, time::Duration};

use net::Url;
use serde::{Deserialize, Serialize};

use crate::Schedule;

/// What the runner needs to know of a job's section.
#[derive(Debug, Clone, PartialEq)]
pub struct Section {
    /// Whether the job runs at all.
    pub enabled: bool,
    /// When; `Never` where the job is off.
    pub schedule: Schedule,
    /// A random delay up to this is added to each due time.
    pub jitter: Duration,
    /// A run longer than this is ended.
    pub timeout: Duration,
    /// Names of the logins it is for; empty means every login whose scopes suffice.
    pub logins: Vec<String>,
    /// Asked (GET) when a run starts.
    pub on_start: Option<Callback>,
    /// Asked when it finished.
    pub on_done: Option<Callback>,
    /// Asked when it did not.
    pub on_fail: Option<Callback>,
}

impl Section {
    /// Checks what types cannot; `name` is the section's, such as `replies.home`.
    ///
    /// # Errors
    /// One line that names the key.
    pub fn validate(&self, name: &str) -> Result<(), String> {
        self.schedule
            .validate()
            .map_err(|error| format!("[{name}] {}: {}", error.key, error.reason))?;
        if self.timeout.is_zero() {
            return Err(format!(
                "[{name}] timeout: must be longer than nothing, such as \"30m\""
            ));
        }
        for (key, callback) in [
            ("on_start", &self.on_start),
            ("on_done", &self.on_done),
            ("on_fail", &self.on_fail),
        ] {
            if callback
                .as_ref()
                .is_some_and(|callback| !matches!(callback.0.scheme(), "http" | "https"))
            {
                return Err(format!("[{name}] {key}: must be an http(s) address"));
            }
        }
        Ok(())
    }
}

/// An address to tell about a run. Whoever knows it can pretend to be us, so it never prints whole.
#[derive(Clone, PartialEq, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Callback(pub Url);

impl fmt::Debug for Callback {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Callback({}…)", self.0.origin().ascii_serialization())
    }
}

pub use humantime_serde::{self as duration, option as optional_duration};

/// Reads a default in a section; a typing error in one is found by that crate's first test.
#[doc(hidden)]
pub fn parsed(text: &str) -> Duration {
    humantime::parse_duration(text).unwrap_or(Duration::ZERO)
}

/// Defines the section of a job: the shared keys with this job's defaults, and its own keys with theirs.
///
/// ```
/// job::section! {
///     /// `[feature.noun]`.
///     pub struct Noun(enabled = true, every = "10m", timeout = "30m") {
///         /// How many.
///         pub length: usize = 200,
///     }
/// }
/// assert_eq!(Noun::default().length, 200);
/// assert!(Noun::default().section().enabled);
/// ```
#[macro_export]
macro_rules! section {
    (
        $(#[$doc:meta])*
        pub struct $name:ident(enabled = $enabled:expr, every = $every:expr, timeout = $timeout:expr) {
            $( $(#[$field_doc:meta])* pub $field:ident: $type:ty = $default:expr, )*
        }
    ) => {
        $(#[$doc])*
        #[derive(Debug, Clone, PartialEq, serde::Serialize, serde::Deserialize)]
        #[serde(default, deny_unknown_fields)]
        pub struct $name {
            /// Whether the job runs at all.
            pub enabled: bool,
            /// This long after the last start.
            #[serde(with = "job::section::duration")]
            pub every: std::time::Duration,
            /// A cron line of five fields (or six with seconds); takes the place of `every`.
            pub cron: Option<String>,
            /// An IANA name, for `cron`.
            pub timezone: String,
            /// A random delay up to this is added to each due time.
            #[serde(with = "job::section::duration")]
            pub jitter: std::time::Duration,
            /// A run longer than this is ended.
            #[serde(with = "job::section::duration")]
            pub timeout: std::time::Duration,
            /// Names of the logins it is for; empty means every login whose scopes suffice.
            pub logins: Vec<String>,
            /// Asked (GET) when a run starts.
            pub on_start: Option<$crate::section::Callback>,
            /// Asked when it finished.
            pub on_done: Option<$crate::section::Callback>,
            /// Asked when it did not.
            pub on_fail: Option<$crate::section::Callback>,
            $( $(#[$field_doc])* pub $field: $type, )*
        }

        impl Default for $name {
            fn default() -> Self {
                Self {
                    enabled: $enabled,
                    every: $crate::section::parsed($every),
                    cron: None,
                    timezone: "UTC".to_owned(),
                    jitter: std::time::Duration::ZERO,
                    timeout: $crate::section::parsed($timeout),
                    logins: Vec::new(),
                    on_start: None,
                    on_done: None,
                    on_fail: None,
                    $( $field: $default, )*
                }
            }
        }

        impl $name {
            /// The shared keys, as the runner takes them.
            pub fn section(&self) -> $crate::Section {
                $crate::Section {
                    enabled: self.enabled,
                    schedule: match &self.cron {
                        _ if !self.enabled => $crate::Schedule::Never,
                        Some(cron) => $crate::Schedule::Cron { cron: cron.clone(), timezone: self.timezone.clone() },
                        None => $crate::Schedule::Every(self.every),
                    },
                    jitter: self.jitter,
                    timeout: self.timeout,
                    logins: self.logins.clone(),
                    on_start: self.on_start.clone(),
                    on_done: self.on_done.clone(),
                    on_fail: self.on_fail.clone(),
                }
            }
        }
    };
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_callback_does_not_print_its_path() {
        let callback = Callback("https://hc.example/ping/secret".parse().unwrap());
        assert!(!format!("{callback:?}").contains("secret"));
    }
}
