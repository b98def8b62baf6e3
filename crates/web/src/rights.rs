//! Who visits, and what they may see and do where. Rights come from permission bits, never from a role's name, and they
//! reach no further than the server that gave them.
//!
//! A feature asks in one line:
//!
//! ```text
//! visitor.demand(Right::Federation, &plan.server)?;      // may they, at this server (or login, or "" for the daemon)?
//! visitor.servers(Right::Registrations)                  // at which servers: for what a list asks the store for
//! visitor.owns("mastodon.example/me")                    // is it their own login: metering
//! visitor.reads_archive_of("mastodon.example/me", false) // is it their own, and nobody else's: archive
//! ```

use std::{convert::Infallible, sync::Arc};

use axum::{
    Router,
    extract::{FromRequestParts, Request},
    http::{Method, Uri, header, request::Parts},
    middleware::{self, Next},
    response::{IntoResponse, Redirect, Response},
};
use ring::hmac;
use store::job_runs::Whose;

pub(crate) use crate::grants::{Grant, Right, Servers, from_words, to_words};
use crate::{
    State,
    grants::{Place, server_of},
    problem::Problem,
};

/// Who asks. Put into every request before a route sees it.
#[derive(Debug, Clone)]
pub(crate) struct Visitor {
    /// How the effects ledger and the pages call them: `alice@mastodon.example`, `token backup`, `local`.
    pub(crate) name: String,
    grants: Vec<Grant>,
    /// Every server that is configured: whoever may something at all of them may it of the daemon.
    configured: Arc<[String]>,
    by: By,
}

/// How we know them.
#[derive(Debug, Clone)]
enum By {
    /// By the config: nobody has to sign in.
    Config,
    /// By a token of ours, which no browser sends on its own.
    Token,
    /// By a cookie, and so by anything that makes a browser ask us.
    Session(Option<hmac::Key>),
    /// By a cookie, too, and by which account it is.
    Account(Option<hmac::Key>),
    /// Not at all.
    Nothing(Why),
}

/// Why we do not know somebody.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Why {
    /// They did not say who they are, or their session is over.
    Stranger,
    /// Their API token is none of ours, or is not any more.
    BadToken,
    /// The store could not be asked.
    StoreDown,
    /// This server has not said for too long what they may.
    Silent(String),
}

impl Visitor {
    /// Somebody whom no cookie vouches for and who may all of this everywhere; [`Right::Admin`] brings all others along.
    pub(crate) fn new(name: impl Into<String>, rights: &[Right]) -> Self {
        let grants = rights.iter().map(|right| Grant::everywhere(*right)).collect();
        Self::known(name.into(), grants, By::Config)
    }

    /// Whoever holds a token of ours.
    pub(crate) fn with_token(name: &str, grants: Vec<Grant>) -> Self {
        Self::known(format!("token {name}"), grants, By::Token)
    }

    /// Whoever came by a link that this machine gave.
    pub(crate) fn with_session(name: String, grants: Vec<Grant>, form_key: Option<hmac::Key>) -> Self {
        Self::known(name, grants, By::Session(form_key))
    }

    /// Whoever signed in with an account.
    pub(crate) fn with_account(name: String, grants: Vec<Grant>, form_key: Option<hmac::Key>) -> Self {
        Self::known(name, grants, By::Account(form_key))
    }

    /// Somebody we do not know.
    pub(crate) fn unknown(why: Why) -> Self {
        Self::known("nobody".to_owned(), Vec::new(), By::Nothing(why))
    }

    fn known(name: String, grants: Vec<Grant>, by: By) -> Self {
        let configured = Arc::default();
        Self {
            name,
            grants,
            configured,
            by,
        }
    }

    /// All that they may.
    pub(crate) fn grants(&self) -> &[Grant] {
        &self.grants
    }

    /// The same where these servers are configured, and no others.
    pub(crate) fn among(self, configured: Arc<[String]>) -> Self {
        Self { configured, ..self }
    }

    /// Whether they may somewhere: opens a page, which then shows what is within their reach.
    pub(crate) fn may(&self, right: Right) -> bool {
        self.grants.iter().any(|grant| grant.brings(right))
    }

    /// Whether they may, of what is for `scope`: a login, a server, or nothing for the daemon.
    pub(crate) fn may_at(&self, right: Right, scope: &str) -> bool {
        let here = |scope: &str| {
            let mut grants = self.grants.iter();
            grants.any(|grant| grant.brings(right) && grant.place.covers(scope))
        };
        let all = || !self.configured.is_empty() && self.configured.iter().all(|host| here(host));
        here(scope) || scope.is_empty() && all()
    }

    /// [`Visitor::may_at`], or the problem that says what is lacking.
    ///
    /// # Errors
    /// When they may not.
    pub(crate) fn demand(&self, right: Right, scope: &str) -> Result<(), Problem> {
        if self.may_at(right, scope) {
            return Ok(());
        }
        Err(self.lacks(right, scope))
    }

    fn lacks(&self, right: Right, scope: &str) -> Problem {
        let reach = match (scope, self.may(right)) {
            ("", false) => String::new(),
            ("", true) => " for all servers, which [web] admins gives".to_owned(),
            (scope, _) => format!(" at {}", server_of(scope)),
        };
        Problem::new(403, "not yours").because(format!(
            "{} may not do this: it needs the right \u{201c}{}\u{201d}{reach}",
            self.name,
            right.as_str()
        ))
    }

    /// The servers where they may: what a list asks the store for.
    pub(crate) fn servers(&self, right: Right) -> Servers {
        let mut hosts = Vec::new();
        for grant in self.grants.iter().filter(|grant| grant.brings(right)) {
            match grant.scope() {
                None => return Servers::All,
                Some(scope) => hosts.push(server_of(scope).to_owned()),
            }
        }
        hosts.sort_unstable();
        hosts.dedup();
        Servers::These(hosts)
    }

    /// Whose runs they see; `None` for everybody's.
    pub(crate) fn runs(&self) -> Option<Whose> {
        let mut whose = Whose::default();
        for grant in &self.grants {
            match &grant.place {
                Place::Everywhere => return None,
                Place::Server(host) => whose.servers.push(host.clone()),
                Place::Login(login) => {
                    whose.scopes.push(login.clone());
                    whose.scopes.push(server_of(login).to_owned());
                }
            }
        }
        if self.may_at(Right::View, "") {
            whose.scopes.push(String::new());
        }
        Some(whose)
    }

    /// Whether a login is their own, so that what it sees of private things is theirs to see. Who runs the daemon owns
    /// all; who moderates a server owns none of its people's.
    pub(crate) fn owns(&self, login: &str) -> bool {
        let admin = Grant::everywhere(Right::Admin);
        let own = |grant: &Grant| *grant == admin || matches!(&grant.place, Place::Login(own) if own == login);
        self.grants.iter().any(own)
    }

    /// Whether what a login archives is theirs to read: bookmarks, followers-only statuses and direct messages are among
    /// it, so this is for its owner alone, whatever else somebody may do. Where all logins are `one_person`'s, whoever may
    /// do everything is that person, unless they signed in with an account: then it is known who they are.
    pub(crate) fn reads_archive_of(&self, login: &str, one_person: bool) -> bool {
        let own = |grant: &Grant| matches!(&grant.place, Place::Login(own) if own == login);
        let here = || !matches!(self.by, By::Account(_)) && self.grants.contains(&Grant::everywhere(Right::Admin));
        self.grants.iter().any(own) || one_person && here()
    }

    /// Whether they signed in, and so can sign out.
    pub(crate) fn has_session(&self) -> bool {
        matches!(self.by, By::Session(_) | By::Account(_))
    }

    /// What proves that a form comes from one of their own pages.
    pub(crate) fn form_key(&self) -> Option<&hmac::Key> {
        match &self.by {
            By::Session(key) | By::Account(key) => key.as_ref(),
            _ => None,
        }
    }

    /// Whether they can only be somebody's program: no browser vouches for them unasked.
    pub(crate) fn is_script(&self) -> bool {
        matches!(self.by, By::Token | By::Nothing(Why::BadToken))
    }

    /// Why we do not know them, if we do not.
    pub(crate) fn unknown_because(&self) -> Option<&Why> {
        match &self.by {
            By::Nothing(why) => Some(why),
            _ => None,
        }
    }
}

impl<S: Sync> FromRequestParts<S> for Visitor {
    type Rejection = Infallible;

    async fn from_request_parts(parts: &mut Parts, _state: &S) -> Result<Self, Self::Rejection> {
        // Without one, somebody forgot the layer: then nobody may do anything.
        let visitor = parts.extensions.get::<Self>().cloned();
        Ok(visitor.unwrap_or_else(|| Self::unknown(Why::Stranger)))
    }
}

/// `routes` for those only who have `right` somewhere. What they ask for says where; see [`Visitor::demand`].
pub(crate) fn only_with(right: Right, routes: Router<State>) -> Router<State> {
    routes.route_layer(middleware::from_fn(
        move |visitor: Visitor, request: Request, next: Next| async move {
            check(visitor.may(right), right, &visitor, request, next).await
        },
    ))
}

/// `routes` for those only who have `right` of the daemon as a whole.
pub(crate) fn only_with_all(right: Right, routes: Router<State>) -> Router<State> {
    routes.route_layer(middleware::from_fn(
        move |visitor: Visitor, request: Request, next: Next| async move {
            check(visitor.may_at(right, ""), right, &visitor, request, next).await
        },
    ))
}

async fn check(may: bool, right: Right, visitor: &Visitor, request: Request, next: Next) -> Response {
    if may {
        return next.run(request).await;
    }
    match visitor.unknown_because() {
        Some(why) => introduce(why, request.method(), request.uri()),
        None => visitor.lacks(right, "").into_response(),
    }
}

/// What somebody is told whom we do not know: where to sign in, or why that does not help now.
pub(crate) fn introduce(why: &Why, method: &Method, uri: &Uri) -> Response {
    let api = uri.path().starts_with("/api/");
    let challenge = match why {
        Why::StoreDown => {
            return Problem::new(503, "the database does not answer")
                .because("nobody can be recognised until it does; try again in a moment")
                .into_response();
        }
        Why::Silent(server) => {
            return Problem::new(503, "your server does not answer")
                .because(format!(
                    "{server} has not said for too long what you may do here; try again when it is back"
                ))
                .into_response();
        }
        Why::Stranger if !api => {
            let back = (*method == Method::GET).then(|| uri.path_and_query().map_or("/", |path| path.as_str()));
            return Redirect::to(&crate::signin::login_path(back)).into_response();
        }
        Why::Stranger => "Bearer realm=\"Egret\"",
        Why::BadToken => "Bearer realm=\"Egret\", error=\"invalid_token\"",
    };
    let detail = match why {
        Why::BadToken => "this token is unknown, expired or revoked; `egret token create` makes one",
        _ => "send a token, `Authorization: Bearer …`; `egret token create` makes one",
    };
    Problem::new(401, "who are you?")
        .because(detail)
        .with(
            header::WWW_AUTHENTICATE,
            axum::http::HeaderValue::from_static(challenge),
        )
        .into_response()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn visitor(words: &str, configured: &[&str]) -> Visitor {
        let configured: Vec<String> = configured.iter().map(|host| (*host).to_owned()).collect();
        Visitor::with_session("ada".to_owned(), from_words(words), None).among(configured.into())
    }

    #[test]
    fn any_right_opens_the_common_pages_and_admin_opens_all() {
        let moderator = Visitor::new("mod", &[Right::Moderation]);
        assert!(moderator.may(Right::View) && moderator.may(Right::Moderation));
        assert!(!moderator.may(Right::Admin) && !moderator.may(Right::Federation));
        let admin = Visitor::new("admin", &[Right::Admin]);
        assert!(
            Right::ALL
                .into_iter()
                .all(|right| admin.may(right) && admin.may_at(right, ""))
        );
        let nobody = Visitor::unknown(Why::Stranger);
        assert!(!Right::ALL.into_iter().any(|right| nobody.may(right)));
    }

    #[test]
    fn a_right_reaches_no_further_than_its_server() {
        let both = ["a.example", "b.example"];
        let moderator = visitor("moderation@a.example", &both);
        for (scope, may) in [
            ("a.example", true),
            ("a.example/me", true),
            ("b.example", false),
            ("", false),
        ] {
            assert_eq!(moderator.may_at(Right::Moderation, scope), may, "{scope}");
            assert_eq!(moderator.may_at(Right::View, scope), may, "{scope}");
            assert!(!moderator.may_at(Right::Registrations, scope), "{scope}");
        }
        assert!(!moderator.may_at(Right::Moderation, "a.example.evil"));
        let here = Servers::These(vec!["a.example".to_owned()]);
        assert_eq!(moderator.servers(Right::Moderation), here);
        assert_eq!(moderator.servers(Right::Federation), Servers::These(Vec::new()));
        let admin = visitor("admin@a.example", &both);
        assert!(admin.may_at(Right::Federation, "a.example") && !admin.may_at(Right::Admin, "b.example/me"));
        assert!(!admin.may_at(Right::Admin, ""), "the other server has a say in it");
        // Where it is the only server, its administrators are the daemon's; one that was there before stays hidden.
        let alone = visitor("admin@a.example", &["a.example"]);
        assert!(alone.may_at(Right::Admin, "") && !alone.may_at(Right::Admin, "gone.example"));
        let of_both = visitor("admin@a.example admin@b.example", &both);
        assert!(of_both.may_at(Right::Admin, ""));
        assert!(!visitor("view", &[]).may_at(Right::Admin, ""));
    }

    #[test]
    fn a_login_is_its_owners_alone() {
        let owner = visitor("view@a.example/me", &["a.example"]);
        assert!(owner.owns("a.example/me") && !owner.owns("a.example/you") && !owner.owns("a.example/m"));
        assert!(owner.may_at(Right::View, "a.example") && !owner.may_at(Right::View, "a.example/you"));
        for (words, what) in [
            (
                "admin@a.example",
                "who keeps a server has no part in what its people keep here",
            ),
            ("moderation@a.example", "nor has who moderates it"),
            ("view", "nor a token for looking"),
        ] {
            assert!(!visitor(words, &["a.example"]).owns("a.example/me"), "{what}");
        }
        assert!(visitor("admin", &["a.example"]).owns("a.example/me"));
        let account = |words: &str| Visitor::with_account("ada".to_owned(), from_words(words), None);
        for one_person in [true, false] {
            assert!(owner.reads_archive_of("a.example/me", one_person));
            assert!(account("admin view@a.example/me").reads_archive_of("a.example/me", one_person));
            assert!(!account("admin view@a.example/me").reads_archive_of("a.example/you", one_person));
            assert!(!visitor("admin@a.example", &["a.example"]).reads_archive_of("a.example/me", one_person));
            let here = visitor("admin", &["a.example"]).reads_archive_of("a.example/me", one_person);
            assert_eq!(here, one_person);
        }
        let whose = owner.runs().unwrap();
        assert_eq!(whose.scopes, ["a.example/me", "a.example", ""]);
        assert_eq!(visitor("view", &[]).runs(), None);
    }
}
