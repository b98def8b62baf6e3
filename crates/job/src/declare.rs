//! A job in a few lines: its name, what a run is for, which scopes it needs, and what a run does.

/// Declares a struct that is a [`Job`](crate::Job), made by `job(with, section)`.
///
/// ```
/// use job::{JobError, Summary};
///
/// struct Config {
///     length: u64,
/// }
///
/// job::job!(
///     /// Looks at the home timeline.
///     Home, "replies.home", Login, &["read:statuses"],
///     |_cx, config: Config| {
///         let mut summary = Summary::default();
///         summary.add("looked_at", config.length);
///         Ok(summary)
///     }
/// );
/// # fn main() {}
/// ```
///
/// The last part is the body of an async function: it gets the [`JobContext`](crate::JobContext) and what the job was
/// made with, and gives a `Result<Summary, JobError>`. The scopes may look at what the job was made with, too.
#[macro_export]
macro_rules! job {
    ($(#[$doc:meta])* $name:ident, $text:expr, $scope:ident, $scopes:expr, |$cx:ident, $with:ident: $With:ty| $run:expr) => {
        $(#[$doc])*
        struct $name {
            with: ::std::sync::Arc<$With>,
            section: $crate::Section,
        }

        impl $name {
            fn job(with: &::std::sync::Arc<$With>, section: $crate::Section) -> ::std::sync::Arc<dyn $crate::Job> {
                ::std::sync::Arc::new(Self {
                    with: ::std::sync::Arc::clone(with),
                    section,
                })
            }
        }

        #[$crate::async_trait]
        impl $crate::Job for $name {
            fn name(&self) -> &'static str {
                $text
            }

            fn scope(&self) -> $crate::Scope {
                $crate::Scope::$scope
            }

            fn section(&self) -> &$crate::Section {
                &self.section
            }

            fn scopes(&self) -> &'static [&'static str] {
                let $with = &*self.with;
                let _ = $with;
                $scopes
            }

            async fn run(&self, $cx: &$crate::JobContext) -> Result<$crate::Summary, $crate::JobError> {
                let $with = &*self.with;
                let _ = $with;
                $run
            }
        }
    };
}
