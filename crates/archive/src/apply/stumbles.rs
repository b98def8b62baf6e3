//! Statuses that a server stumbles over: it answers what is asked about all others.

use mastodon::Error;

/// So many in a row are no odd statuses: the server has trouble.
const MOST: usize = 10;

/// Counts them.
#[derive(Debug, Default)]
pub(super) struct Stumbles {
    in_a_row: usize,
}

impl Stumbles {
    /// What a server said of one status; nothing where it stumbled over that one, which is no reason to leave the others:
    /// the next run would begin with the same one, and no run would come past it.
    pub(super) fn over<T>(&mut self, answer: Result<T, Error>) -> Result<Option<T>, Error> {
        match answer {
            Ok(told) => {
                self.in_a_row = 0;
                Ok(Some(told))
            }
            Err(Error::ServerDown { .. } | Error::NotJson { .. } | Error::Invalid { .. } | Error::Forbidden { .. })
                if self.in_a_row + 1 < MOST =>
            {
                self.in_a_row += 1;
                Ok(None)
            }
            Err(error) => Err(error),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn one_is_passed_over_and_many_are_the_server_s() {
        let host = || model::Host::stored("a.example");
        let down = || -> Result<(), Error> {
            Err(Error::ServerDown {
                host: host(),
                http_status: 500,
            })
        };
        let mut stumbles = Stumbles::default();
        for _ in 0..3 {
            for _ in 1..MOST {
                assert_eq!(stumbles.over(down()).unwrap(), None);
            }
            assert_eq!(stumbles.over(Ok(())).unwrap(), Some(()));
        }
        for _ in 1..MOST {
            stumbles.over(down()).unwrap();
        }
        assert!(stumbles.over(down()).is_err());
        let revoked = Error::Revoked {
            host: host(),
            login: "me".to_owned(),
        };
        assert!(Stumbles::default().over::<()>(Err(revoked)).is_err(), "of all of them");
    }
}
