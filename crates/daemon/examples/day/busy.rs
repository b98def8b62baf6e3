//! How long each job was at work: the processor time of the threads while they are in a run.

use std::{
    collections::BTreeMap,
    fmt,
    sync::{Arc, Mutex, PoisonError},
    time::Duration,
};

use nix::time::{ClockId, clock_gettime};
use tracing::{
    Subscriber,
    field::{Field, Visit},
    span::{Attributes, Id},
};
use tracing_subscriber::{Layer, filter::filter_fn, layer::Context, prelude::*, registry::LookupSpan};

/// Processor time by job. What a run hands to other threads (the database's, the resolver's) is not in it.
#[derive(Debug, Clone, Default)]
pub(super) struct Busy(Arc<Mutex<BTreeMap<String, Duration>>>);

/// A span's job, and when its thread's clock showed what as it was entered.
#[derive(Default)]
struct Run {
    job: String,
    entered: Option<Duration>,
}

/// Begins to watch every run of this process.
pub(super) fn watch() -> Busy {
    let busy = Busy::default();
    let runs = filter_fn(|metadata| metadata.is_span() && metadata.name() == "run");
    tracing_subscriber::registry()
        .with(busy.clone().with_filter(runs))
        .init();
    busy
}

impl Busy {
    /// Seconds at work by job.
    pub(super) fn seconds(&self) -> BTreeMap<String, f64> {
        let busy = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        busy.iter()
            .map(|(job, took)| (job.clone(), took.as_secs_f64()))
            .collect()
    }
}

impl<S: Subscriber + for<'a> LookupSpan<'a>> Layer<S> for Busy {
    fn on_new_span(&self, attributes: &Attributes<'_>, id: &Id, context: Context<'_, S>) {
        let mut run = Run::default();
        attributes.record(&mut run);
        if let Some(span) = context.span(id) {
            span.extensions_mut().insert(run);
        }
    }

    fn on_enter(&self, id: &Id, context: Context<'_, S>) {
        if let Some(span) = context.span(id)
            && let Some(run) = span.extensions_mut().get_mut::<Run>()
        {
            run.entered = thread_clock();
        }
    }

    fn on_exit(&self, id: &Id, context: Context<'_, S>) {
        let Some(span) = context.span(id) else {
            return;
        };
        let mut extensions = span.extensions_mut();
        if let Some(run) = extensions.get_mut::<Run>()
            && let (Some(entered), Some(now)) = (run.entered.take(), thread_clock())
        {
            let mut busy = self.0.lock().unwrap_or_else(PoisonError::into_inner);
            *busy.entry(run.job.clone()).or_default() += now.saturating_sub(entered);
        }
    }
}

impl Visit for Run {
    fn record_str(&mut self, field: &Field, value: &str) {
        if field.name() == "job" {
            value.clone_into(&mut self.job);
        }
    }

    fn record_debug(&mut self, field: &Field, value: &dyn fmt::Debug) {
        if field.name() == "job" {
            self.job = format!("{value:?}");
        }
    }
}

/// What this thread has used of a processor since it began.
fn thread_clock() -> Option<Duration> {
    clock_gettime(ClockId::CLOCK_THREAD_CPUTIME_ID).ok().map(Duration::from)
}
