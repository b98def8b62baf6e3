//! Which bucket an answer speaks of. Mastodon reports whichever of several overlapping buckets has least left:
//! the token's (5 minutes), the user's for paging (15 minutes), and on some writes one of 3 or 24 hours. Three
//! of them have the same limit, so limit, distance to the reset and kind of request decide together. Obeying
//! one bucket's reset for another would stop everything for hours.

use std::time::Duration;

use super::reset::Said;

const MINUTE: Duration = Duration::from_secs(60);
/// `Date` has whole seconds only.
const SLACK: Duration = Duration::from_secs(2);
/// Mastodon's limits of a token and of a user.
const TOKEN_LIMITS: [u32; 2] = [300, 1500];

/// A bucket of a login.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Bucket {
    /// Every request with the token.
    Token,
    /// Those with a cursor.
    Paging,
    /// One that only some writes spend from; nobody waits for it.
    Other,
}

/// What is known of a request and of the buckets, when its answer arrives.
#[derive(Debug, Clone, Copy, Default)]
pub(super) struct Known {
    pub(super) paging: bool,
    /// Anything but GET and HEAD.
    pub(super) write: bool,
    /// The token's limit as GETs saw it.
    pub(super) token_limit: Option<u32>,
    pub(super) token_left: Option<u32>,
    pub(super) paging_left: Option<u32>,
}

pub(super) fn describe(said: &Said, known: Known) -> Bucket {
    let Some(reset) = said.reset else {
        // A refusal without a time: by a proxy, or by an endpoint. All that it tells is that this is too much.
        return if known.paging { Bucket::Paging } else { Bucket::Token };
    };
    if known.write {
        let tokens = |limit| known.token_limit == Some(limit) || TOKEN_LIMITS.contains(&limit);
        return match said.limit {
            _ if reset > 5 * MINUTE + SLACK => Bucket::Other,
            Some(limit) if !tokens(limit) => Bucket::Other,
            _ => Bucket::Token,
        };
    }
    if !known.paging {
        return Bucket::Token;
    }
    if reset > 5 * MINUTE + SLACK {
        return Bucket::Paging;
    }
    // The last five minutes of paging end together with five minutes of the token. The server reports the one
    // with less left; so does our own count.
    match (known.token_left, known.paging_left) {
        (Some(token), Some(paging)) if token < paging => Bucket::Token,
        (Some(token), None) if said.remaining.is_some_and(|left| left.abs_diff(token) <= 5) => Bucket::Token,
        _ => Bucket::Paging,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn said(limit: u32, remaining: u32, minutes: u32) -> Said {
        Said {
            limit: Some(limit),
            remaining: Some(remaining),
            reset: Some(minutes * MINUTE),
            retry_after: None,
        }
    }

    #[test]
    fn limit_distance_and_kind_name_the_bucket() {
        let get = Known::default();
        let page = Known { paging: true, ..get };
        let write = Known { write: true, ..get };
        let page_known = |token_left, paging_left| Known {
            token_left,
            paging_left,
            ..page
        };
        for (said, known, bucket) in [
            (said(300, 299, 3), get, Bucket::Token),
            (said(300, 250, 12), page, Bucket::Paging),
            (said(300, 0, 15), page, Bucket::Paging),
            (said(300, 250, 3), page, Bucket::Paging),
            (said(300, 20, 3), page_known(Some(20), Some(180)), Bucket::Token),
            (said(300, 20, 3), page_known(Some(180), Some(20)), Bucket::Paging),
            (said(300, 290, 3), page_known(Some(291), None), Bucket::Token),
            // A recorded answer to a status, and a report.
            (said(300, 296, 70), write, Bucket::Other),
            (said(400, 0, 3), write, Bucket::Other),
            (said(30, 0, 2), write, Bucket::Other),
            (said(300, 0, 2), write, Bucket::Token),
            (
                said(50, 10, 2),
                Known {
                    token_limit: Some(50),
                    ..write
                },
                Bucket::Token,
            ),
            // A server with windows of its own: still the only bucket a plain GET spends from.
            (said(1000, 0, 60), get, Bucket::Token),
        ] {
            assert_eq!(describe(&said, known), bucket, "{said:?} {known:?}");
        }
    }
}
