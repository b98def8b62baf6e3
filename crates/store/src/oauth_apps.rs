//! How we are registered at each server.

use std::fmt;

use chrono::{DateTime, Utc};
use sqlx::FromRow;

use crate::{Db, Error};

/// A registration at a server, for people who sign in through it.
#[derive(Clone, PartialEq, Eq, FromRow)]
pub struct OauthApp {
    /// `host[:port]`.
    pub server: String,
    /// Where the server sends people back to.
    pub redirect_uri: String,
    /// Our name there.
    pub client_id: String,
    /// And the proof of it.
    pub client_secret: String,
    /// What we may ask people for, separated by spaces.
    pub scopes: String,
    /// Since when.
    pub registered_at: DateTime<Utc>,
}

impl fmt::Debug for OauthApp {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("OauthApp")
            .field("server", &self.server)
            .field("redirect_uri", &self.redirect_uri)
            .finish_non_exhaustive()
    }
}

/// Inserts, or takes the place of an older registration.
pub async fn save(db: &Db, app: &OauthApp) -> Result<(), Error> {
    const SQL: &str = "
        INSERT INTO oauth_apps (server, redirect_uri, client_id, client_secret, scopes, registered_at)
        VALUES ($1, $2, $3, $4, $5, $6)
        ON CONFLICT (server, redirect_uri) DO UPDATE SET client_id = excluded.client_id,
            client_secret = excluded.client_secret, scopes = excluded.scopes, registered_at = excluded.registered_at";
    on_write!(db, pool => {
        let query = sqlx::query(SQL).bind(&app.server).bind(&app.redirect_uri).bind(&app.client_id);
        query.bind(&app.client_secret).bind(&app.scopes).bind(app.registered_at).execute(pool).await.map(drop)
    })?;
    Ok(())
}

/// The registration at a server.
pub async fn load(db: &Db, server: &str, redirect_uri: &str) -> Result<Option<OauthApp>, Error> {
    const SQL: &str = "SELECT * FROM oauth_apps WHERE server = $1 AND redirect_uri = $2";
    Ok(on!(db, pool => sqlx::query_as(SQL).bind(server).bind(redirect_uri).fetch_optional(pool).await)?)
}

/// The server forgot this registration, and so do we; a newer one stays.
pub async fn delete(db: &Db, app: &OauthApp) -> Result<(), Error> {
    const SQL: &str = "DELETE FROM oauth_apps WHERE server = $1 AND redirect_uri = $2 AND client_id = $3";
    on_write!(db, pool => {
        let query = sqlx::query(SQL).bind(&app.server).bind(&app.redirect_uri).bind(&app.client_id);
        query.execute(pool).await.map(drop)
    })?;
    Ok(())
}
