//! What lists say for the features that read other servers: whom to keep away from.

use job::JobError;
use model::Severity;
use store::{Db, block_sources, shunned};

use crate::{
    config::Source,
    guard::Guard,
    list::{Stance, parse},
    name::Name,
};

/// Writes down what the marked lists suspend, as their last good copies say it.
pub(crate) async fn keep_away(db: &Db, sources: &[Source]) -> Result<(), JobError> {
    let marked: Vec<&Source> = sources.iter().filter(|source| source.keep_away).collect();
    let names: Vec<&str> = marked.iter().map(|source| source.name.as_str()).collect();
    shunned::keep_only(db, &names).await?;
    // A list that holds a whole country by mistake would silence it here too. Reserved names do no harm.
    let guard = Guard::new([], [], true);
    for source in marked {
        // Never read well: what it said before an upgrade or a restart counts on.
        let Some(body) = block_sources::load(db, &source.name)
            .await?
            .and_then(|stored| stored.body)
        else {
            continue;
        };
        let Ok(parsed) = parse(&body, &source.reading()) else {
            continue;
        };
        let suspended = parsed
            .rows
            .iter()
            .filter(|row| row.stance == Stance::Block(Severity::Suspend));
        let domains: Vec<String> = suspended
            .filter_map(|row| match &row.name {
                Name::Plain(domain) => Some(domain.to_string()),
                Name::Hidden(_) => None,
            })
            .filter(|domain| guard.refuses(domain).is_none())
            .collect();
        shunned::replace(db, &source.name, &domains).await?;
    }
    Ok(())
}
