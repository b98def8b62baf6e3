//! A conversation while it is being listed: each reply once, whatever the origin repeats.

use std::{
    collections::{HashMap, HashSet},
    time::Duration,
};

use model::{Context, Status, Uri};
use tokio::time::Instant;

use super::{Reply, Walk, origin::Origin};
use crate::Error;

/// More replies are not listed.
const MOST_REPLIES: usize = 20_000;
/// More requests are not spent on one conversation at a time; the walk goes on at the next.
const MOST_REQUESTS: u32 = 600;
/// Nor is more time, where each request takes long: the run has others to look after.
const LONGEST: Duration = Duration::from_secs(20 * 60);
/// More warnings are not kept.
const MOST_WARNINGS: usize = 20;

/// What is known so far.
#[derive(Debug, Default)]
pub(super) struct Conversation {
    pub(super) replies: Vec<Reply>,
    pub(super) warnings: Vec<String>,
    pub(super) partial: bool,
    /// Why it could not go on, where that is the origin's trouble.
    pub(super) cut: Option<String>,
    /// The bounds were met between two pages of one collection.
    pub(super) interrupted: bool,
    /// What a walk branch by branch has still to do.
    pub(super) walk: Walk,
    places: HashMap<Uri, usize>,
    /// Known direct replies of each status.
    children: HashMap<Uri, u64>,
    /// The root and the status asked for.
    excluded: HashSet<Uri>,
    gone: HashSet<Uri>,
    /// When it has taken too long.
    until: Option<Instant>,
}

impl Conversation {
    pub(super) fn about(uri: &Uri) -> Self {
        Self {
            excluded: HashSet::from([uri.clone()]),
            until: Some(Instant::now() + LONGEST),
            ..Self::default()
        }
    }

    /// Where the last walk stopped.
    pub(super) fn resume(uri: &Uri, mut walk: Walk) -> Self {
        let mut talk = Self::about(uri);
        for uri in walk.excluded.drain(..) {
            talk.exclude(&uri);
        }
        for uri in walk.gone.drain(..) {
            talk.forget(&uri);
        }
        for (uri, parent) in walk.replies.drain(..) {
            talk.add(&uri, parent);
        }
        talk.walk = walk;
        talk
    }

    /// What to go on with, if the walk is not at its end.
    fn rest(&self) -> Option<Walk> {
        if self.walk.is_over() || !self.partial {
            return None;
        }
        let mut walk = self.walk.clone();
        walk.excluded = self.excluded.iter().cloned().collect();
        walk.gone = self.gone.iter().cloned().collect();
        walk.replies = self
            .replies
            .iter()
            .map(|reply| (reply.uri.clone(), reply.in_reply_to.clone()))
            .collect();
        Some(walk)
    }

    /// The origin's trouble ends a listing early; what is there is kept. An error is only what is ours.
    pub(super) fn cut_by(&mut self, error: Error) -> Result<(), Error> {
        if matches!(error, Error::Net(net::Error::Stopped)) {
            return Err(error);
        }
        self.partial = true;
        self.warn(error.to_string());
        self.cut.get_or_insert_with(|| error.to_string());
        Ok(())
    }

    /// One thing that cannot be read makes the list partial, no more, unless the host is in trouble: then the others
    /// could not be read either. What is not there hides nothing.
    pub(super) fn skip(&mut self, error: Error) -> Result<(), Error> {
        match error {
            error if error.is_of_host() => self.cut_by(error),
            Error::NotFound { .. } | Error::Gone { .. } => Ok(()),
            error => {
                self.partial = true;
                self.warn(error.to_string());
                Ok(())
            }
        }
    }

    /// Adds a reply, or its parent where only that is new. True for a new reply.
    pub(super) fn add(&mut self, uri: &Uri, in_reply_to: Option<Uri>) -> bool {
        if self.excluded.contains(uri) {
            return false;
        }
        if let Some(&place) = self.places.get(uri) {
            let known = &mut self.replies[place].in_reply_to;
            if known.is_none() && in_reply_to.as_ref() != Some(uri) {
                if let Some(parent) = &in_reply_to {
                    *self.children.entry(parent.clone()).or_default() += 1;
                }
                *known = in_reply_to;
            }
            return false;
        }
        if self.replies.len() >= MOST_REPLIES {
            self.partial = true;
            return false;
        }
        self.places.insert(uri.clone(), self.replies.len());
        let in_reply_to = in_reply_to.filter(|parent| parent != uri);
        if let Some(parent) = &in_reply_to {
            *self.children.entry(parent.clone()).or_default() += 1;
        }
        self.replies.push(Reply {
            uri: uri.clone(),
            in_reply_to,
        });
        true
    }

    /// The root is no reply to itself.
    pub(super) fn exclude(&mut self, uri: &Uri) {
        self.excluded.insert(uri.clone());
        self.gone.insert(uri.clone());
    }

    /// It was listed, and turned out to be deleted or not for strangers.
    pub(super) fn forget(&mut self, uri: &Uri) {
        self.gone.insert(uri.clone());
    }

    pub(super) fn warn(&mut self, warning: String) {
        if self.warnings.len() < MOST_WARNINGS && !self.warnings.contains(&warning) {
            self.warnings.push(warning);
        }
    }

    /// Whether another request may be made; from the first no on, the listing is partial.
    pub(super) fn may_ask(&mut self, origin: &Origin<'_>) -> bool {
        let may = self.cut.is_none()
            && origin.requests < MOST_REQUESTS
            && self.replies.len() < MOST_REPLIES
            && self.until.is_none_or(|until| Instant::now() < until);
        self.partial |= !may;
        may
    }

    /// Known direct replies of a status.
    pub(super) fn children_of(&self, uri: &Uri) -> u64 {
        self.children.get(uri).copied().unwrap_or(0)
    }

    /// Takes in a server's context of the status `id` at `uri`. Gives the statuses in it that strangers may see.
    pub(super) fn add_context(&mut self, id: &str, uri: &Uri, context: Context) -> Vec<Status> {
        for status in &context.ancestors {
            // The root; an ancestor that has a parent is a reply like the others.
            if status.in_reply_to_id.is_none()
                && let Some(root) = status.identity()
            {
                self.exclude(root);
            }
        }
        let statuses: Vec<Status> = context.ancestors.into_iter().chain(context.descendants).collect();
        let mut uris: HashMap<&str, &Uri> = statuses
            .iter()
            .filter_map(|status| Some((status.id.as_str(), status.identity()?)))
            .collect();
        uris.insert(id, uri);
        for status in statuses
            .iter()
            .filter(|status| status.visibility.is_open() && !status.local_only)
        {
            if let Some(uri) = status.identity() {
                let parent = status.in_reply_to_id.as_ref().and_then(|id| uris.get(id.as_str()));
                self.add(uri, parent.map(|&parent| parent.clone()));
            }
        }
        statuses
            .into_iter()
            .filter(|status| status.visibility.is_open())
            .collect()
    }

    /// A reply that is its own ancestor has no parent that could be believed.
    fn break_cycles(&mut self) {
        let mut finished = vec![false; self.replies.len()];
        for start in 0..self.replies.len() {
            let mut path = HashSet::new();
            let mut place = start;
            while !finished[place] {
                if !path.insert(place) {
                    self.replies[place].in_reply_to = None;
                    self.warn("replies that are answers to each other in a circle".into());
                    break;
                }
                let parent = self.replies[place].in_reply_to.as_ref();
                match parent.and_then(|parent| self.places.get(parent)) {
                    Some(&next) => place = next,
                    None => break,
                }
            }
            for place in path {
                finished[place] = true;
            }
        }
    }

    /// What is left in the end, and what to go on with.
    pub(super) fn finish(mut self) -> (Self, Option<Walk>) {
        self.break_cycles();
        let rest = self.rest();
        let gone = std::mem::take(&mut self.gone);
        self.replies.retain(|reply| !gone.contains(&reply.uri));
        (self, rest)
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn uri(n: &str) -> Uri {
        Uri::parse(&format!("https://a.example/{n}")).unwrap()
    }

    fn status(id: &str, parent: Option<&str>) -> serde_json::Value {
        json!({"id": id, "uri": uri(id), "in_reply_to_id": parent, "visibility": "public"})
    }

    /// Check 6.
    #[test]
    fn a_circle_is_told_once_and_everything_listed_once() {
        let context = json!({"ancestors": [], "descendants": [
            status("a", Some("b")), status("b", Some("a")), status("a", Some("b")), status("c", Some("1")), status("d", Some("d"))]});
        let mut talk = Conversation::about(&uri("1"));
        talk.add_context("1", &uri("1"), serde_json::from_value(context).unwrap());
        let (talk, _) = talk.finish();
        assert_eq!(talk.replies.len(), 4);
        assert_eq!(talk.warnings.len(), 1);
        assert_eq!(talk.replies[2].in_reply_to, Some(uri("1")));
    }

    /// However slow an origin is: what is left is for the next listing.
    #[tokio::test(start_paused = true)]
    async fn a_listing_that_takes_too_long_stops_and_can_go_on() {
        let net = net::Net::new(&net::Config::default(), std::sync::Arc::new(model::SystemClock)).unwrap();
        let origin = Origin::new(&net, uri("").url());
        let mut talk = Conversation::about(&uri("1"));
        talk.add(&uri("2"), None);
        tokio::time::advance(LONGEST - Duration::from_secs(1)).await;
        assert!(talk.may_ask(&origin) && !talk.partial);
        tokio::time::advance(Duration::from_secs(1)).await;
        assert!(!talk.may_ask(&origin) && talk.partial);
        talk.walk.queue.push(uri("2"));
        let (_, walk) = talk.finish();
        let mut talk = Conversation::resume(&uri("1"), walk.unwrap());
        assert!(talk.may_ask(&origin), "the next one has its own time");
        assert_eq!(talk.replies.len(), 1);
    }

    #[test]
    fn root_private_and_unaddressed_items_stay_out() {
        let context = json!({"ancestors": [status("root", None), status("m", Some("root"))], "descendants": [
            {"id": "p", "uri": uri("p"), "in_reply_to_id": "1", "visibility": "private"},
            {"id": "l", "uri": uri("l"), "in_reply_to_id": "1", "visibility": "local"},
            {"id": "n", "uri": null, "url": null, "visibility": "public"},
            {"id": "o", "url": uri("o"), "uri": null, "in_reply_to_id": "1", "visibility": "unlisted"}]});
        let mut talk = Conversation::about(&uri("1"));
        talk.add_context("1", &uri("1"), serde_json::from_value(context).unwrap());
        let listed: Vec<Uri> = talk.finish().0.replies.into_iter().map(|reply| reply.uri).collect();
        assert_eq!(listed, [uri("m"), uri("o")]);
    }
}
