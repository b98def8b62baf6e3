//! How long each job was at work: the processor time of the threads while they are in a run.

use std::{
    cell::RefCell,
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

/// Whose run a span is.
#[derive(Default)]
struct Run {
    job: String,
}

thread_local! {
    /// The runs this thread is in, each with what the thread's clock showed as it was entered. One run may be entered by
    /// several threads at once: it hands its span on to what it spawns.
    static ENTERED: RefCell<Vec<(Id, Option<Duration>)>> = const { RefCell::new(Vec::new()) };
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

    fn on_enter(&self, id: &Id, _: Context<'_, S>) {
        ENTERED.with_borrow_mut(|entered| entered.push((id.clone(), thread_clock())));
    }

    fn on_exit(&self, id: &Id, context: Context<'_, S>) {
        let (entered, is_inner) = ENTERED.with_borrow_mut(|entered| {
            let at = entered.iter().rposition(|(of, _)| of == id);
            (at.and_then(|at| entered.remove(at).1), !entered.is_empty())
        });
        // What is in a run within a run is in the outer one's time already.
        if is_inner {
            return;
        }
        if let Some(span) = context.span(id)
            && let Some(run) = span.extensions().get::<Run>()
            && let (Some(entered), Some(now)) = (entered, thread_clock())
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
