//! Listens to a login's stream, so that a thread is visited seconds after its status arrived.
//!
//! What arrives is written to the store, and the job is woken: like any job it finds there what to do. A stream does not
//! repeat what was missed, so after each break, and while no stream can be had, the timeline is read from where we
//! were.

use std::{convert::Infallible, time::Duration};

use job::{Board, JobContext, JobError};
use mastodon::{Cursor, streaming::Event};
use model::Status;
use rand::Rng as _;
use store::{
    cursors,
    heard::{self, Heard},
    job_states,
};
use tokio::time::Instant;

use crate::gather::Found;

/// The job that is woken.
pub(crate) const JOB: &str = "replies.live";

const FIRST_PAUSE: Duration = Duration::from_millis(500);
const LONGEST_PAUSE: Duration = Duration::from_secs(5 * 60);
/// A stream that lasted as long was a good one: the next pause is a short one again.
const WELL: Duration = Duration::from_secs(60);
/// Pages of the timeline read to catch up; what is older is for `replies.home`.
const MOST_PAGES: usize = 5;

/// Listens until the run is stopped or the login is no good.
///
/// # Errors
/// `Stopped`; `Permanent` when the token is refused or lacks its scope.
pub async fn listen(cx: &JobContext, board: &Board) -> Result<(), JobError> {
    let mut ceiling = FIRST_PAUSE;
    loop {
        let begun = Instant::now();
        let Err(ended) = session(cx, board).await;
        match ended {
            JobError::Transient(error) => tracing::debug!(login = cx.login()?.name, "the stream broke: {error:#}"),
            error => return Err(error),
        }
        if begun.elapsed() >= WELL {
            ceiling = FIRST_PAUSE;
        }
        // Anywhere below the ceiling: thousands of listeners must not come back in the same second.
        let pause = ceiling.mul_f64(rand::rng().random_range(0.5..1.0));
        ceiling = (ceiling * 2).min(LONGEST_PAUSE);
        tokio::select! {
            () = cx.stop.cancelled() => return Err(JobError::Stopped),
            () = tokio::time::sleep(pause) => {}
        }
    }
}

/// One connection, to its end.
async fn session(cx: &JobContext, board: &Board) -> Result<Infallible, JobError> {
    // What arrives while we catch up waits in the stream.
    let stream = cx.login()?.client.user_stream().await.map_err(JobError::from);
    if let Err(error @ (JobError::Permanent(_) | JobError::Stopped)) = stream {
        return Err(error);
    }
    catch_up(cx, board).await?;
    let mut stream = stream?;
    loop {
        if let Event::Update(status) = stream.next().await? {
            hear(cx, board, std::slice::from_ref(&*status)).await?;
            remember(cx, &status).await?;
        }
    }
}

/// Reads what entered the timeline since the last status heard.
async fn catch_up(cx: &JobContext, board: &Board) -> Result<(), JobError> {
    let client = &cx.login()?.client;
    let Some(mut last) = cursors::load(&cx.store, JOB, &cx.login()?.name).await? else {
        // From here on. What stands there already is for `replies.home`.
        if let Some(newest) = client.home_timeline(None).await?.items.first() {
            remember(cx, newest).await?;
        }
        return Ok(());
    };
    for _ in 0..MOST_PAGES {
        cx.check_stop()?;
        // The page just above, newest first.
        let page = client.home_timeline(Some(&Cursor::above(&last))).await?;
        let Some(newest) = page.items.first() else {
            return Ok(());
        };
        hear(cx, board, &page.items).await?;
        remember(cx, newest).await?;
        let id = newest.id.to_string();
        if id == last {
            return Ok(());
        }
        last = id;
    }
    if let Some(newest) = client.home_timeline(None).await?.items.first() {
        remember(cx, newest).await?;
    }
    Ok(())
}

async fn remember(cx: &JobContext, status: &Status) -> Result<(), JobError> {
    let now = cx.clock.now();
    Ok(cursors::save(&cx.store, JOB, &cx.login()?.name, status.id.as_str(), now).await?)
}

/// Notes the threads that these are about, and wakes the job if there are any.
async fn hear(cx: &JobContext, board: &Board, statuses: &[Status]) -> Result<(), JobError> {
    let login = cx.login()?;
    let now = cx.clock.now();
    let mut found = Found::new(login.client.host());
    for status in statuses {
        found.take(status, now);
    }
    if found.candidates.is_empty() {
        return Ok(());
    }
    for candidate in found.candidates {
        let row = Heard {
            server: login.server.clone(),
            uri: candidate.uri.to_string(),
            status_id: candidate.status_id.to_string(),
            created_at: candidate.created_at,
            replies: candidate.replies.and_then(|count| count.try_into().ok()),
            heard_at: now,
        };
        heard::save(&cx.store, &row).await?;
    }
    job_states::wake(&cx.store, JOB, &login.server, now).await?;
    board.nudge();
    Ok(())
}
