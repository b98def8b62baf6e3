//! Letters, by the operator's mail server.

use std::time::Duration;

use anyhow::Context as _;
use chrono::TimeDelta;
use job::{JobContext, JobError, Summary};
use net::mail::{Letter, Mailer, Server, Trouble};
use store::{
    applicants::{self, MailState},
    notices::Severity,
};

use super::news;
use crate::{Config, config::Mail};

/// Letters in one run.
const PER_RUN: u32 = 50;

/// The first pause after a failure; doubles each time.
const PAUSE: TimeDelta = TimeDelta::minutes(5);

/// Sends what waits: letters to those who were turned away, and news to those who look after them.
pub(crate) async fn send_letters(cx: &JobContext, config: &Config) -> Result<Summary, JobError> {
    let mut summary = Summary::default();
    let mailer = mailer(cx, &config.mail).await?;
    send_refusals(cx, &config.mail, &mailer, &mut summary).await?;
    news::deliver(cx, &config.mail, &mailer, &mut summary).await?;
    Ok(summary)
}

async fn mailer(cx: &JobContext, mail: &Mail) -> Result<Mailer, JobError> {
    let password = match &mail.password_file {
        Some(path) => {
            let text = tokio::fs::read_to_string(path).await;
            let text =
                text.with_context(|| format!("[registrations.mail] password_file: cannot read {}", path.display()));
            let text = text.map_err(JobError::Permanent)?;
            Some(net::Secret::from(text.trim_end_matches(['\r', '\n']).to_owned()))
        }
        None => None,
    };
    let mailer = cx.net.mailer(Server {
        host: mail.host.clone(),
        port: mail.port,
        tls: mail.tls,
        username: mail.username.clone(),
        password,
        from: mail.from.clone(),
        timeout: Duration::from_secs(30),
    });
    mailer.map_err(|error| JobError::Permanent(anyhow::anyhow!("[registrations.mail] {error}")))
}

async fn send_refusals(cx: &JobContext, mail: &Mail, mailer: &Mailer, summary: &mut Summary) -> Result<(), JobError> {
    for one in applicants::mails_due(&cx.store, cx.clock.now(), PER_RUN).await? {
        cx.check_stop()?;
        let now = cx.clock.now();
        let doubled = i32::try_from(one.tries.min(8)).map_or(1, |tries| 1 << tries);
        if !applicants::try_mail(&cx.store, &one.id, now + PAUSE * doubled).await? {
            continue;
        }
        let letter = Letter {
            id: one.id.clone(),
            to: one.recipient.clone(),
            subject: mail.subject.clone(),
            text: one.body.clone(),
        };
        let (state, note) = match mailer.send(&letter, now).await {
            Ok(()) => (MailState::Sent, None),
            Err(Trouble::Never(why)) => (MailState::Failed, Some(why)),
            Err(Trouble::Later(why)) if one.tries + 1 >= i64::from(mail.tries) => (MailState::Failed, Some(why)),
            Err(Trouble::Later(why)) => (MailState::Waiting, Some(why)),
        };
        summary.add(
            match state {
                MailState::Sent => "sent",
                MailState::Failed => "failed",
                MailState::Waiting => "later",
            },
            1,
        );
        if state == MailState::Failed {
            let text = format!(
                "a letter to somebody who was turned away at {} could not be sent: {}",
                one.server,
                note.as_deref().unwrap_or_default()
            );
            news::tell(cx, "mail", &one.server, Severity::Warning, &text).await;
        }
        applicants::end_mail(&cx.store, &one.id, state, note.as_deref(), cx.clock.now()).await?;
    }
    Ok(())
}
