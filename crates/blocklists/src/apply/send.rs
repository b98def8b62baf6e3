//! One operation: recorded, sent, read again where nobody knows what came of it, and remembered.

use std::{
    collections::BTreeMap,
    sync::{Arc, Mutex, PoisonError},
    time::Duration,
};

use job::{JobContext, JobError, Login, Sent, Settled, Wish};
use mastodon::{AdminDomainBlock, Creation, Error, Permit};
use serde_json::{Value, json};
use store::block_entries::{self, Entry, State};

use super::{Author, Done, record};
use crate::{
    config::domain,
    guard::Guard,
    list::severity_word,
    plan::{Action, Kind, Operation},
};

/// Times one operation is tried where the server is busy or does not say what it did.
const TRIES: u32 = 5;

/// Operations in a row without a clear outcome after which a run gives up: the server is down.
const MOST_UNKNOWN: usize = 3;

/// A busy server is asked again after this.
const PAUSE: Duration = Duration::from_secs(1);

/// Carries operations out on one server.
#[derive(Debug)]
pub struct Carrier<'a> {
    /// The doors.
    pub cx: &'a JobContext,
    /// The server.
    pub login: &'a Login,
    /// Whose run this is.
    pub author: Author,
    /// What is never blocked there, on whatever path.
    pub guard: &'a Guard,
    /// Our records, by domain.
    pub entries: BTreeMap<String, Entry>,
}

/// What came of one try.
enum Outcome {
    Done,
    Rehearsed,
    Held,
    /// An earlier intent for the same is still open.
    Open,
    /// This block stands in the way.
    Exists(AdminDomainBlock),
    Refused(String),
    Busy,
    Unknown,
}

/// What a sending left behind, beside its answer.
#[derive(Default)]
struct Trace {
    effect: Option<String>,
    exists: Option<AdminDomainBlock>,
}

impl Carrier<'_> {
    /// Carries operations out in their order. Each is remembered before the next begins, so a run may end anywhere.
    ///
    /// # Errors
    /// When the run is stopped, the token may not, the server is down or the store fails; what was done stays done and
    /// is on record.
    pub async fn carry_out<'o>(&mut self, operations: impl Iterator<Item = &'o Operation>) -> Result<Done, JobError> {
        let operations: Vec<&Operation> = operations.collect();
        let mut done = Done {
            run: self.author.run.clone(),
            ..Done::default()
        };
        let mut unknown = 0;
        self.cx.progress.begin("blocks", Some(operations.len() as u64));
        for (n, operation) in operations.iter().enumerate() {
            self.cx.check_stop()?;
            // To weaken or lift is no block, whatever it is of.
            if matches!(operation.kind, Kind::Create | Kind::Update)
                && let Some(refusal) = self.guard.refuses(&operation.domain)
            {
                done.failed.push((operation.domain.clone(), refusal.to_string()));
                continue;
            }
            let outcome = self.stubborn(operation).await?;
            unknown = if matches!(outcome, Outcome::Unknown) {
                unknown + 1
            } else {
                0
            };
            if matches!(outcome, Outcome::Held) {
                // The rest would wait as well: each would be a row that says the same.
                done.waiting = operations.len() - n;
                break;
            }
            self.note(operation, outcome, &mut done).await?;
            if unknown >= MOST_UNKNOWN {
                return Err(JobError::Transient(anyhow::anyhow!(
                    "{} does not say what it does; {} of {} operations are done",
                    self.login.server,
                    done.writes(),
                    operations.len()
                )));
            }
            self.cx.progress.advance(1);
        }
        Ok(done)
    }

    async fn note(&mut self, operation: &Operation, outcome: Outcome, done: &mut Done) -> Result<(), JobError> {
        let name = operation.domain.clone();
        match outcome {
            Outcome::Done => match operation.action {
                Action::Create { .. } => done.created += 1,
                Action::Update { .. } => done.updated += 1,
                Action::Delete { .. } => done.deleted += 1,
            },
            Outcome::Rehearsed => done.rehearsed += 1,
            Outcome::Exists(block) if domain(&block.domain).as_ref() == Some(&name) => done.covered += 1,
            Outcome::Exists(block) => {
                done.covered += 1;
                let note = format!(
                    "the block of {} ({}) covers it",
                    block.domain,
                    severity_word(block.is())
                );
                self.set_aside(operation, State::Covered, note).await?;
            }
            Outcome::Refused(why) => {
                if matches!(operation.action, Action::Create { .. }) {
                    self.set_aside(operation, State::Quarantined, why.clone()).await?;
                }
                done.failed.push((name, why));
            }
            Outcome::Busy => done.failed.push((name, "the server asks to slow down".to_owned())),
            Outcome::Unknown | Outcome::Open => done.unknown += 1,
            Outcome::Held => done.waiting += 1,
        }
        Ok(())
    }

    async fn set_aside(&mut self, operation: &Operation, state: State, note: String) -> Result<(), JobError> {
        let known = self.entries.get(&operation.domain);
        let entry = record::refused(known, &self.login.server, operation, state, note, self.cx.clock.now());
        block_entries::save(&self.cx.store, &entry).await?;
        self.entries.insert(operation.domain.clone(), entry);
        Ok(())
    }

    /// Tries until there is a clear outcome, or no hope for one.
    async fn stubborn(&mut self, operation: &Operation) -> Result<Outcome, JobError> {
        let mut last = Outcome::Unknown;
        for n in 0..TRIES {
            if n > 0 {
                // The limits know how long a server wants to be left alone; this is for those that do not say.
                tokio::select! {
                    () = self.cx.stop.cancelled() => return Err(JobError::Stopped),
                    () = tokio::time::sleep(PAUSE) => {}
                }
            }
            last = self.once(operation).await?;
            match last {
                Outcome::Busy => {}
                Outcome::Unknown if n + 1 < TRIES => {}
                _ => return Ok(last),
            }
        }
        Ok(last)
    }

    /// Sends once. Without a clear answer the server is asked what is there.
    async fn once(&mut self, operation: &Operation) -> Result<Outcome, JobError> {
        let trace = Arc::new(Mutex::new(Trace::default()));
        let wish = self.wish(operation).await?;
        let sent = self
            .cx
            .effects
            .carry_out(wish, |permit| self.send(operation, permit, Arc::clone(&trace)))
            .await;
        let Trace { effect, exists } = std::mem::take(&mut *trace.lock().unwrap_or_else(PoisonError::into_inner));
        let error = match sent {
            Ok(Sent::Done(result)) => {
                let after = serde_json::from_value(result).ok();
                return self.remember(operation, effect.unwrap_or_default(), after).await;
            }
            Ok(Sent::Rehearsed) => return Ok(Outcome::Rehearsed),
            Ok(Sent::Held(_)) => return Ok(Outcome::Held),
            Ok(Sent::Known) => return Ok(Outcome::Open),
            Err(error) => error,
        };
        if let Some(block) = exists {
            return Ok(Outcome::Exists(block));
        }
        let Some(told) = cause(&error) else { return Err(error) };
        match told {
            Error::RateLimited { .. } => Ok(Outcome::Busy),
            Error::Invalid { .. } => Ok(Outcome::Refused("the server does not take it".to_owned())),
            Error::NotFound { .. } | Error::Gone { .. } => Ok(Outcome::Refused("the block is gone".to_owned())),
            Error::Revoked { .. } | Error::Scope { .. } | Error::Forbidden { .. } | Error::NoToken { .. } => Err(error),
            Error::Net(
                net::Error::Stopped | net::Error::Refused { .. } | net::Error::Blocked(_) | net::Error::Resting { .. },
            ) => Err(error),
            _ => match effect {
                Some(effect) => self.look(operation, effect).await,
                None => Err(error),
            },
        }
    }

    async fn wish(&self, operation: &Operation) -> Result<Wish, JobError> {
        let kind = match operation.action {
            Action::Create { .. } => "domain_block.create",
            Action::Update { .. } => "domain_block.update",
            Action::Delete { .. } => "domain_block.delete",
        };
        // The same wish after another change is another wish: a block may be made, lifted, and made again.
        let after = block_entries::last_change(&self.cx.store, &self.login.server, &operation.domain).await?;
        let place = match &operation.action {
            Action::Create { .. } => "",
            Action::Update { id, .. } | Action::Delete { id } => id,
        };
        Ok(Wish {
            kind,
            server: self.login.server.clone(),
            key: format!(
                "{} {place} after {}",
                operation.domain,
                after.as_deref().unwrap_or("nothing")
            ),
            intent: json!({ "operation": operation, "run": self.author.run, "who": self.author.who }),
            reason: record::reason(operation),
        })
    }

    fn send(
        &self,
        operation: &Operation,
        permit: Permit,
        trace: Arc<Mutex<Trace>>,
    ) -> impl Future<Output = Result<Value, Error>> + Send + use<> {
        let (client, name, action) = (
            self.login.client.clone(),
            operation.domain.clone(),
            operation.action.clone(),
        );
        trace.lock().unwrap_or_else(PoisonError::into_inner).effect = Some(permit.effect().to_owned());
        async move {
            let block = match action {
                Action::Create { fields } => match client.create_domain_block(&name, &fields, permit).await? {
                    Creation::Made(block) => block,
                    Creation::Exists(block) => {
                        trace.lock().unwrap_or_else(PoisonError::into_inner).exists = Some(block);
                        return Err(Error::Invalid {
                            host: client.host(),
                            what: "domain_blocks".to_owned(),
                        });
                    }
                },
                Action::Update { id, fields } => client.update_domain_block(&id, &fields, permit).await?,
                Action::Delete { id } => {
                    client.delete_domain_block(&id, permit).await?;
                    return Ok(json!({}));
                }
            };
            Ok(record::value(Some(&block)).unwrap_or_default())
        }
    }

    /// Nobody knows whether it arrived: the server is asked, and the effect settled by what it shows.
    async fn look(&mut self, operation: &Operation, effect: String) -> Result<Outcome, JobError> {
        let Ok(there) = self.there(operation).await else {
            return Ok(Outcome::Unknown);
        };
        let arrived = match (&operation.action, &there) {
            (Action::Delete { .. }, there) => there.is_none(),
            (Action::Create { fields } | Action::Update { fields, .. }, Some(block)) => record::has(block, fields),
            (_, None) => false,
        };
        if !arrived {
            let outcome = Settled::Failed("the server shows that it did not arrive".to_owned());
            self.cx.effects.settle(&effect, outcome).await?;
            return Ok(Outcome::Unknown);
        }
        let shown = record::value(there.as_ref()).unwrap_or_else(|| json!({}));
        self.cx.effects.settle(&effect, Settled::Done(shown)).await?;
        self.remember(operation, effect, there).await
    }

    /// The block that an operation is about, as the server shows it now.
    async fn there(&self, operation: &Operation) -> Result<Option<AdminDomainBlock>, Error> {
        let client = &self.login.client;
        match &operation.action {
            Action::Create { .. } => {
                let newest = client.newest_domain_blocks().await?;
                Ok(newest
                    .into_iter()
                    .find(|block| domain(&block.domain).as_ref() == Some(&operation.domain)))
            }
            Action::Update { id, .. } | Action::Delete { id } => match client.domain_block(id).await {
                // `GoToSocial` answers 500 for a block that is gone; its list is always whole.
                Err(Error::ServerDown { .. }) => {
                    let all = client.newest_domain_blocks().await?;
                    Ok(all.into_iter().find(|block| block.id == *id))
                }
                other => other,
            },
        }
    }

    async fn remember(
        &mut self,
        operation: &Operation,
        effect: String,
        after: Option<AdminDomainBlock>,
    ) -> Result<Outcome, JobError> {
        record(
            self.cx,
            &self.login.server,
            operation,
            &effect,
            after.as_ref(),
            &self.author,
            &mut self.entries,
        )
        .await?;
        Ok(Outcome::Done)
    }
}

/// Writes a change and what is known after it.
pub(super) async fn record(
    cx: &JobContext,
    server: &str,
    operation: &Operation,
    effect: &str,
    after: Option<&AdminDomainBlock>,
    author: &Author,
    entries: &mut BTreeMap<String, Entry>,
) -> Result<(), JobError> {
    let now = cx.clock.now();
    let after = after.filter(|_| !matches!(operation.action, Action::Delete { .. }));
    let change = record::change(effect, server, operation, after, author, now);
    let entry = record::entry(entries.get(&operation.domain), server, operation, after, effect, now);
    block_entries::record(&cx.store, &change, entry.as_ref()).await?;
    match entry {
        Some(entry) => entries.insert(operation.domain.clone(), entry),
        None => entries.remove(&operation.domain),
    };
    Ok(())
}

/// What the server said, if it was the server.
fn cause(error: &JobError) -> Option<&Error> {
    match error {
        JobError::Transient(error) | JobError::Permanent(error) => error.downcast_ref(),
        JobError::Stopped => None,
    }
}
