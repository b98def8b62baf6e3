//! Fills a store with points and measures reading a year of one account, for `cargo xtask bench`: prints JSON. The
//! store's address is the first argument (a new SQLite file in a temporary folder without one), the number of points
//! the second.

use std::{error::Error, time::Instant};

use store::{
    Config, Db,
    metered_points::{self, Point},
};

const DAY: i64 = 86_400;
const START: i64 = 1_764_547_200;
/// Points of each account.
const YEAR: i64 = 365;
/// Points in one transaction.
const CHUNK: usize = 100_000;

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<(), Box<dyn Error>> {
    let folder = tempfile::tempdir()?;
    let mut arguments = std::env::args().skip(1);
    let url = arguments
        .next()
        .unwrap_or_else(|| format!("sqlite://{}", folder.path().join("points.db").display()));
    let points: i64 = arguments.next().unwrap_or_else(|| "10000000".to_owned()).parse()?;
    let accounts = (points / YEAR).max(1);
    let db = Db::open(&Config {
        url: Some(url.clone()),
        ..Config::default()
    })
    .await?;
    store::migrate(&db).await?;
    let empty = store::size(&db).await?;
    let begun = Instant::now();
    fill(&db, accounts).await?;
    let filled = begun.elapsed();
    let size = store::size(&db).await?.saturating_sub(empty);
    let file = db_file(&url);

    let mut took = Vec::new();
    for n in 0..200 {
        let account = (n * 7919) % accounts + 1;
        let begun = Instant::now();
        let rows = metered_points::range(&db, account, START, START + YEAR * DAY, 10_000).await?;
        took.push(begun.elapsed().as_secs_f64() * 1000.0);
        assert_eq!(rows.len(), 365, "a year of account {account}");
    }
    took.sort_by(f64::total_cmp);
    let rows = accounts * YEAR;
    db.close().await;
    // SQLite's log is part of its size until it is closed.
    let size = file.map_or(Ok(size), |file| std::fs::metadata(file).map(|file| file.len()))?;
    #[expect(clippy::cast_precision_loss, reason = "a ratio")]
    let json = serde_json::json!({
        "rows": rows, "fill_s": filled.as_secs_f64(), "bytes_per_row": size as f64 / rows as f64,
        "year_ms_median": took[took.len() / 2], "year_ms_p95": took[took.len() * 95 / 100],
    });
    #[expect(clippy::print_stdout, reason = "this is what it is for")]
    {
        println!("{json}");
    }
    Ok(())
}

fn db_file(url: &str) -> Option<&std::path::Path> {
    url.strip_prefix("sqlite://").map(std::path::Path::new)
}

async fn fill(db: &Db, accounts: i64) -> Result<(), store::Error> {
    let mut chunk = Vec::with_capacity(CHUNK);
    // Day by day, as they come in life: the rows of one account lie far apart.
    for day in 0..YEAR {
        for account in 1..=accounts {
            chunk.push(Point {
                account,
                slot: START + day * DAY,
                lag: 42,
                span: 0,
                points: 1,
                step: 86_400,
                followers: i32::try_from((account * 31 + day) % 100_000).ok(),
                following: i32::try_from(account % 5000).ok(),
                statuses: i32::try_from((account * 7 + day * 3) % 50_000).ok(),
                last_status: i32::try_from(20_000 + day).ok(),
                gap: None,
            });
            if chunk.len() == CHUNK {
                metered_points::insert(db, &chunk).await?;
                chunk.clear();
            }
        }
    }
    metered_points::insert(db, &chunk).await?;
    Ok(())
}
