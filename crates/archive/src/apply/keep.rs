//! Saving a page, and the files that go along where they are wanted.

use job::{JobContext, JobError};
use store::archive::{self, Page, Saved};

use crate::{Config, json_files};

/// Saves a page and its cursor; with `save_json` each of its statuses is a file too.
pub(super) async fn keep(cx: &JobContext, config: &Config, page: &Page<'_>) -> Result<Saved, JobError> {
    // Files first: a crash between the two writes them again, and loses none.
    if config.save_json {
        let folder = config.folder(&cx.store);
        let items = archive::without_forgotten(&cx.store, page.items).await?;
        let items: Vec<_> = items.into_iter().cloned().collect();
        let wanted = Page {
            items: &items,
            ..page.clone()
        };
        json_files::write(&folder, &wanted).await.map_err(|error| {
            JobError::Transient(anyhow::Error::new(error).context("the archive's folder of JSON files"))
        })?;
    }
    Ok(archive::save(&cx.store, page).await?)
}
