//! Files of statuses, for rules that ask for their hashes: read from where the server keeps them, hashed, and dropped. Then
//! the statuses are judged again.

use std::{collections::BTreeSet, time::Duration};

use bytes::Bytes;
use chrono::TimeDelta;
use futures::{StreamExt as _, stream};
use job::{JobContext, JobError, Summary};
use net::{Request, Url};
use rules::{AccountFacts, StatusFacts};
use store::{
    job_states, seen,
    seen_media::{self, SeenMedia},
};

use super::Pass;
use crate::{MEDIA, config::Media, gather::Shown, hashes, jobs::Room};

/// Files of one status that are looked at.
const OF_STATUS: usize = 16;

/// Files taken up at a time.
const BATCH: u32 = 32;

/// In one run.
const PER_RUN: usize = 2_000;

/// So often a file is tried.
const TRIES: i64 = 5;

/// A picture that is to be looked at is no larger.
const LARGEST_PREVIEW: usize = 4 << 20;

/// How long one file may take.
const PATIENCE: Duration = Duration::from_secs(60);

/// One run: what rules want hashes of.
pub(crate) async fn media(cx: &JobContext, room: &Room) -> Result<Summary, JobError> {
    let mut pass = Pass::begin_to_judge(cx, room).await?;
    let mut done = 0;
    while pass.rules.ruleset.needs().hashes && done < PER_RUN {
        cx.check_stop()?;
        let batch = seen_media::wanted(&cx.store, pass.server(), pass.now(), BATCH).await?;
        if batch.is_empty() {
            break;
        }
        done += batch.len();
        Box::pin(pass.look_at(batch)).await?;
        pass.read_rules_again().await?;
    }
    Ok(pass.summary)
}

impl Pass<'_> {
    /// Gives statuses the hashes that are known of their files, and asks for the others.
    pub(crate) async fn know_files(
        &self,
        account: &AccountFacts,
        statuses: &mut [StatusFacts],
    ) -> Result<(), JobError> {
        if !self.rules.ruleset.needs().hashes || !self.config.media.enabled {
            return Ok(());
        }
        let with_files =
            |status: &StatusFacts| status.visibility.is_open() && status.media.iter().any(|media| media.file.is_some());
        let ids: Vec<String> = statuses
            .iter()
            .filter(|status| with_files(status))
            .map(|status| status.id.clone())
            .collect();
        if ids.is_empty() {
            return Ok(());
        }
        let known = seen_media::of_statuses(&self.cx.store, self.server(), &ids).await?;
        let now = self.now();
        let mut wanted = Vec::new();
        for status in statuses.iter_mut().filter(|status| with_files(status)) {
            let id = status.id.clone();
            for media in status.media.iter_mut().take(OF_STATUS) {
                let Some(file) = &media.file else { continue };
                match known.iter().find(|row| row.status_id == id && row.file == *file) {
                    Some(row) => {
                        media.hashes.clone_from(&row.hashes);
                        media.unreadable = row.state == "failed";
                    }
                    None => wanted.push(SeenMedia {
                        server: self.server().to_owned(),
                        status_id: id.clone(),
                        file: file.clone(),
                        preview: media.preview.clone().unwrap_or_default(),
                        account_id: account.id.clone(),
                        state: "wanted".to_owned(),
                        hashes: Vec::new(),
                        tries: 0,
                        look_at: Some(now),
                        note: None,
                        seen_at: now,
                    }),
                }
            }
        }
        if seen_media::want(&self.cx.store, &wanted).await? > 0 {
            job_states::wake(&self.cx.store, MEDIA, self.server(), now).await?;
        }
        Ok(())
    }

    /// Hashes files, and judges their statuses again once nothing of them is missing.
    async fn look_at(&mut self, batch: Vec<SeenMedia>) -> Result<(), JobError> {
        let addresses: Vec<String> = batch.iter().map(|file| file.file.clone()).collect();
        let elsewhere = seen_media::at(&self.cx.store, self.server(), &addresses).await?;
        let (cx, config, now) = (self.cx, &self.config.media, self.now());
        let looked = stream::iter(batch).map(|mut file| {
            // One file of several statuses is read once.
            let known = elsewhere
                .iter()
                .find(|other| other.file == file.file && other.state == "known");
            let known = known.map(|known| known.hashes.clone());
            async move {
                let found = match known {
                    Some(hashes) => Ok(hashes),
                    None => read(cx, config, &file).await,
                };
                match found {
                    Ok(hashes) => (file.state, file.hashes, file.note) = ("known".to_owned(), hashes, None),
                    Err(Miss::Stopped) => return Err(JobError::Stopped),
                    Err(Miss::Later(why)) if file.tries + 1 < TRIES => {
                        file.tries += 1;
                        file.look_at = Some(now + TimeDelta::minutes(1 << file.tries.clamp(0, 8)));
                        file.note = Some(why);
                    }
                    Err(Miss::Later(why) | Miss::Never(why)) => {
                        (file.state, file.note) = ("failed".to_owned(), Some(why));
                    }
                }
                Ok(file)
            }
        });
        let looked: Vec<Result<SeenMedia, JobError>> =
            looked.buffer_unordered(usize::from(config.at_once)).collect().await;
        let mut statuses = BTreeSet::new();
        for file in looked {
            let file = file?;
            seen_media::save(&self.cx.store, &file).await?;
            let counter = match &*file.state {
                "known" => "hashed",
                "failed" => "unreadable",
                _ => "later",
            };
            self.summary.add(counter, 1);
            statuses.insert(file.status_id);
        }
        let statuses: Vec<String> = statuses.into_iter().collect();
        let open = seen_media::of_statuses(&self.cx.store, self.server(), &statuses).await?;
        for id in statuses {
            if !open.iter().any(|file| file.status_id == id && file.state == "wanted") {
                Box::pin(self.judge_kept(&id)).await?;
            }
        }
        Ok(())
    }

    /// Judges a status again as it is kept.
    async fn judge_kept(&mut self, id: &str) -> Result<(), JobError> {
        let Some(status) = seen::statuses(&self.cx.store, self.server(), &[id.to_owned()])
            .await?
            .pop()
        else {
            // It is not written down yet, and whoever does so finds the hashes.
            return Ok(());
        };
        let account = seen::accounts(&self.cx.store, self.server(), &[status.account_id])
            .await?
            .pop();
        let account = account.and_then(|row| serde_json::from_value::<AccountFacts>(row.facts).ok());
        let status = serde_json::from_value::<StatusFacts>(status.facts).ok();
        match (account, status) {
            (Some(account), Some(status)) => {
                let shown = Shown {
                    account,
                    statuses: vec![status],
                };
                Box::pin(self.judge_again(shown)).await
            }
            _ => Ok(()),
        }
    }
}

/// Why there are no hashes.
enum Miss {
    /// The run ends.
    Stopped,
    /// It may be there next time.
    Later(String),
    /// It will not be.
    Never(String),
}

/// Reads a file and its small picture, and keeps nothing but their hashes.
async fn read(cx: &JobContext, config: &Media, file: &SeenMedia) -> Result<Vec<String>, Miss> {
    let body = body(cx, &file.file, (config.largest as usize) << 20).await?;
    let mut found = hashes::of_file(&body);
    if !config.pictures {
        return Ok(found);
    }
    // The small picture shows the same, and is one where the file is a film.
    let picture = match file.preview.is_empty() || file.preview == file.file {
        true => body,
        false => match self::body(cx, &file.preview, LARGEST_PREVIEW).await {
            Ok(preview) => preview,
            Err(Miss::Never(_)) => body,
            Err(miss) => return Err(miss),
        },
    };
    let shown = tokio::task::spawn_blocking(move || hashes::of_picture(&picture)).await;
    found.extend(shown.ok().flatten());
    Ok(found)
}

async fn body(cx: &JobContext, address: &str, largest: usize) -> Result<Bytes, Miss> {
    let url: Url = address.parse().map_err(|_| Miss::Never("no address".to_owned()))?;
    let mut request = Request::origin(url, "image/*, video/*, audio/*");
    // The server named the place as its own.
    request.robots = false;
    request.max_body = largest;
    request.timeout = Some(PATIENCE);
    match cx.net.send(request).await {
        Ok(answer) if answer.http_status == 200 => Ok(answer.body),
        Ok(answer) if matches!(answer.http_status, 404 | 410) => {
            Err(Miss::Never(format!("HTTP {}", answer.http_status)))
        }
        Ok(answer) => Err(Miss::Later(format!("HTTP {}", answer.http_status))),
        Err(net::Error::Stopped) => Err(Miss::Stopped),
        Err(error @ (net::Error::TooLarge { .. } | net::Error::Refused { .. } | net::Error::Blocked(_))) => {
            Err(Miss::Never(error.to_string()))
        }
        Err(error) => Err(Miss::Later(error.to_string())),
    }
}
