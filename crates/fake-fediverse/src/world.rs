//! The shared truth: who exists, what was posted, and which server knows of it.

use std::collections::{BTreeMap, HashMap, HashSet};

use chrono::{DateTime, Utc};

use crate::diary::Diary;
use crate::ids;
use crate::moderation::{DomainBlock, Moderation};
use crate::users::{ADMINISTRATOR, Users};

/// Index of a server: 0 is home, the origins follow.
pub(crate) type ServerIx = usize;
/// Index of an account.
pub(crate) type AccountIx = usize;
/// Index of a status.
pub(crate) type StatusIx = usize;

/// Home.
pub(crate) const HOME: ServerIx = 0;

/// Families of servers that spell ids and addresses alike.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Kind {
    Mastodon,
    Akkoma,
    Mitra,
    GoToSocial,
    Other,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Visibility {
    Public,
    Unlisted,
    Private,
    Direct,
}

impl Visibility {
    pub(crate) fn as_str(self) -> &'static str {
        match self {
            Self::Public => "public",
            Self::Unlisted => "unlisted",
            Self::Private => "private",
            Self::Direct => "direct",
        }
    }
}

#[derive(Debug)]
pub(crate) struct Account {
    pub(crate) server: ServerIx,
    pub(crate) username: String,
    pub(crate) display_name: String,
    pub(crate) note: String,
    pub(crate) created_at: DateTime<Utc>,
    pub(crate) locked: bool,
    pub(crate) bot: bool,
    pub(crate) discoverable: Option<bool>,
    pub(crate) indexable: bool,
    /// Actor address with a number instead of the name, as accounts made on 4.5+.
    pub(crate) numeric: bool,
    pub(crate) statuses: Vec<StatusIx>,
    pub(crate) silenced: bool,
    pub(crate) sensitized: bool,
    pub(crate) suspended: bool,
    /// Rejected or deleted: nothing finds it any more.
    pub(crate) gone: bool,
}

#[derive(Debug)]
pub(crate) struct Status {
    pub(crate) author: AccountIx,
    pub(crate) created_at: DateTime<Utc>,
    pub(crate) edited_at: Option<DateTime<Utc>>,
    pub(crate) parent: Option<StatusIx>,
    pub(crate) root: StatusIx,
    pub(crate) children: Vec<StatusIx>,
    pub(crate) visibility: Visibility,
    pub(crate) content: String,
    pub(crate) uri: String,
    pub(crate) url: String,
    /// `url` is null in every API, as for some bridged posts.
    pub(crate) no_url: bool,
    pub(crate) boost_of: Option<StatusIx>,
    pub(crate) deleted: bool,
    pub(crate) local_only: bool,
    pub(crate) mentions: Vec<AccountIx>,
    /// Resolving it fails as long as this is set.
    pub(crate) unresolvable: bool,
}

/// What a server has of a status.
#[derive(Debug, Clone)]
pub(crate) struct Copy {
    pub(crate) id: String,
    pub(crate) order: u64,
}

#[derive(Debug)]
pub(crate) struct Server {
    pub(crate) base: String,
    pub(crate) host: String,
    pub(crate) kind: Kind,
    pub(crate) copies: HashMap<StatusIx, Copy>,
    pub(crate) ids: HashMap<String, StatusIx>,
    pub(crate) account_ids: HashMap<String, AccountIx>,
    pub(crate) accounts: Vec<String>,
    pub(crate) orders: HashSet<u64>,
    pub(crate) robots: Option<String>,
}

#[derive(Debug, Clone)]
pub(crate) struct List {
    pub(crate) id: u64,
    pub(crate) title: String,
    pub(crate) members: Vec<AccountIx>,
}

/// A new status, before servers know of it.
#[derive(Debug)]
pub(crate) struct Draft {
    pub(crate) author: AccountIx,
    pub(crate) created_at: DateTime<Utc>,
    pub(crate) parent: Option<StatusIx>,
    pub(crate) visibility: Visibility,
    pub(crate) content: String,
    pub(crate) low: u16,
}

#[derive(Debug)]
pub(crate) struct World {
    pub(crate) servers: Vec<Server>,
    pub(crate) accounts: Vec<Account>,
    pub(crate) statuses: Vec<Status>,
    pub(crate) by_uri: HashMap<String, StatusIx>,
    pub(crate) by_url: HashMap<String, StatusIx>,
    /// Roots of the scenario's threads, oldest first.
    pub(crate) threads: Vec<StatusIx>,
    /// `me`.
    pub(crate) me: AccountIx,
    pub(crate) local_users: Vec<AccountIx>,
    pub(crate) users: Users,
    pub(crate) followed: Vec<AccountIx>,
    /// Who follows `me`, and who asks to.
    pub(crate) followers: Vec<AccountIx>,
    pub(crate) requests: Vec<AccountIx>,
    /// Who did something that `me` is told of, and when.
    pub(crate) notices: BTreeMap<u64, (AccountIx, DateTime<Utc>)>,
    /// Pinned by their authors.
    pub(crate) pinned: HashSet<StatusIx>,
    /// Home timeline by the order of home's ids.
    pub(crate) timeline: BTreeMap<u64, StatusIx>,
    /// Ids of these rows mean nothing outside; they are the cursors.
    pub(crate) bookmarks: BTreeMap<u64, StatusIx>,
    pub(crate) favourites: BTreeMap<u64, StatusIx>,
    pub(crate) lists: Vec<List>,
    pub(crate) domain_blocks: Vec<DomainBlock>,
    pub(crate) moderation: Moderation,
    /// What `me` wrote and is told of.
    pub(crate) diary: Diary,
    pub(crate) next_row: u64,
    /// What home fetched from other servers.
    pub(crate) remote_fetches: u64,
    pub(crate) missing_at_start: usize,
    pub(crate) arrived: usize,
}

impl World {
    pub(crate) fn new(servers: Vec<Server>) -> Self {
        Self {
            servers,
            accounts: Vec::new(),
            statuses: Vec::new(),
            by_uri: HashMap::new(),
            by_url: HashMap::new(),
            threads: Vec::new(),
            me: 0,
            local_users: Vec::new(),
            users: Users::new(),
            followed: Vec::new(),
            followers: Vec::new(),
            requests: Vec::new(),
            notices: BTreeMap::new(),
            pinned: HashSet::new(),
            timeline: BTreeMap::new(),
            bookmarks: BTreeMap::new(),
            favourites: BTreeMap::new(),
            lists: Vec::new(),
            domain_blocks: Vec::new(),
            moderation: Moderation::default(),
            diary: Diary::default(),
            next_row: 1,
            remote_fetches: 0,
            missing_at_start: 0,
            arrived: 0,
        }
    }

    /// A number for a new row of any small table.
    pub(crate) fn row(&mut self) -> u64 {
        self.next_row += 1;
        self.next_row
    }

    pub(crate) fn add_account(&mut self, account: Account) -> AccountIx {
        let ix = self.accounts.len();
        let low = u16::try_from(ix & 0xff).unwrap_or(0);
        for (number, server) in self.servers.iter_mut().enumerate() {
            // Every server numbers accounts its own way; nothing may depend on ids being alike.
            let noise = u16::try_from(ids::mix(ix as u64, number as u64) & 0xff).unwrap_or(0);
            let order = ids::snowflake(account.created_at.timestamp_millis(), (noise << 8) | low);
            let id = ids::spelled(server.kind, order, number as u64 + 77);
            server.account_ids.insert(id.clone(), ix);
            server.accounts.push(id);
        }
        self.accounts.push(account);
        ix
    }

    /// Who answers for home: its owner.
    pub(crate) fn contact(&self) -> AccountIx {
        let owner = self
            .users
            .iter()
            .find(|(_, user)| user.role.permissions & ADMINISTRATOR != 0);
        owner.map_or(self.me, |(ix, _)| *ix)
    }

    pub(crate) fn actor_uri(&self, account: AccountIx) -> String {
        let who = &self.accounts[account];
        let server = &self.servers[who.server];
        match server.kind {
            Kind::Mastodon if who.numeric => format!("{}/ap/users/{}", server.base, server.accounts[account]),
            Kind::Other => format!("{}/actors/{}", server.base, who.username),
            _ => format!("{}/users/{}", server.base, who.username),
        }
    }

    pub(crate) fn profile_url(&self, account: AccountIx) -> String {
        let who = &self.accounts[account];
        let server = &self.servers[who.server];
        match server.kind {
            Kind::Akkoma => format!("{}/users/{}", server.base, who.username),
            _ => format!("{}/@{}", server.base, who.username),
        }
    }

    /// `name` at home, `name@host` elsewhere, as `viewer` spells it.
    pub(crate) fn acct(&self, viewer: ServerIx, account: AccountIx) -> String {
        let who = &self.accounts[account];
        if who.server == viewer {
            who.username.clone()
        } else {
            format!("{}@{}", who.username, self.servers[who.server].host)
        }
    }

    pub(crate) fn find_account(&self, viewer: ServerIx, acct: &str) -> Option<AccountIx> {
        let acct = acct.trim_start_matches('@');
        let (name, host) = acct
            .split_once('@')
            .unwrap_or((acct, self.servers[viewer].host.as_str()));
        self.accounts.iter().position(|who| {
            !who.gone && who.username.eq_ignore_ascii_case(name) && self.servers[who.server].host == host
        })
    }

    /// Posts a status on its author's own server. Other servers learn of it by [`World::learn`].
    pub(crate) fn post(&mut self, draft: Draft) -> StatusIx {
        let ix = self.statuses.len();
        let home = self.accounts[draft.author].server;
        let copy = self.number(home, draft.created_at.timestamp_millis(), draft.low);
        let server = &self.servers[home];
        let name = &self.accounts[draft.author].username;
        let base = &server.base;
        let (uri, url) = match server.kind {
            Kind::Mastodon => {
                let actor = self.actor_uri(draft.author);
                (
                    format!("{actor}/statuses/{}", copy.id),
                    format!("{base}/@{name}/{}", copy.id),
                )
            }
            Kind::Akkoma => (
                format!("{base}/objects/{}", ids::uuid(copy.order, home as u64)),
                format!("{base}/notice/{}", copy.id),
            ),
            Kind::Mitra => {
                let uri = format!("{base}/objects/{}", copy.id);
                (uri.clone(), uri)
            }
            Kind::GoToSocial => (
                format!("{base}/users/{name}/statuses/{}", copy.id),
                format!("{base}/@{name}/statuses/{}", copy.id),
            ),
            Kind::Other => {
                let uri = format!("{base}/notes/{}", ids::short(copy.order));
                (uri.clone(), uri)
            }
        };
        let mentions = draft
            .parent
            .map(|parent| self.statuses[parent].author)
            .filter(|author| *author != draft.author)
            .into_iter()
            .collect();
        if let Some(parent) = draft.parent {
            self.statuses[parent].children.push(ix);
        }
        self.by_uri.insert(uri.clone(), ix);
        self.by_url.insert(url.clone(), ix);
        self.accounts[draft.author].statuses.push(ix);
        let root = draft.parent.map_or(ix, |parent| self.statuses[parent].root);
        self.statuses.push(Status {
            author: draft.author,
            created_at: draft.created_at,
            edited_at: None,
            parent: draft.parent,
            root,
            children: Vec::new(),
            visibility: draft.visibility,
            content: draft.content,
            uri,
            url,
            no_url: false,
            boost_of: None,
            deleted: false,
            local_only: false,
            mentions,
            unresolvable: false,
        });
        let server = &mut self.servers[home];
        server.ids.insert(copy.id.clone(), ix);
        server.copies.insert(ix, copy);
        ix
    }

    /// A free id on a server for a moment.
    fn number(&mut self, server: ServerIx, unix_ms: i64, low: u16) -> Copy {
        let server_number = server as u64;
        let server = &mut self.servers[server];
        let mut order = ids::snowflake(unix_ms, low);
        while !server.orders.insert(order) {
            order += 1;
        }
        Copy {
            id: ids::spelled(server.kind, order, server_number),
            order,
        }
    }

    pub(crate) fn knows(&self, server: ServerIx, status: StatusIx) -> bool {
        self.servers[server].copies.contains_key(&status)
    }

    /// A server gets to know one status. Its id there comes from when it was posted, not from when it came.
    pub(crate) fn learn(&mut self, server: ServerIx, status: StatusIx) -> bool {
        if self.knows(server, status) {
            return false;
        }
        let ms = self.statuses[status].created_at.timestamp_millis();
        let low = u16::try_from(ids::mix(status as u64, server as u64) & 0xffff).unwrap_or(0);
        let copy = self.number(server, ms, low);
        let there = &mut self.servers[server];
        there.ids.insert(copy.id.clone(), status);
        there.copies.insert(status, copy);
        if server == HOME {
            self.arrived += 1;
        }
        true
    }

    /// The same, and its ancestors. Gives how many were new.
    pub(crate) fn learn_upwards(&mut self, server: ServerIx, status: StatusIx) -> usize {
        let mut new = 0;
        let mut next = Some(status);
        while let Some(ix) = next {
            if !self.learn(server, ix) {
                break;
            }
            new += 1;
            next = self.statuses[ix].parent.filter(|parent| self.fetchable(*parent));
        }
        new
    }

    /// Whether strangers may see it.
    pub(crate) fn is_public(&self, status: StatusIx) -> bool {
        let status = &self.statuses[status];
        matches!(status.visibility, Visibility::Public | Visibility::Unlisted) && !status.local_only
    }

    /// Whether home's fetch of it would bring something.
    pub(crate) fn fetchable(&self, ix: StatusIx) -> bool {
        let status = &self.statuses[ix];
        self.is_public(ix)
            && !status.deleted
            && !status.unresolvable
            && status.boost_of.is_none()
            && !self.is_suspended(self.accounts[status.author].server)
    }

    /// Whether home suspends a server.
    pub(crate) fn is_suspended(&self, server: ServerIx) -> bool {
        server != HOME && self.suspends(&self.servers[server].host)
    }

    /// Whether home suspends a host.
    pub(crate) fn suspends(&self, host: &str) -> bool {
        self.domain_blocks
            .iter()
            .any(|block| block.severity == "suspend" && covers(&block.domain, host))
    }

    /// Whether home suspends an account, alone or with its server.
    pub(crate) fn account_suspended(&self, ix: AccountIx) -> bool {
        let who = &self.accounts[ix];
        who.suspended || self.is_suspended(who.server)
    }

    /// Everybody there is.
    pub(crate) fn people(&self) -> impl Iterator<Item = AccountIx> + '_ {
        (0..self.accounts.len()).filter(|ix| !self.accounts[*ix].gone)
    }

    /// Somebody goes for good; the name is free again.
    pub(crate) fn remove_account(&mut self, ix: AccountIx) {
        self.accounts[ix].gone = true;
        self.users.remove(&ix);
        for server in &mut self.servers {
            server.account_ids.remove(&server.accounts[ix]);
        }
    }

    /// Where a status was posted.
    pub(crate) fn origin(&self, status: StatusIx) -> ServerIx {
        self.accounts[self.statuses[status].author].server
    }

    /// Whether `server` shows this status to this reader.
    pub(crate) fn visible(&self, server: ServerIx, ix: StatusIx, reader: Option<AccountIx>) -> bool {
        let status = &self.statuses[ix];
        if !self.knows(server, ix) || (status.deleted && self.origin(ix) == server) {
            return false;
        }
        if server == HOME && self.is_suspended(self.origin(ix)) {
            return false;
        }
        match status.visibility {
            Visibility::Public | Visibility::Unlisted => !status.local_only || reader.is_some(),
            // Home users follow each other and whoever stands in the timeline.
            Visibility::Private => reader.is_some(),
            Visibility::Direct => {
                reader.is_some_and(|reader| reader == status.author || status.mentions.contains(&reader))
            }
        }
    }

    /// Where `server` puts it among others.
    pub(crate) fn order(&self, server: ServerIx, status: StatusIx) -> u64 {
        self.servers[server].copies.get(&status).map_or(0, |copy| copy.order)
    }

    pub(crate) fn id(&self, server: ServerIx, status: StatusIx) -> Option<&str> {
        self.servers[server].copies.get(&status).map(|copy| copy.id.as_str())
    }

    /// A status by whatever address names it.
    pub(crate) fn find(&self, address: &str) -> Option<StatusIx> {
        self.by_uri.get(address).or_else(|| self.by_url.get(address)).copied()
    }

    /// All descendants, depth first by id, the author's own first (as Mastodon orders them), as far as `server` knows
    /// and shows them. At most `limit`, at most `depth` levels down.
    pub(crate) fn descendants(
        &self,
        server: ServerIx,
        of: StatusIx,
        reader: Option<AccountIx>,
        limit: usize,
        depth: usize,
    ) -> Vec<StatusIx> {
        let mut found = Vec::new();
        let mut stack = vec![(of, 0)];
        while let Some((ix, level)) = stack.pop() {
            if ix != of {
                if found.len() == limit {
                    break;
                }
                found.push(ix);
            }
            if level == depth {
                continue;
            }
            let mut children: Vec<_> = self.statuses[ix]
                .children
                .iter()
                .copied()
                .filter(|child| self.knows(server, *child))
                .collect();
            children.sort_unstable_by_key(|child| std::cmp::Reverse(self.order(server, *child)));
            stack.extend(children.into_iter().map(|child| (child, level + 1)));
        }
        found.retain(|ix| self.visible(server, *ix, reader));
        let author = self.statuses[of].author;
        // The author's chain of self-replies comes first.
        let own = |ix: &StatusIx| {
            let mut at = *ix;
            loop {
                let status = &self.statuses[at];
                if status.author != author {
                    return false;
                }
                match status.parent {
                    Some(parent) if parent == of => return true,
                    Some(parent) => at = parent,
                    None => return false,
                }
            }
        };
        let (mut first, rest): (Vec<_>, Vec<_>) = found.into_iter().partition(own);
        first.extend(rest);
        first
    }

    /// Its ancestors as `server` knows and shows them, root first, at most `limit`, cut at the root's end.
    pub(crate) fn ancestors(
        &self,
        server: ServerIx,
        of: StatusIx,
        reader: Option<AccountIx>,
        limit: usize,
    ) -> Vec<StatusIx> {
        let mut found = Vec::new();
        let mut next = self.statuses[of].parent;
        while let Some(ix) = next.filter(|ix| self.knows(server, *ix) && found.len() < limit) {
            found.push(ix);
            next = self.statuses[ix].parent;
        }
        found.retain(|ix| self.visible(server, *ix, reader));
        found.reverse();
        found
    }

    /// A status in home's timeline.
    pub(crate) fn enter_timeline(&mut self, status: StatusIx) {
        let order = self.order(HOME, status);
        self.timeline.insert(order, status);
    }
}

/// Whether a block of `domain` covers `host`, subdomains included.
pub(crate) fn covers(domain: &str, host: &str) -> bool {
    let name = host.rsplit_once(':').map_or(host, |(name, _)| name);
    host == domain || name == domain || name.strip_suffix(domain).is_some_and(|rest| rest.ends_with('.'))
}
