//! People who want to join home, and reports, blocks and follows that a test sets up.

use chrono::{DateTime, TimeDelta, Utc};

use crate::Fediverse;
use crate::clock;
use crate::mastodon::admin_report;
use crate::mastodon::announce_approval;
use crate::moderation::{DomainBlock, Report};
use crate::render;
use crate::seed;
use crate::state::State;
use crate::users::{Role, User, password};
use crate::webhooks::Event;
use crate::world::{AccountIx, HOME, World};

/// Somebody who signs up at home and waits for approval.
#[derive(Debug, Clone)]
pub struct Applicant {
    /// User name.
    pub name: String,
    /// E-mail address.
    pub email: String,
    /// Why they want to join.
    pub reason: Option<String>,
    /// Where they signed up from.
    pub ip: Option<String>,
    /// Language.
    pub locale: Option<String>,
    /// Whether they have followed the link in the e-mail already.
    pub confirmed: bool,
    /// Id of the app they signed up with.
    pub app: Option<String>,
    /// User name of who invited them.
    pub invited_by: Option<String>,
}

impl Applicant {
    /// Confirmed, from a documentation address, with a reason.
    pub fn new(name: &str, email: &str) -> Self {
        Self {
            name: name.to_owned(),
            email: email.to_owned(),
            reason: Some("I would like to post about birds.".to_owned()),
            ip: Some("198.51.100.7".to_owned()),
            locale: Some("en".to_owned()),
            confirmed: true,
            app: None,
            invited_by: None,
        }
    }
}

/// A user of home as the database has them.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct UserState {
    /// Id of the account.
    pub id: String,
    /// E-mail address.
    pub email: String,
    /// The link in the e-mail was followed.
    pub confirmed: bool,
    /// A moderator let them in.
    pub approved: bool,
    /// A moderator shut them out.
    pub disabled: bool,
    /// Limited.
    pub silenced: bool,
    /// Their media are hidden.
    pub sensitized: bool,
    /// Suspended.
    pub suspended: bool,
}

impl Fediverse {
    /// Somebody signs up. Gives the id of their account.
    ///
    /// # Panics
    /// When the name is taken.
    pub fn apply(&self, applicant: &Applicant) -> String {
        let id = apply(&self.state, applicant, clock::now());
        id.unwrap_or_else(|| panic!("{} is taken", applicant.name))
    }

    /// Somebody follows the link in the e-mail.
    ///
    /// # Panics
    /// When there is no such person.
    pub fn confirm(&self, name: &str) {
        assert!(confirm(&self.state, name), "nobody is called {name}");
    }

    /// Somebody gives another e-mail address. No webhook tells of it.
    ///
    /// # Panics
    /// When there is no such person.
    pub fn change_email(&self, name: &str, email: &str) {
        assert!(change_email(&self.state, name, email), "nobody is called {name}");
    }

    /// What became of somebody; `None` when there is nobody (any more) of that name.
    pub fn user(&self, name: &str) -> Option<UserState> {
        let world = self.state.world();
        let ix = world.find_account(HOME, name)?;
        let (user, who) = (world.users.get(&ix)?, &world.accounts[ix]);
        Some(UserState {
            id: world.servers[HOME].accounts[ix].clone(),
            email: user.email.clone(),
            confirmed: user.confirmed,
            approved: user.approved,
            disabled: user.disabled,
            silenced: who.silenced,
            sensitized: who.sensitized,
            suspended: who.suspended,
        })
    }

    /// Home's id of an account: `name`, `name@host`.
    pub fn account_id(&self, acct: &str) -> Option<String> {
        let world = self.state.world();
        let ix = world.find_account(HOME, acct)?;
        Some(world.servers[HOME].accounts[ix].clone())
    }

    /// Files a report as a user of home against any account, with statuses by uri. Gives its id.
    ///
    /// # Panics
    /// When there is no such user, account or status.
    pub fn report(&self, by: &str, acct: &str, comment: &str, uris: &[&str]) -> String {
        let mut world = self.state.world();
        let who = |world: &World, acct: &str| {
            world
                .find_account(HOME, acct)
                .unwrap_or_else(|| panic!("nobody is {acct}"))
        };
        let (by, target) = (who(&world, by), who(&world, acct));
        let statuses = uris.iter().map(|uri| Self::find(&world, uri)).collect();
        let id = world.row();
        world.moderation.reports.insert(
            id,
            Report {
                by,
                target,
                statuses,
                rules: Vec::new(),
                category: "other".to_owned(),
                comment: comment.to_owned(),
                forwarded: false,
                created_at: clock::now(),
                updated_at: clock::now(),
                action_taken_at: None,
                action_taken_by: None,
                assigned: None,
            },
        );
        self.state.happened(Event::ReportCreated, admin_report(&world, id));
        id.to_string()
    }

    /// A moderator of home blocks a domain, whatever is blocked already. Gives the block's id.
    pub fn block_domain(&self, domain: &str, severity: &str, private_comment: Option<&str>) -> String {
        let mut world = self.state.world();
        let id = world.row();
        let mut block = DomainBlock::new(id, domain.to_owned(), severity, clock::now());
        block.private_comment = private_comment.map(str::to_owned);
        world.domain_blocks.push(block);
        id.to_string()
    }

    /// Home's domain blocks: domain and severity, in the order they were made.
    pub fn domain_blocks(&self) -> Vec<(String, String)> {
        let world = self.state.world();
        let blocks = world.domain_blocks.iter();
        blocks
            .map(|block| (block.domain.clone(), block.severity.clone()))
            .collect()
    }

    /// Home knows this domain, and so many follow somebody there, and from there. It need not be simulated.
    pub fn set_follows(&self, domain: &str, out: u64, back: u64) {
        let mut world = self.state.world();
        world.moderation.follows.insert(domain.to_owned(), (out, back));
    }
}

/// The new account's id, unless the name is taken.
pub(crate) fn apply(state: &State, applicant: &Applicant, at: DateTime<Utc>) -> Option<String> {
    let mut world = state.world();
    let ix = add(&mut world, applicant, at)?;
    state.happened(Event::AccountCreated, render::admin_account(&world, ix));
    Some(world.servers[HOME].accounts[ix].clone())
}

fn add(world: &mut World, applicant: &Applicant, at: DateTime<Utc>) -> Option<AccountIx> {
    if world.find_account(HOME, &applicant.name).is_some() {
        return None;
    }
    Some(put(world, applicant, at))
}

/// Whose name is known to be free.
fn put(world: &mut World, applicant: &Applicant, at: DateTime<Utc>) -> AccountIx {
    let invited_by = applicant
        .invited_by
        .as_ref()
        .and_then(|name| world.find_account(HOME, name));
    let ix = world.add_account(seed::account(HOME, &applicant.name, at));
    let user = User {
        email: applicant.email.clone(),
        password: password(&applicant.name),
        role: Role::everyone(),
        confirmed: applicant.confirmed,
        approved: false,
        disabled: false,
        ips: applicant.ip.iter().map(|ip| (ip.clone(), at)).collect(),
        locale: applicant.locale.clone(),
        invite_request: applicant.reason.clone(),
        created_by_application_id: applicant.app.clone(),
        invited_by,
    };
    world.users.insert(ix, user);
    ix
}

/// A queue as servers have it: office workers, free mail and throw-away addresses, every third unconfirmed.
pub(crate) fn queue(world: &mut World, count: usize, now: DateTime<Utc>) {
    let domains = [
        "nyc.gov",
        "gmail.com",
        "ec.europa.eu",
        "mailinator.com",
        "posteo.de",
        "council.gov.uk",
        "yahoo.com",
    ];
    for n in 0..count {
        let mut applicant = Applicant::new(&format!("applicant{n}"), "");
        applicant.email = format!("applicant{n}@{}", domains[n % domains.len()]);
        applicant.confirmed = n % 3 != 2;
        applicant.ip = Some(format!("198.51.100.{}", n % 250 + 1));
        let minutes = i64::try_from(count - n).unwrap_or(1) * 7;
        put(world, &applicant, now - TimeDelta::minutes(minutes));
    }
}

pub(crate) fn confirm(state: &State, name: &str) -> bool {
    let mut world = state.world();
    let Some(ix) = world.find_account(HOME, name).filter(|ix| world.users.contains_key(ix)) else {
        return false;
    };
    if let Some(user) = world.users.get_mut(&ix).filter(|user| !user.confirmed) {
        user.confirmed = true;
        announce_approval(state, &world, ix);
    }
    true
}

pub(crate) fn change_email(state: &State, name: &str, email: &str) -> bool {
    let mut world = state.world();
    let Some(ix) = world.find_account(HOME, name) else {
        return false;
    };
    world
        .users
        .get_mut(&ix)
        .map(|user| email.clone_into(&mut user.email))
        .is_some()
}
