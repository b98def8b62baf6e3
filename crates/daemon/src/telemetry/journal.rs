//! Log lines as systemd's journal takes them: how grave each is stands before it, so that `journalctl -p err` finds it.
//! The rest of the line is what it is elsewhere; a collector that reads the journal (Loki's) reads the same JSON.

use std::{fmt, os::unix::fs::MetadataExt as _};

use tracing::{Event, Level, Subscriber};
use tracing_subscriber::{
    fmt::{FmtContext, FormatEvent, FormatFields, format::Writer},
    registry::LookupSpan,
};

/// Whether standard error goes to the journal: `$JOURNAL_STREAM` names the very file. (It is also set for programs whose
/// standard error was sent elsewhere.)
pub(super) fn listens() -> bool {
    let Ok(named) = std::env::var("JOURNAL_STREAM") else {
        return false;
    };
    std::fs::metadata("/proc/self/fd/2").is_ok_and(|file| named == format!("{}:{}", file.dev(), file.ino()))
}

/// Another format with syslog's number of the level before each line.
#[derive(Debug)]
pub(super) struct Prioritised<F>(pub(super) F);

impl<S, N, F> FormatEvent<S, N> for Prioritised<F>
where
    S: Subscriber + for<'a> LookupSpan<'a>,
    N: for<'a> FormatFields<'a> + 'static,
    F: FormatEvent<S, N>,
{
    fn format_event(&self, cx: &FmtContext<'_, S, N>, mut writer: Writer<'_>, event: &Event<'_>) -> fmt::Result {
        write!(writer, "<{}>", priority(*event.metadata().level()))?;
        self.0.format_event(cx, writer, event)
    }
}

fn priority(level: Level) -> u8 {
    match level {
        Level::ERROR => 3,
        Level::WARN => 4,
        Level::INFO => 6,
        _ => 7,
    }
}

#[cfg(test)]
mod tests {
    use std::sync::{Arc, Mutex};

    use tracing_subscriber::{fmt::format, layer::SubscriberExt as _};

    use super::*;

    #[derive(Clone, Default)]
    struct Lines(Arc<Mutex<Vec<u8>>>);

    impl std::io::Write for Lines {
        fn write(&mut self, part: &[u8]) -> std::io::Result<usize> {
            self.0.lock().unwrap().extend_from_slice(part);
            Ok(part.len())
        }

        fn flush(&mut self) -> std::io::Result<()> {
            Ok(())
        }
    }

    #[test]
    fn each_line_begins_with_its_priority_and_is_json_after_it() {
        let lines = Lines::default();
        let kept = lines.clone();
        let layer = tracing_subscriber::fmt::layer()
            .with_writer(move || kept.clone())
            .fmt_fields(format::JsonFields::new())
            .event_format(Prioritised(format::format().json().flatten_event(true)));
        tracing::subscriber::with_default(tracing_subscriber::registry().with(layer), || {
            tracing::error!(job = "x", "it\nfailed");
            tracing::info!("it works");
        });
        let text = String::from_utf8(lines.0.lock().unwrap().clone()).unwrap();
        let lines: Vec<_> = text.lines().collect();
        assert_eq!(lines.len(), 2, "a line each: {text}");
        let error: serde_json::Value = serde_json::from_str(lines[0].strip_prefix("<3>").unwrap()).unwrap();
        assert_eq!((&error["message"], &error["job"]), (&"it\nfailed".into(), &"x".into()));
        assert!(lines[1].starts_with("<6>{"));
    }
}
