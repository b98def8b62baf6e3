//! Home's people, from a test's side: who there is, what their roles let them do, and their tokens.

use crate::Fediverse;
use crate::clock;
use crate::mastodon::oauth;
use crate::request::{Call, pairs};
use crate::seed;
use crate::state::State;
use crate::tokens::ALL_SCOPES;
use crate::users::{Role, User};
use crate::world::{AccountIx, HOME, World};

/// Somebody to add to home.
#[derive(Debug, Clone)]
pub struct Person<'a> {
    /// User name.
    pub name: &'a str,
    /// What they sign in with.
    pub password: &'a str,
    /// Name of their role; empty for the one everybody has.
    pub role: &'a str,
    /// The role's permission bits.
    pub permissions: u64,
}

impl Fediverse {
    /// A token with every scope of a person of home. Scenarios bring `me` and five more who have no permissions,
    /// `admin` (the owner), `mod` (role "Gardener": users and reports) and `pretender` (role "Admin", which may
    /// nothing).
    ///
    /// # Panics
    /// When there is no such person.
    pub fn token_of(&self, name: &str) -> String {
        self.token_of_with(name, ALL_SCOPES)
    }

    /// The same with these scopes only.
    ///
    /// # Panics
    /// When there is no such person.
    pub fn token_of_with(&self, name: &str, scopes: &[&str]) -> String {
        let user = named(&self.state.world(), name);
        let scopes: Vec<_> = scopes.iter().map(|scope| (*scope).to_owned()).collect();
        self.state.tokens().issue(Some(user), &scopes, None)
    }

    /// [`Fediverse::token_of`] the owner.
    pub fn admin_token(&self) -> String {
        self.token_of("admin")
    }

    /// What somebody signs in with at home.
    ///
    /// # Panics
    /// When there is no such person.
    pub fn password_of(&self, name: &str) -> String {
        let world = self.state.world();
        let ix = named(&world, name);
        world.users[&ix].password.clone()
    }

    /// Somebody new at home, who may do nothing yet but sign in and be told what they may.
    ///
    /// # Panics
    /// When the name is taken.
    pub fn add_person(&self, person: &Person<'_>) {
        assert!(add(&self.state, person), "{} is taken", person.name);
    }

    /// From now on somebody's role has these permission bits (0: everybody's). It keeps its name.
    ///
    /// # Panics
    /// When there is no such person.
    pub fn set_permissions(&self, name: &str, permissions: u64) {
        assert!(set(&self.state, name, None, permissions), "nobody is called {name}");
    }

    /// The same with another name for the role.
    ///
    /// # Panics
    /// When there is no such person.
    pub fn set_role(&self, name: &str, role: &str, permissions: u64) {
        assert!(
            set(&self.state, name, Some(role), permissions),
            "nobody is called {name}"
        );
    }

    /// Somebody signs in, opens this address of `/oauth/authorize` and agrees. Gives where they are sent: the app's
    /// address with a code, or with the error, or the page that shows the code.
    ///
    /// # Panics
    /// When there is no such person, or when they would see an error page.
    pub fn consent(&self, name: &str, authorize_url: &str) -> String {
        let user = named(&self.state.world(), name);
        let to = consent(&self.state, user, authorize_url);
        to.unwrap_or_else(|page| panic!("an error page: {page}"))
    }

    /// Ten minutes pass for every code that waits to become a token.
    pub fn outdate_codes(&self) {
        for code in self.state.tokens().codes.values_mut() {
            code.made_at -= chrono::TimeDelta::minutes(10);
        }
    }
}

fn find(world: &World, name: &str) -> Option<AccountIx> {
    world
        .users
        .keys()
        .copied()
        .find(|ix| world.accounts[*ix].username == name)
}

fn named(world: &World, name: &str) -> AccountIx {
    find(world, name).unwrap_or_else(|| panic!("nobody is called {name}"))
}

/// Whether the name was free.
pub(crate) fn add(state: &State, person: &Person<'_>) -> bool {
    let mut world = state.world();
    if find(&world, person.name).is_some() {
        return false;
    }
    let ix = world.add_account(seed::account(HOME, person.name, clock::now()));
    let mut user = User::settled(person.name, role(&mut world, person.role, person.permissions));
    person.password.clone_into(&mut user.password);
    world.users.insert(ix, user);
    true
}

/// Whether there is somebody of this name.
pub(crate) fn set(state: &State, name: &str, role_name: Option<&str>, permissions: u64) -> bool {
    let mut world = state.world();
    let Some(ix) = find(&world, name) else {
        return false;
    };
    let was = world
        .users
        .get(&ix)
        .map(|user| user.role.name.clone())
        .unwrap_or_default();
    let new = role(&mut world, role_name.unwrap_or(&was), permissions);
    if let Some(user) = world.users.get_mut(&ix) {
        user.role = new;
    }
    true
}

fn role(world: &mut World, name: &str, permissions: u64) -> Role {
    match (name, permissions) {
        ("", 0) => Role::everyone(),
        _ => Role::named(i64::try_from(world.row()).unwrap_or(100) + 100, name, permissions),
    }
}

/// Where `/oauth/authorize` sends somebody who agrees, or the page that says why not.
pub(crate) fn consent(state: &State, user: AccountIx, authorize_url: &str) -> Result<String, String> {
    let query = authorize_url.split_once('?').map_or("", |(_, query)| query);
    let call = Call {
        server: HOME,
        method: http::Method::POST,
        path: "/oauth/authorize".to_owned(),
        params: pairs(query),
        headers: http::HeaderMap::new(),
        bearer: None,
        target: "/oauth/authorize".to_owned(),
        body: bytes::Bytes::new(),
        signer: None,
    };
    let reply = oauth::agree_as(state, &call, user);
    let to = reply.headers.into_iter().find(|(name, _)| *name == "location");
    to.map(|(_, to)| to).ok_or(reply.body)
}

/// The same by name, for the control API.
pub(crate) fn consent_of(state: &State, name: &str, authorize_url: &str) -> Result<String, String> {
    let user = find(&state.world(), name).ok_or("nobody is called that")?;
    consent(state, user, authorize_url)
}
