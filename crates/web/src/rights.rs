//! Who visits, and what they may see and do. Rights come from permission bits, never from a role's name.

use std::convert::Infallible;

use axum::{
    Router,
    extract::{FromRequestParts, Request},
    http::{Method, Uri, header, request::Parts},
    middleware::{self, Next},
    response::{IntoResponse, Redirect, Response},
};
use ring::hmac;

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
}

/// Rights as the store keeps them.
pub(crate) fn to_words(rights: &[Right]) -> String {
    let words: Vec<_> = rights.iter().map(|right| right.as_str()).collect();
    words.join(" ")
}

/// Rights as the store kept them. A word that this version does not know gives nothing.
pub(crate) fn from_words(words: &str) -> Vec<Right> {
    words.split_whitespace().filter_map(Right::parse).collect()
}

/// Who asks. Put into every request before a route sees it.
#[derive(Debug, Clone)]
pub(crate) struct Visitor {
    /// How the effects ledger and the pages call them: `alice@mastodon.example`, `token backup`, `local`.
    pub(crate) name: String,
    rights: Vec<Right>,
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
    /// Somebody with these rights, whom no cookie vouches for; [`Right::Admin`] brings all others along.
    pub(crate) fn new(name: impl Into<String>, rights: impl Into<Vec<Right>>) -> Self {
        Self {
            name: name.into(),
            rights: rights.into(),
            by: By::Config,
        }
    }

    /// Whoever holds a token of ours.
    pub(crate) fn with_token(name: &str, rights: Vec<Right>) -> Self {
        Self {
            name: format!("token {name}"),
            rights,
            by: By::Token,
        }
    }

    /// Whoever signed in.
    pub(crate) fn with_session(name: String, rights: Vec<Right>, form_key: Option<hmac::Key>) -> Self {
        Self {
            name,
            rights,
            by: By::Session(form_key),
        }
    }

    /// Somebody we do not know.
    pub(crate) fn unknown(why: Why) -> Self {
        Self {
            name: "nobody".to_owned(),
            rights: Vec::new(),
            by: By::Nothing(why),
        }
    }

    /// Whether they may.
    pub(crate) fn may(&self, right: Right) -> bool {
        match right {
            Right::View => !self.rights.is_empty(),
            right => self.rights.contains(&right) || self.rights.contains(&Right::Admin),
        }
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

/// `routes` for those only who have `right`.
pub(crate) fn only_with(right: Right, routes: Router<State>) -> Router<State> {
    routes.route_layer(middleware::from_fn(
        move |visitor: Visitor, request: Request, next: Next| async move { check(right, &visitor, request, next).await },
    ))
}

async fn check(right: Right, visitor: &Visitor, request: Request, next: Next) -> Response {
    if visitor.may(right) {
        return next.run(request).await;
    }
    match visitor.unknown_because() {
        Some(why) => introduce(why, request.method(), request.uri()),
        None => Problem::new(403, "not yours")
            .because(format!(
                "{} may not do this: it needs the right \u{201c}{}\u{201d}",
                visitor.name,
                right.as_str()
            ))
            .into_response(),
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

    #[test]
    fn words_and_back() {
        assert_eq!(from_words(&to_words(&Right::ALL)), Right::ALL);
        assert_eq!(from_words("view owner  Admin"), [Right::View]);
    }

    #[test]
    fn any_right_opens_the_common_pages_and_admin_opens_all() {
        let moderator = Visitor::new("mod", [Right::Moderation]);
        assert!(moderator.may(Right::View) && moderator.may(Right::Moderation));
        assert!(!moderator.may(Right::Admin) && !moderator.may(Right::Federation));
        let admin = Visitor::new("admin", [Right::Admin]);
        assert!(Right::ALL.into_iter().all(|right| admin.may(right)));
        let nobody = Visitor::unknown(Why::Stranger);
        assert!(!Right::ALL.into_iter().any(|right| nobody.may(right)));
    }
}
