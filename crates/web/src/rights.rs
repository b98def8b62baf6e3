//! Who visits, and what they may see and do where. Rights come from permission bits, never from a role's name, and they
//! reach no further than the server that gave them.
//!
//! A feature asks in one line:
//!
//! ```text
//! visitor.demand(Right::Federation, &plan.server)?;      // may they, at this server (or login, or "" for the daemon)?
//! visitor.servers(Right::Registrations)                  // at which servers: for what a list asks the store for
//! visitor.owns("mastodon.example/me")                    // is it their own login: archive, metering
//! ```

use std::{convert::Infallible, fmt, sync::Arc};

use axum::{
    Router,
    extract::{FromRequestParts, Request},
    http::{Method, Uri, header, request::Parts},
    middleware::{self, Next},
    response::{IntoResponse, Redirect, Response},
};
use ring::hmac;
use store::job_runs::Whose;

use crate::{State, problem::Problem};

/// One thing that a visitor may be allowed.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub(crate) enum Right {
    /// See the common pages, and what is theirs. Whoever has any other right has this one too.
    View,
    /// Cases, rules, reports.
    Moderation,
    /// Who asks to come in.
    Registrations,
    /// Blocklists.
    Federation,
    /// Settings, running and pausing jobs, releasing effects, the panic stop.
    Admin,
}

impl Right {
    /// All of them, weakest first.
    pub(crate) const ALL: [Self; 5] = [
        Self::View,
        Self::Moderation,
        Self::Registrations,
        Self::Federation,
        Self::Admin,
    ];

    /// As it is written in scopes of API tokens.
    pub(crate) fn as_str(self) -> &'static str {
        match self {
            Self::View => "view",
            Self::Moderation => "moderation",
            Self::Registrations => "registrations",
            Self::Federation => "federation",
            Self::Admin => "admin",
        }
    }

    /// From a word. Case counts.
    pub(crate) fn parse(word: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|right| right.as_str() == word)
    }

    /// Of whoever looks after a feature.
    pub(crate) fn of_feature(feature: &str) -> Self {
        match feature {
            "moderation" => Self::Moderation,
            "registrations" => Self::Registrations,
            "blocklists" => Self::Federation,
            _ => Self::Admin,
        }
    }
}

/// How far a right reaches.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Place {
    /// All servers that there are, were and will be, and the daemon itself.
    Everywhere,
    /// One server, `host[:port]`, and all logins there.
    Server(String),
    /// One login, `host[:port]/name`: its owner's.
    Login(String),
}

impl Place {
    /// Whether what is for `scope` (a login, a server, or nothing for the daemon, as in `job_runs`) lies within it. What
    /// is a server's own lies within reach of those who have a login there.
    fn covers(&self, scope: &str) -> bool {
        match self {
            Self::Everywhere => true,
            Self::Server(host) => server_of(scope) == host,
            Self::Login(login) => scope == login || (!scope.is_empty() && scope == server_of(login)),
        }
    }
}

/// The server of a scope; nothing of the daemon's.
fn server_of(scope: &str) -> &str {
    scope.split_once('/').map_or(scope, |(host, _)| host)
}

/// A right, and how far it reaches. Written `moderation`, `moderation@mastodon.example`, `view@mastodon.example/me`.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct Grant {
    pub(crate) right: Right,
    pub(crate) place: Place,
}

impl Grant {
    pub(crate) fn everywhere(right: Right) -> Self {
        let place = Place::Everywhere;
        Self { right, place }
    }

    pub(crate) fn at(right: Right, server: &str) -> Self {
        let place = Place::Server(server.to_owned());
        Self { right, place }
    }

    /// Somebody's own login.
    pub(crate) fn own(login: &str) -> Self {
        Self {
            right: Right::View,
            place: Place::Login(login.to_owned()),
        }
    }

    /// From how it is written. Only seeing is for single logins.
    pub(crate) fn parse(word: &str) -> Option<Self> {
        let Some((right, place)) = word.split_once('@') else {
            return Right::parse(word).map(Self::everywhere);
        };
        let right = Right::parse(right)?;
        let odd = |c: char| c.is_whitespace() || c.is_control() || c == '@';
        if place.is_empty() || place.contains(odd) {
            return None;
        }
        match place.split_once('/') {
            None => Some(Self::at(right, place)),
            Some((host, name)) => (right == Right::View && !host.is_empty() && !name.is_empty() && !name.contains('/'))
                .then(|| Self::own(place)),
        }
    }

    /// The server or login that it is for; `None` for one that reaches everywhere.
    pub(crate) fn scope(&self) -> Option<&str> {
        match &self.place {
            Place::Everywhere => None,
            Place::Server(scope) | Place::Login(scope) => Some(scope),
        }
    }

    /// Whether it lets do `right`, wherever it does.
    fn brings(&self, right: Right) -> bool {
        right == Right::View || self.right == right || self.right == Right::Admin
    }

    /// Whether whoever has this one lacks nothing of the other.
    pub(crate) fn includes(&self, other: &Self) -> bool {
        let far = match &other.place {
            Place::Everywhere => self.place == Place::Everywhere,
            Place::Server(scope) => !matches!(self.place, Place::Login(_)) && self.place.covers(scope),
            Place::Login(scope) => self.place.covers(scope),
        };
        self.brings(other.right) && far
    }
}

impl fmt::Display for Grant {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.right.as_str())?;
        self.scope().map_or(Ok(()), |scope| write!(f, "@{scope}"))
    }
}

/// Grants as the store keeps them.
pub(crate) fn to_words(grants: &[Grant]) -> String {
    let words: Vec<_> = grants.iter().map(ToString::to_string).collect();
    words.join(" ")
}

/// Grants as the store kept them. A word that this version does not know gives nothing.
pub(crate) fn from_words(words: &str) -> Vec<Grant> {
    words.split_whitespace().filter_map(Grant::parse).collect()
}

/// At which servers somebody may something.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Servers {
    /// Those that are configured, and any that were.
    All,
    /// These.
    These(Vec<String>),
}

impl Servers {
    pub(crate) fn has(&self, server: &str) -> bool {
        match self {
            Self::All => true,
            Self::These(hosts) => hosts.iter().any(|host| host == server),
        }
    }

    /// For a filter of the store: `None` for no filter.
    pub(crate) fn filter(&self) -> Option<Vec<String>> {
        match self {
            Self::All => None,
            Self::These(hosts) => Some(hosts.clone()),
        }
    }
}

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

    /// Whoever signed in.
    pub(crate) fn with_session(name: String, grants: Vec<Grant>, form_key: Option<hmac::Key>) -> Self {
        Self::known(name, grants, By::Session(form_key))
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
    #[cfg_attr(
        not(test),
        expect(
            dead_code,
            reason = "for the pages of archive and metering, which come with their features"
        )
    )]
    pub(crate) fn owns(&self, login: &str) -> bool {
        let admin = Grant::everywhere(Right::Admin);
        let own = |grant: &Grant| *grant == admin || matches!(&grant.place, Place::Login(own) if own == login);
        self.grants.iter().any(own)
    }

    /// Whether they signed in, and so can sign out.
    pub(crate) fn has_session(&self) -> bool {
        matches!(self.by, By::Session(_))
    }

    /// What proves that a form comes from one of their own pages.
    pub(crate) fn form_key(&self) -> Option<&hmac::Key> {
        match &self.by {
            By::Session(key) => key.as_ref(),
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
    fn words_and_back() {
        let words = "view moderation@a.example registrations federation@b.example:8443 admin view@a.example/me";
        assert_eq!(to_words(&from_words(words)), words);
        for bad in [
            "owner",
            "Admin",
            "admin@",
            "@a",
            "admin@a.example/me",
            "view@a/b/c",
            "view@/me",
            "view@a/",
            "view@a@b",
        ] {
            assert_eq!(Grant::parse(bad), None, "{bad}");
        }
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
        let whose = owner.runs().unwrap();
        assert_eq!(whose.scopes, ["a.example/me", "a.example", ""]);
        assert_eq!(visitor("view", &[]).runs(), None);
    }

    #[test]
    fn who_lost_something_is_told_from_who_did_not() {
        let includes = |new: &str, old: &str| Grant::parse(new).unwrap().includes(&Grant::parse(old).unwrap());
        for (new, old) in [
            ("admin", "view@a.example/me"),
            ("admin@a.example", "registrations@a.example"),
            ("moderation@a.example", "view@a.example/me"),
            ("view@a.example/me", "view@a.example/me"),
        ] {
            assert!(includes(new, old), "{new} {old}");
        }
        for (new, old) in [
            ("admin@a.example", "admin"),
            ("admin@a.example", "view@b.example/me"),
            ("view@a.example/me", "view@a.example"),
            ("moderation@a.example", "registrations@a.example"),
            ("view@a.example/me", "view@a.example/you"),
        ] {
            assert!(!includes(new, old), "{new} {old}");
        }
    }
}
