//! All rows, put together by domain. Made so that each row is looked at once, in its order, and each group then in one
//! go: with a million rows most of the time is spent waiting for memory.

use std::{
    collections::{HashMap, HashSet},
    hash::BuildHasher as _,
};

use hashbrown::HashTable;

use super::{Voter, hash::Secret};
use crate::{
    list::{Flags, Row, Stance},
    name::Name,
    signature::sha256,
};

/// All rows by domain.
pub(super) struct Groups<'a> {
    domains: Vec<&'a str>,
    links: Vec<Link<'a>>,
    /// Places in `links`, group after group.
    order: Vec<u32>,
    /// Where each group ends in `order`.
    ends: Vec<u32>,
    /// Hidden names that nobody could tell.
    pub(super) hidden: usize,
}

/// One row of one list.
#[derive(Clone, Copy)]
pub(super) struct Link<'a> {
    pub(super) row: &'a Row<'a>,
    // Copied out of the row while it is at hand: looking it up again would be most of the work.
    pub(super) public_comment: &'a str,
    pub(super) stance: Stance,
    pub(super) flags: Flags,
    pub(super) list: u32,
    pub(super) by_digest: bool,
    pub(super) is_leaving: bool,
    group: u32,
}

/// Names of so many bytes are their own key: comparing them needs no look elsewhere.
const SHORT: usize = 24;

/// A domain as a key.
#[derive(Clone, Copy, PartialEq, Eq, Hash)]
enum Key<'a> {
    Short([u64; SHORT / 8]),
    Long(&'a str),
}

impl<'a> Key<'a> {
    fn of(domain: &'a str) -> Self {
        let mut bytes = [0; SHORT];
        // No domain holds a NUL, so the padding belongs to none.
        let Some(place) = bytes.get_mut(..domain.len()) else {
            return Self::Long(domain);
        };
        place.copy_from_slice(domain.as_bytes());
        let (words, _) = bytes.as_chunks::<8>();
        Self::Short(std::array::from_fn(|n| u64::from_le_bytes(words[n])))
    }
}

/// Groups that are tried before the table is asked.
const GUESSES: usize = 2;

/// Which group a domain is in.
struct Index<'a> {
    /// Numbers only: with the keys in it the table would be eight times as large, and most look-ups wait for memory.
    groups: HashTable<u32>,
    secret: Secret,
    domains: Vec<&'a str>,
    keys: Vec<Key<'a>>,
    /// Behind the last one found: lists go through their names in much the same order.
    guess: usize,
}

impl<'a> Index<'a> {
    fn group(&mut self, domain: &'a str) -> u32 {
        let key = Key::of(domain);
        let near = self.keys.get(self.guess..).unwrap_or_default();
        if let Some(at) = near.iter().take(GUESSES).position(|near| *near == key) {
            self.guess += at + 1;
            return number(self.guess - 1);
        }
        let new = number(self.keys.len());
        let (keys, secret) = (&self.keys, &self.secret);
        let is_same = |group: &u32| keys[*group as usize] == key;
        let rehash = |group: &u32| secret.hash_one(keys[*group as usize]);
        let group = *self
            .groups
            .entry(secret.hash_one(key), is_same, rehash)
            .or_insert(new)
            .get();
        if group == new {
            self.domains.push(domain);
            self.keys.push(key);
        }
        self.guess = group as usize + 1;
        group
    }
}

/// Rows are bounded far below four billion.
fn number(at: usize) -> u32 {
    u32::try_from(at).unwrap_or(u32::MAX)
}

impl<'a> Groups<'a> {
    /// Puts rows together by domain, hidden ones by their digest: `known` are domains that they may be, beside those
    /// that lists name.
    pub(super) fn of(voters: &[Voter<'a>], known: &[&'a str]) -> Self {
        let rows: usize = voters.iter().map(|voter| voter.rows.len() + voter.leaving.len()).sum();
        let mut index = Index {
            groups: HashTable::with_capacity(rows / 2 + 16),
            secret: Secret::draw(),
            domains: Vec::with_capacity(rows / 4 + 16),
            keys: Vec::with_capacity(rows / 4 + 16),
            guess: 0,
        };
        let mut links: Vec<Link<'a>> = Vec::with_capacity(rows);
        let mut stars: Vec<([u8; 32], Link<'a>)> = Vec::new();
        let mut hidden = 0;
        for (list, voter) in (0..).zip(voters) {
            let now = voter.rows.iter().map(|row| (row, false));
            for (row, is_leaving) in now.chain(voter.leaving.iter().map(|row| (row, true))) {
                let mut link = Link {
                    row,
                    public_comment: &row.public_comment,
                    stance: row.stance,
                    flags: row.flags,
                    list,
                    by_digest: false,
                    is_leaving,
                    group: 0,
                };
                match &row.name {
                    Name::Plain(domain) => {
                        link.group = index.group(domain);
                        links.push(link);
                    }
                    Name::Hidden(name) => match name.digest {
                        Some(digest) => stars.push((digest, link)),
                        None => hidden += 1,
                    },
                }
            }
        }
        hidden += resolve(stars, known, &mut index, &mut links);
        Self::filed(index.domains, links, hidden)
    }

    /// Sorts links by group, in two passes without a comparison.
    fn filed(domains: Vec<&'a str>, links: Vec<Link<'a>>, hidden: usize) -> Self {
        let mut ends = vec![0_u32; domains.len()];
        for link in &links {
            ends[link.group as usize] += 1;
        }
        let mut sum = 0;
        for end in &mut ends {
            sum += *end;
            *end = sum - *end;
        }
        // Begins so far; each moves to its end as its group fills.
        let mut order = vec![0; links.len()];
        for (at, link) in links.iter().enumerate() {
            let place = &mut ends[link.group as usize];
            order[*place as usize] = number(at);
            *place += 1;
        }
        Self {
            domains,
            links,
            order,
            ends,
            hidden,
        }
    }

    /// Every domain with its rows.
    pub(super) fn iter(&self) -> impl Iterator<Item = (&'a str, impl Iterator<Item = &Link<'a>>)> {
        let begins = std::iter::once(0).chain(self.ends.iter().copied());
        let places = begins.zip(&self.ends);
        self.domains.iter().zip(places).map(|(domain, (begin, end))| {
            let order = &self.order[begin as usize..*end as usize];
            (*domain, order.iter().map(|at| &self.links[*at as usize]))
        })
    }
}

/// Tells whose names stars hide; gives how many nobody could tell.
fn resolve<'a>(
    stars: Vec<([u8; 32], Link<'a>)>,
    known: &[&'a str],
    index: &mut Index<'a>,
    links: &mut Vec<Link<'a>>,
) -> usize {
    if stars.is_empty() {
        return 0;
    }
    let wanted: HashSet<[u8; 32]> = stars.iter().map(|(digest, _)| *digest).collect();
    let mut found: HashMap<[u8; 32], &'a str> = HashMap::new();
    for domain in index.domains.iter().chain(known) {
        let digest = sha256(domain.as_bytes());
        if wanted.contains(&digest) {
            found.insert(digest, domain);
        }
    }
    let mut hidden = 0;
    for (digest, mut link) in stars {
        let fits = |domain: &&&str| matches!(&link.row.name, Name::Hidden(name) if name.may_be(domain));
        match found.get(&digest).filter(fits) {
            Some(domain) => {
                link.by_digest = true;
                link.group = index.group(domain);
                links.push(link);
            }
            None => hidden += 1,
        }
    }
    hidden
}
