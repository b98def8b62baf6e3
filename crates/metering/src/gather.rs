//! Asking a host for a page of its accounts.

use chrono::TimeDelta;
use job::{
    JobContext, JobError, Login,
    origins::{self, Trouble},
};
use mastodon::{
    Error,
    remote::{self, Flavour, Measured, Software, Whom},
};
use model::{Host, Uri};
use store::{metered_accounts::Metered, metered_hosts};

use crate::plan::Answer;

/// How long a host is remembered as one that answers for one account at a time.
const SINGLE_FOR: TimeDelta = TimeDelta::hours(24);
/// An odd answer is worth another try after this long.
const ODD_AGAIN: TimeDelta = TimeDelta::minutes(15);
/// Who keeps us out is asked again after this long.
const CLOSED_AGAIN: TimeDelta = TimeDelta::hours(20);
/// So many accounts in a row that a host fails at are the host's own trouble.
const FAILURES: u32 = 3;

/// What a host said.
#[derive(Debug, Default)]
pub(crate) struct Page {
    /// Of each account that was asked about.
    pub(crate) answers: Vec<(Metered, Answer)>,
    /// Why the others were not, and how long the host rests.
    pub(crate) trouble: Option<(String, TimeDelta)>,
}

/// How a host is asked.
enum Door<'a> {
    /// It is ours.
    Own(&'a Login),
    /// As strangers.
    Stranger(Software),
}

/// Asks a host for up to 40 of its accounts. `singly` leaves batches aside: after two failures one of them may be why.
pub(crate) async fn page(cx: &JobContext, host: &Host, accounts: Vec<Metered>, singly: bool) -> Result<Page, JobError> {
    let own = cx.logins.iter().find(|login| login.server == host.as_str());
    let door = match own {
        Some(login) => Door::Own(login),
        None => match software(cx, &accounts).await {
            Ok(software) => Door::Stranger(software),
            Err(trouble) => return refused(accounts, trouble),
        },
    };
    let mut page = Page::default();
    let (mut left, mut counted) = (accounts, Vec::new());
    let batches = match &door {
        Door::Own(_) => true,
        Door::Stranger(software) => software.flavour == Flavour::Mastodon,
    };
    let ids: Vec<&str> = left.iter().filter_map(|account| account.remote_id.as_deref()).collect();
    if batches
        && !singly
        && ids.len() > 1
        && !metered_hosts::is_single(&cx.store, host.as_str(), cx.clock.now()).await?
    {
        match batch(cx, &door, host, &left[0], &ids).await {
            Ok(Some(found)) => counted = found,
            Ok(None) => {
                metered_hosts::mark_single(&cx.store, host.as_str(), cx.clock.now() + SINGLE_FOR).await?;
            }
            // Some let strangers see one account and not a list of them.
            Err(Trouble::Closed | Trouble::Gone) => {}
            Err(trouble) => return refused(left, trouble),
        }
    }
    let mut by_id: std::collections::BTreeMap<String, Measured> = counted
        .into_iter()
        .filter_map(|found| Some((found.id.clone()?, found)))
        .collect();
    left.retain(|account| {
        let found = account.remote_id.as_ref().and_then(|id| by_id.remove(id));
        let is_there = found.is_some();
        if let Some(found) = found {
            page.answers.push((account.clone(), Answer::Counts(Box::new(found))));
        }
        !is_there
    });
    let mut failures = 0;
    let mut left = left.into_iter();
    while let Some(account) = left.next() {
        cx.check_stop()?;
        let answer = one(cx, &door, &account).await;
        // Up to two hours: a dozen tries a day, of which chance does not fail all.
        let wait = ODD_AGAIN * (1 << account.tries.clamp(0, 3));
        let answer = match answer {
            Ok(measured) => {
                failures = 0;
                Answer::Counts(Box::new(measured))
            }
            Err(Error::NotFound { .. }) => Answer::Gone("its server says 404"),
            Err(Error::Gone { .. }) => Answer::Gone("its server says 410"),
            Err(error) => {
                let text = error.to_string();
                let is_hosts = matches!(
                    error,
                    Error::ServerDown { .. } | Error::Net(net::Error::Timeout { .. } | net::Error::Unreachable { .. })
                );
                failures += u32::from(is_hosts);
                // One account that a server stumbles over is not the server's end.
                if is_hosts && failures < FAILURES {
                    page.answers.push((account, Answer::Failed(text, wait)));
                    continue;
                }
                let trouble = match &door {
                    Door::Own(_) => Trouble::from(error),
                    Door::Stranger(_) => origins::failed(cx, host, error.into()).await,
                };
                match trouble {
                    Trouble::Run(error) => return Err(error),
                    Trouble::Closed => by_home(cx, &account).await?,
                    Trouble::Odd(reason) => Answer::Failed(reason, wait),
                    Trouble::Gone => Answer::Gone("its server says 404"),
                    trouble => {
                        let (reason, wait) = told(trouble)?;
                        page.answers.push((account, Answer::Failed(reason.clone(), wait)));
                        page.answers.extend(
                            left.by_ref()
                                .map(|account| (account, Answer::Failed(reason.clone(), wait))),
                        );
                        page.trouble = Some((reason, wait));
                        break;
                    }
                }
            }
        };
        page.answers.push((account, answer));
    }
    Ok(page)
}

async fn software(cx: &JobContext, accounts: &[Metered]) -> Result<Software, Trouble> {
    let uri = accounts.first().and_then(|account| Uri::parse(&account.uri).ok());
    match uri {
        Some(uri) => origins::software(cx, &uri).await,
        None => Err(Trouble::Odd("an address that cannot be read".to_owned())),
    }
}

async fn batch(
    cx: &JobContext,
    door: &Door<'_>,
    host: &Host,
    account: &Metered,
    ids: &[&str],
) -> Result<Option<Vec<Measured>>, Trouble> {
    match door {
        Door::Own(login) => Ok(login.client.measured(ids).await?),
        Door::Stranger(software) => {
            let Ok(uri) = Uri::parse(&account.uri) else {
                return Ok(None);
            };
            origins::answered(cx, host, remote::measure_batch(&cx.net, software, &uri, ids).await).await
        }
    }
}

async fn one(cx: &JobContext, door: &Door<'_>, account: &Metered) -> Result<Measured, Error> {
    let username = account.acct.split('@').next().unwrap_or_default();
    match door {
        Door::Own(login) => match &account.remote_id {
            Some(id) => login.client.measured_one(id).await,
            None => login.client.measured_by_name(username).await,
        },
        Door::Stranger(software) => {
            let uri = Uri::parse(&account.uri).map_err(|error| Error::NotJson {
                host: Host::stored(&account.host),
                what: "an account".to_owned(),
                reason: error.to_string(),
            })?;
            let whom = Whom {
                uri: &uri,
                id: account.remote_id.as_deref(),
                username,
            };
            remote::measure(&cx.net, software, whom).await
        }
    }
}

/// What a server of our own knows of an account whose server tells strangers nothing.
async fn by_home(cx: &JobContext, account: &Metered) -> Result<Answer, JobError> {
    let closed = || Answer::Failed(origins::closed(cx).to_owned(), CLOSED_AGAIN);
    let Some(login) = cx.logins.first() else {
        return Ok(closed());
    };
    match login.client.measured_by_name(&account.acct).await {
        // The id is home's, not its own server's.
        Ok(measured) => Ok(Answer::Counts(Box::new(Measured { id: None, ..measured }))),
        Err(Error::Net(net::Error::Stopped)) => Err(JobError::Stopped),
        Err(_) => Ok(closed()),
    }
}

/// A host that was not asked at all.
fn refused(accounts: Vec<Metered>, trouble: Trouble) -> Result<Page, JobError> {
    let (reason, wait) = told(trouble)?;
    Ok(Page {
        answers: accounts
            .into_iter()
            .map(|account| (account, Answer::Failed(reason.clone(), wait)))
            .collect(),
        trouble: Some((reason, wait)),
    })
}

/// In words, and how long to wait.
fn told(trouble: Trouble) -> Result<(String, TimeDelta), JobError> {
    Ok(match trouble {
        Trouble::Run(error) => return Err(error),
        Trouble::Gone => ("its server is gone".to_owned(), CLOSED_AGAIN),
        Trouble::Closed => ("its server shows strangers nothing".to_owned(), CLOSED_AGAIN),
        Trouble::Robots => ("robots.txt asks us to stay away".to_owned(), CLOSED_AGAIN),
        Trouble::Blocked => ("we may not ask its server".to_owned(), CLOSED_AGAIN),
        Trouble::Host(reason, wait) if reason.is_empty() => {
            ("its server rests after failures".to_owned(), wait.unwrap_or(ODD_AGAIN))
        }
        Trouble::Host(reason, wait) => (reason, wait.unwrap_or(ODD_AGAIN)),
        Trouble::Odd(reason) => (reason, ODD_AGAIN),
    })
}
