//! Who asks, and whether they may.

use crate::request::{Call, Reply};
use crate::state::State;
use crate::tokens::Token;
use crate::world::{AccountIx, HOME, World};

/// What a bearer token turned out to be. A token nobody ever issued counts as none.
pub(crate) enum Who {
    Stranger,
    Revoked,
    Token(Token),
}

pub(crate) fn who(state: &State, call: &Call) -> Who {
    let given = call.bearer.as_deref().or_else(|| call.param("access_token"));
    let tokens = state.tokens();
    match given.and_then(|given| tokens.tokens.get(given)) {
        None => Who::Stranger,
        Some(token) if token.revoked => Who::Revoked,
        Some(token) => Who::Token(token.clone()),
    }
}

/// The user behind a request, for counting.
pub(crate) fn user_of(state: &State, call: &Call) -> Option<AccountIx> {
    if call.server != HOME {
        return None;
    }
    match who(state, call) {
        Who::Token(token) => token.user,
        _ => None,
    }
}

fn unauthorized(text: &str) -> Reply {
    Reply::error(401, text).header(
        "www-authenticate",
        format!("Bearer realm=\"Doorkeeper\", error=\"invalid_token\", error_description=\"{text}\""),
    )
}

fn revoked() -> Reply {
    unauthorized("The access token was revoked")
}

fn outside() -> Reply {
    let text = "This action is outside the authorized scopes";
    Reply::error(403, text).header(
        "www-authenticate",
        format!("Bearer realm=\"Doorkeeper\", error=\"invalid_scope\", error_description=\"{text}\""),
    )
}

/// An endpoint that strangers may use too: `None` for them.
pub(crate) fn public(state: &State, call: &Call, scopes: &[&str]) -> Result<Option<AccountIx>, Reply> {
    match who(state, call) {
        Who::Stranger => Ok(None),
        Who::Revoked => Err(revoked()),
        Who::Token(token) if token.allows(scopes) => Ok(token.user),
        Who::Token(_) => Err(outside()),
    }
}

/// An endpoint for users.
pub(crate) fn user(state: &State, call: &Call, scopes: &[&str]) -> Result<AccountIx, Reply> {
    match who(state, call) {
        Who::Stranger => Err(unauthorized("The access token is invalid")),
        Who::Revoked => Err(revoked()),
        Who::Token(token) if !token.allows(scopes) => Err(outside()),
        Who::Token(token) => {
            let user = token
                .user
                .ok_or_else(|| Reply::error(422, "This method requires an authenticated user"))?;
            able(&state.world(), user)?;
            Ok(user)
        }
    }
}

/// A user may be who they say and still not be let in.
fn able(world: &World, ix: AccountIx) -> Result<(), Reply> {
    let Some(user) = world.users.get(&ix) else {
        return Ok(());
    };
    let refuse = |text: &str| Err(Reply::error(403, text));
    match user {
        user if !user.confirmed => refuse("Your login is missing a confirmed e-mail address"),
        user if !user.approved => refuse("Your login is currently pending approval"),
        _ if world.accounts[ix].suspended => refuse("Your login is currently disabled"),
        user if user.disabled => refuse("Your login is currently disabled"),
        _ => Ok(()),
    }
}

/// An endpoint for whoever holds any token.
pub(crate) fn any_token(state: &State, call: &Call) -> Result<Token, Reply> {
    match who(state, call) {
        Who::Stranger => Err(unauthorized("The access token is invalid")),
        Who::Revoked => Err(revoked()),
        Who::Token(token) => Ok(token),
    }
}

/// An endpoint for those whose role has one of these permissions. Without a token these answer 403, not 401.
pub(crate) fn admin(state: &State, call: &Call, scopes: &[&str], permissions: u64) -> Result<AccountIx, Reply> {
    let refused = || Reply::error(403, "This action is not allowed");
    match who(state, call) {
        Who::Stranger => Err(refused()),
        Who::Revoked => Err(revoked()),
        Who::Token(token) if !token.allows(scopes) => Err(outside()),
        Who::Token(token) => {
            let world = state.world();
            let may = |user: &AccountIx| world.users.get(user).is_some_and(|user| user.role.may(permissions));
            token.user.filter(may).ok_or_else(refused)
        }
    }
}
