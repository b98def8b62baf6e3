//! How we are registered at each server: once, and again when it forgot us.

use chrono::TimeDelta;
use mastodon::oauth::{self, App, Redirect};
use net::Url;
use secrecy::ExposeSecret as _;
use store::{Db, oauth_apps, oauth_apps::OauthApp};
use tracing::{info, warn};

use super::{Server, SignIn};

/// What people see when they are asked to agree.
const NAME: &str = "Egret";

/// What we ask them for: who they are and which role they have. The first is the narrowest there is, and servers older
/// than 4.3 do not know it.
const SCOPES: [&str; 2] = ["profile", "read:accounts"];

/// A server that knew a registration this recently is not asked whether it still does.
const KNOWN: TimeDelta = TimeDelta::minutes(10);

/// Why we are not registered.
#[derive(Debug, thiserror::Error)]
pub(super) enum Error {
    #[error(transparent)]
    Oauth(#[from] oauth::Error),
    #[error(transparent)]
    Store(#[from] store::Error),
}

/// A registration, and what it asks people for.
#[derive(Debug)]
pub(super) struct Registered {
    pub(super) app: App,
    pub(super) scope: String,
    row: OauthApp,
}

impl SignIn {
    /// Where servers send people back to.
    fn redirect(&self) -> Redirect {
        let mut url: Url = self.base().clone();
        url.set_path("/login/callback");
        Redirect::To(url)
    }

    /// A registration that the server knows.
    pub(super) async fn registered(&self, db: &Db, server: &Server) -> Result<Registered, Error> {
        // A server takes five registrations in ten minutes from one address: one at a time, and only if need be.
        let known = self.known(&server.host);
        let mut known = known.lock().await;
        let now = self.clock().now();
        if let Some(found) = self.stored(db, server).await? {
            if known.is_some_and(|at| now - at < KNOWN) {
                return Ok(found);
            }
            if found.app.is_known(&self.net(), &found.scope).await? {
                *known = Some(now);
                return Ok(found);
            }
            info!(server = server.host, "{} forgot our registration", server.host);
            oauth_apps::delete(db, &found.row).await?;
        }
        let (app, scope) = self.register(server).await?;
        let row = OauthApp {
            server: server.host.clone(),
            redirect_uri: app.redirect.as_str().to_owned(),
            client_id: app.client_id.clone(),
            client_secret: app.client_secret.expose_secret().to_owned(),
            scopes: scope.to_owned(),
            registered_at: now,
        };
        oauth_apps::save(db, &row).await?;
        info!(server = server.host, "registered at {}", server.host);
        *known = Some(now);
        let scope = scope.to_owned();
        Ok(Registered { app, scope, row })
    }

    async fn register(&self, server: &Server) -> Result<(App, &'static str), oauth::Error> {
        let [narrow, old] = SCOPES;
        let net = self.net();
        let register = async |scope| oauth::register(&net, &server.url, NAME, self.redirect(), &[scope]).await;
        match register(narrow).await {
            Ok(app) => Ok((app, narrow)),
            Err(oauth::Error::Scope { .. } | oauth::Error::Server(mastodon::Error::Forbidden { .. })) => {
                Ok((register(old).await?, old))
            }
            Err(error) => Err(error),
        }
    }

    /// The registration as we remember it.
    pub(super) async fn stored(&self, db: &Db, server: &Server) -> Result<Option<Registered>, store::Error> {
        let redirect = self.redirect();
        let row = oauth_apps::load(db, &server.host, redirect.as_str()).await?;
        Ok(row.map(|row| Registered {
            app: App {
                base: server.url.clone(),
                client_id: row.client_id.clone(),
                client_secret: row.client_secret.clone().into(),
                redirect,
            },
            scope: row.scopes.clone(),
            row,
        }))
    }

    /// The server says that it does not know this registration.
    pub(super) async fn forget(&self, db: &Db, registered: &Registered) -> Result<(), store::Error> {
        *self.known(&registered.row.server).lock().await = None;
        oauth_apps::delete(db, &registered.row).await
    }

    /// Makes a token worth nothing at its server. False when that cannot be said.
    pub(crate) async fn revoke(&self, db: &Db, host: &str, token: &net::Secret) -> bool {
        let Some(server) = self.server(host) else { return false };
        let Ok(Some(registered)) = self.stored(db, &server).await else {
            return false;
        };
        match registered.app.revoke(&self.net(), token).await {
            Ok(()) => true,
            Err(error) => {
                warn!(server = host, %error, "cannot revoke a token");
                false
            }
        }
    }
}
