//! `egret archive`: what is kept of somebody's own activity.

use std::collections::BTreeSet;

use anyhow::{Context as _, bail};
use archive::{Blobs, Found, Wish};
use store::{
    Db,
    archive::{self as kept, Kept, Whom, search},
};

use super::alone::with_files;
use crate::{
    Exit,
    args::{ArchiveAction, Args},
    out,
};

/// Statuses of one thread that are shown.
const THREAD: usize = 500;

pub(super) async fn run(args: &Args, action: &ArchiveAction) -> anyhow::Result<Exit> {
    let (config, doors) = super::open(args).await?;
    let db = &doors.store;
    let folder = config.archive.folder(db);
    let exit = match action {
        ArchiveAction::Search { query, limit, before } => search(args, db, &query.join(" "), *limit, *before).await?,
        ArchiveAction::Show { status } => show(args, db, status).await?,
        ArchiveAction::Stats => stats(args, db).await?,
        ArchiveAction::Export {
            folder: to,
            format,
            login,
            private,
            copies,
        } => {
            let format = archive::Format::named(format).map_err(anyhow::Error::msg)?;
            let only = match login {
                None if matches!(format, archive::Format::Mastodon | archive::Format::Lists) => {
                    Some(only_login(db).await?)
                }
                _ => None,
            };
            let wish = Wish {
                folder: to,
                format,
                login: login.as_deref().or(only.as_deref()),
                private: *private,
                copies: *copies,
            };
            export(args, db, &Blobs::at(folder), wish).await?
        }
        ArchiveAction::Verify => {
            let blobs = Blobs::open(folder)?;
            let found = with_files(&doors, archive::verify(db, &blobs, doors.clock.now())).await?;
            if args.json {
                out::json(&found)?;
            } else {
                out::line(format!(
                    "{} files are sound ({} bytes); {} damaged and {} missing ones are fetched again.",
                    found.sound, found.bytes, found.damaged, found.missing
                ));
            }
            if found.damaged + found.missing == 0 {
                Exit::Done
            } else {
                Exit::Part
            }
        }
        ArchiveAction::Forget {
            status,
            author,
            login,
            yes,
        } => {
            let whom = match (status, author, login) {
                (Some(status), ..) => Whom::Status(find(db, status).await?.uri),
                (_, Some(author), _) => Whom::Author(author.trim_start_matches('@').to_lowercase()),
                (.., Some(login)) => Whom::Login(login.clone()),
                _ => bail!("say what to forget: --status, --author or --login"),
            };
            if *yes {
                with_files(
                    &doors,
                    forget(args, db, &Blobs::open(folder)?, &whom, doors.clock.now()),
                )
                .await?
            } else {
                would_forget(args, db, &whom).await?
            }
        }
    };
    doors.store.close().await;
    Ok(exit)
}

async fn search(args: &Args, db: &Db, query: &str, limit: u32, before: Option<i64>) -> anyhow::Result<Exit> {
    let mut filter = archive::parse(query).map_err(anyhow::Error::msg)?;
    filter.before = before;
    let rows = search::search(db, &filter, limit.clamp(1, 1000)).await?;
    let ids: Vec<i64> = rows.iter().map(|row| row.id).collect();
    let activities = kept::activities(db, &ids).await?;
    let found: Vec<Found> = rows
        .into_iter()
        .map(|row| archive::found(row, &activities, &filter.terms, None))
        .collect();
    if args.json {
        out::json(&found)?;
    } else if found.is_empty() {
        out::line("Nothing found. `egret archive stats` counts what is kept.");
    } else {
        let rows: Vec<Vec<String>> = found.iter().map(row).collect();
        out::table(&["ID", "WRITTEN (UTC)", "AUTHOR", "KIND", "TEXT"], &rows);
    }
    Ok(Exit::Done)
}

fn row(found: &Found) -> Vec<String> {
    let mut kinds: Vec<&str> = found.activities.iter().map(|activity| activity.kind.as_str()).collect();
    kinds.dedup();
    let gone = found.gone_at.map_or("", |_| " (deleted)");
    // Hits are set apart by brackets: a terminal may show no colours, and a pipe none at all.
    let text: String = found
        .snippet
        .iter()
        .map(|piece| {
            if piece.hit {
                format!("[{}]", piece.text)
            } else {
                piece.text.clone()
            }
        })
        .collect();
    let visible = text.chars().filter(|c| !c.is_control()).collect();
    vec![
        found.id.to_string(),
        found.created_at.format("%Y-%m-%d %H:%M").to_string(),
        found.author.clone(),
        format!("{}{gone}", kinds.join(" ")),
        visible,
    ]
}

/// A status by what somebody calls it.
async fn find(db: &Db, status: &str) -> anyhow::Result<Kept> {
    let by_id = match status.parse::<i64>() {
        Ok(id) => kept::load(db, id).await?,
        Err(_) => None,
    };
    match by_id {
        Some(found) => Ok(found),
        None => kept::find(db, status)
            .await?
            .with_context(|| format!("{status:?} is not kept; `egret archive search` finds what is")),
    }
}

async fn show(args: &Args, db: &Db, status: &str) -> anyhow::Result<Exit> {
    let one = find(db, status).await?;
    let id = one.id;
    let versions = kept::versions(db, id).await?;
    let thread = kept::thread(db, id, THREAD).await?;
    let ids: Vec<i64> = thread.iter().map(|kept| kept.id).collect();
    let activities = kept::activities(db, &ids).await?;
    let thread: Vec<Found> = thread
        .into_iter()
        .map(|row| archive::found(row, &activities, &[], None))
        .collect();
    if args.json {
        out::json(&serde_json::json!({ "status": one, "versions": versions, "thread": thread }))?;
        return Ok(Exit::Done);
    }
    for found in &thread {
        let mark = if found.id == id { ">" } else { " " };
        out::line(format!(
            "{mark} {}  {}  {}",
            found.created_at.format("%Y-%m-%d %H:%M"),
            found.author,
            found.url.as_deref().unwrap_or(&found.uri)
        ));
        for line in found.text.lines() {
            out::line(format!("    {line}"));
        }
    }
    if !versions.is_empty() {
        out::line(format!("{} earlier versions; --json shows them.", versions.len()));
    }
    Ok(Exit::Done)
}

async fn stats(args: &Args, db: &Db) -> anyhow::Result<Exit> {
    let counts = kept::counts(db).await?;
    let (files, waiting, given_up, bytes) = kept::files::standing(db).await?;
    let mut checked = std::collections::BTreeMap::new();
    for login in kept::logins(db).await? {
        if let Some(one) = archive::checked(db, &login).await? {
            checked.insert(login, one);
        }
    }
    if args.json {
        out::json(&serde_json::json!({
            "counts": counts,
            "checked": checked,
            "files": { "kept": files, "waiting": waiting, "given_up": given_up, "bytes": bytes },
        }))?;
        return Ok(Exit::Done);
    }
    let mut rows: Vec<Vec<String>> = counts
        .into_iter()
        .map(|count| vec![count.login, count.what, count.count.to_string()])
        .collect();
    for (login, one) in &checked {
        rows.push(vec![
            login.clone(),
            "counted by the server".to_owned(),
            one.told.to_string(),
        ]);
        rows.push(vec![
            login.clone(),
            "missing of these".to_owned(),
            one.missing().to_string(),
        ]);
        for gap in &one.gaps {
            let from = gap.from.format("%Y-%m-%d %H:%M");
            let until = gap.until.format("%Y-%m-%d %H:%M");
            let place = format!("were missing, {from} to {until} ({} to {})", gap.first_id, gap.last_id);
            rows.push(vec![login.clone(), place, gap.count.to_string()]);
        }
    }
    for (what, count) in [
        ("files", files),
        ("files waiting", waiting),
        ("files given up", given_up),
        ("bytes", bytes),
    ] {
        rows.push(vec!["-".to_owned(), what.to_owned(), count.to_string()]);
    }
    out::table(&["LOGIN", "WHAT", "COUNT"], &rows);
    Ok(Exit::Done)
}

/// The login whose archive this is, for what can be one login's only.
async fn only_login(db: &Db) -> anyhow::Result<String> {
    let logins: BTreeSet<String> = kept::counts(db).await?.into_iter().map(|count| count.login).collect();
    let names: Vec<&str> = logins.iter().map(String::as_str).collect();
    match names.as_slice() {
        [login] => Ok((*login).to_owned()),
        [] => bail!("nothing is kept yet; `egret once archive.statuses` begins"),
        several => bail!("say whose; add `--login` with one of {}", several.join(", ")),
    }
}

async fn export(args: &Args, db: &Db, blobs: &Blobs, wish: Wish<'_>) -> anyhow::Result<Exit> {
    let written = archive::export(db, blobs, wish).await?;
    if args.json {
        out::json(&written)?;
    } else {
        let what = if wish.format == archive::Format::Lists {
            "entries"
        } else {
            "statuses"
        };
        let media = match written.media {
            0 => String::new(),
            media => format!(" and {media} files"),
        };
        out::line(format!(
            "{} {what}{media} are in {}.",
            written.statuses,
            wish.folder.display()
        ));
    }
    Ok(Exit::Done)
}

async fn would_forget(args: &Args, db: &Db, whom: &Whom) -> anyhow::Result<Exit> {
    let would = match whom {
        Whom::Status(uri) => format!("the status {uri}"),
        Whom::Author(author) => {
            let filter = archive::parse(&format!("from:{author}")).map_err(anyhow::Error::msg)?;
            let found = search::search(db, &filter, 10_000).await?.len();
            format!("{found} statuses of {author}")
        }
        Whom::Login(login) => {
            let counts = kept::counts(db).await?;
            let found: i64 = counts
                .iter()
                .filter(|count| &count.login == login)
                .map(|count| count.count)
                .sum();
            format!("{found} activities of {login}, and the statuses that no other login has to do with")
        }
    };
    if args.json {
        out::json(&serde_json::json!({ "would_forget": would }))?;
    } else {
        out::line(format!(
            "Would forget {would}, with files that nothing else shows. --yes does it; nothing brings it back."
        ));
    }
    Ok(Exit::Done)
}

async fn forget(
    args: &Args,
    db: &Db,
    blobs: &Blobs,
    whom: &Whom,
    now: chrono::DateTime<chrono::Utc>,
) -> anyhow::Result<Exit> {
    let gone = archive::forget(db, blobs, whom, now).await?;
    if args.json {
        out::json(&serde_json::json!({ "forgotten": gone }))?;
    } else {
        let json = match gone.json_files {
            0 => String::new(),
            files => format!(" and {files} JSON files"),
        };
        let again = match whom {
            Whom::Login(_) => "",
            _ => " What was forgotten is not kept again.",
        };
        out::line(format!(
            "Forgot {} statuses, {} earlier versions, {} activities, {} files{json}.{again}",
            gone.statuses, gone.versions, gone.activities, gone.files
        ));
    }
    Ok(Exit::Done)
}
