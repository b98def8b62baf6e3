//! Modes that somebody switched while the daemon ran. They outweigh the config until they are taken back.

use chrono::{DateTime, Utc};
use serde::Serialize;
use sqlx::FromRow;

use crate::{Db, Error, text::clean};

/// A mode somebody set.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, FromRow)]
pub struct Switched {
    /// `blocklists`, …
    pub feature: String,
    /// `observe` or `act`.
    pub mode: String,
    /// Who set it.
    pub who: String,
    /// When.
    pub set_at: DateTime<Utc>,
}

/// What was switched for one feature.
pub async fn load(db: &Db, feature: &str) -> Result<Option<Switched>, Error> {
    const SQL: &str = "SELECT * FROM modes WHERE feature = $1";
    Ok(on!(db, pool => sqlx::query_as(SQL).bind(feature).fetch_optional(pool).await)?)
}

/// All that was switched.
pub async fn list(db: &Db) -> Result<Vec<Switched>, Error> {
    const SQL: &str = "SELECT * FROM modes ORDER BY feature";
    Ok(on!(db, pool => sqlx::query_as(SQL).fetch_all(pool).await)?)
}

/// Switches a feature's mode.
pub async fn save(db: &Db, switched: &Switched) -> Result<(), Error> {
    const SQL: &str = "
        INSERT INTO modes (feature, mode, who, set_at) VALUES ($1, $2, $3, $4)
        ON CONFLICT (feature) DO UPDATE SET mode = excluded.mode, who = excluded.who, set_at = excluded.set_at";
    on_write!(db, pool => {
        let query = sqlx::query(SQL).bind(&switched.feature).bind(&switched.mode);
        query.bind(clean(&switched.who)).bind(switched.set_at).execute(pool).await.map(drop)
    })?;
    Ok(())
}

/// Goes back to what the config says.
pub async fn delete(db: &Db, feature: &str) -> Result<(), Error> {
    const SQL: &str = "DELETE FROM modes WHERE feature = $1";
    on_write!(db, pool => sqlx::query(SQL).bind(feature).execute(pool).await.map(drop))?;
    Ok(())
}
