//! Carries decisions out and remembers them.

mod digest;
mod due;
mod hints;
mod letters;
mod lists;
mod news;
mod pass;
mod send;
mod walk;

pub(crate) use digest::digest;
pub(crate) use letters::send_letters;
pub(crate) use lists::read_lists;
pub(crate) use pass::Pass;

use job::{JobContext, JobError, Summary};

use crate::{Config, gather::Rules};

/// One run: what was left behind, what a server told, what people asked, then the list.
pub(crate) async fn pending(cx: &JobContext, config: &Config, rules: &Rules) -> Result<Summary, JobError> {
    let mut pass = Pass::begin(cx, config, rules).await?;
    pass.settle().await?;
    let told = pass.hints().await?;
    pass.due().await?;
    pass.walk(told).await?;
    pass.tell_burst().await;
    Ok(pass.summary)
}
