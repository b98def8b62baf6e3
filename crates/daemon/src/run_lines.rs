//! Sorts log lines by the run that wrote them, for the dashboard.
//!
//! The runner opens a span `run` around each run; what is logged inside of it, by whichever room, belongs to the run.

use std::fmt::{self, Write as _};

use job::RunLogs;
use model::{Clock as _, SystemClock};
use store::run_logs::Line;
use tracing::{
    Event, Level, Subscriber,
    field::{Field, Visit},
    span,
};
use tracing_subscriber::{Layer, layer::Context, registry::LookupSpan};

/// Fields that are not repeated in each line: the page says them once. And those that nobody should have logged.
const LEFT_OUT: [&str; 8] = [
    "run",
    "job",
    "scope",
    "token",
    "secret",
    "authorization",
    "password",
    "cookie",
];

/// The layer.
#[derive(Debug, Clone)]
pub(crate) struct RunLines(pub(crate) RunLogs);

/// The run that a span is about.
struct Run(String);

impl<S: Subscriber + for<'a> LookupSpan<'a>> Layer<S> for RunLines {
    fn on_new_span(&self, attributes: &span::Attributes<'_>, id: &span::Id, context: Context<'_, S>) {
        if attributes.metadata().name() != "run" {
            return;
        }
        let mut fields = Fields::default();
        attributes.record(&mut fields);
        if let (Some(run), Some(span)) = (fields.run, context.span(id)) {
            span.extensions_mut().insert(Run(run));
        }
    }

    fn on_event(&self, event: &Event<'_>, context: Context<'_, S>) {
        let mut fields = Fields::default();
        event.record(&mut fields);
        let of_span = || {
            let mut spans = context.event_scope(event).into_iter().flatten();
            spans.find_map(|span| span.extensions().get::<Run>().map(|run| run.0.clone()))
        };
        let Some(run) = of_span().or(fields.run) else {
            return;
        };
        let level = match *event.metadata().level() {
            Level::ERROR => "error",
            Level::WARN => "warn",
            _ => "info",
        };
        let line = Line {
            at: SystemClock.now(),
            level: level.to_owned(),
            text: format!("{}{}", fields.message, fields.others),
        };
        self.0.add(&run, line);
    }
}

#[derive(Default)]
struct Fields {
    message: String,
    others: String,
    run: Option<String>,
}

impl Visit for Fields {
    fn record_str(&mut self, field: &Field, value: &str) {
        match field.name() {
            "message" => self.message.push_str(value),
            "run" => self.run = Some(value.to_owned()),
            name if LEFT_OUT.contains(&name) => {}
            name => {
                let _ = write!(self.others, " {name}={value}");
            }
        }
    }

    fn record_debug(&mut self, field: &Field, value: &dyn fmt::Debug) {
        self.record_str(field, &format!("{value:?}"));
    }
}

#[cfg(test)]
mod tests {
    use tracing::{info, info_span, warn};
    use tracing_subscriber::layer::SubscriberExt as _;

    use super::*;

    #[test]
    fn a_line_belongs_to_the_run_around_it() {
        let logs = RunLogs::default();
        let subscriber = tracing_subscriber::registry().with(RunLines(logs.clone()));
        tracing::subscriber::with_default(subscriber, || {
            info!("outside");
            let run = info_span!("run", job = "replies.home", scope = "a/me", run = "r1");
            run.in_scope(|| {
                info_span!("inner", host = "b.example").in_scope(|| warn!(tries = 3, token = "hush", "no answer"));
            });
            info!(run = "r1", outcome = "finished", "done");
        });
        let lines = logs.lines("r1");
        let told: Vec<_> = lines
            .iter()
            .map(|line| (line.level.as_str(), line.text.as_str()))
            .collect();
        assert_eq!(told, [("warn", "no answer tries=3"), ("info", "done outcome=finished")]);
    }
}
