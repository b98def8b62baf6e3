//! What arrived while somebody listened.

use job::{JobContext, JobError};
use model::{StatusId, Uri};
use store::heard::{self, Heard};

use super::{Candidate, Found};

/// One run sees to so many; the rest follows in the next.
const MOST: u32 = 1000;

/// What was heard at this run's server, and the threads it means.
pub(crate) async fn heard(cx: &JobContext) -> Result<(Vec<Heard>, Found), JobError> {
    let login = cx.login()?;
    let rows = heard::list(&cx.store, &login.server, MOST).await?;
    let mut found = Found::new(login.client.host());
    for row in &rows {
        let Ok(uri) = Uri::parse(&row.uri) else { continue };
        found.add(Candidate {
            host: uri.host(),
            uri,
            page: None,
            status_id: StatusId::new(row.status_id.clone()),
            created_at: row.created_at,
            replies: row.replies.and_then(|count| count.try_into().ok()),
        });
    }
    Ok((rows, found))
}
