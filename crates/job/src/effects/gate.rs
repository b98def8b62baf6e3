//! Whether an effect may go out: a pure decision over what could be read.

use serde::{Deserialize, Serialize};

/// Whether a feature may write on other people's servers.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Mode {
    /// Plans are made and shown, nothing is sent.
    #[default]
    Observe,
    /// Plans are carried out.
    Act,
}

impl Mode {
    /// As in the config.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Observe => "observe",
            Self::Act => "act",
        }
    }

    /// The mode of that name.
    pub fn parse(name: &str) -> Option<Self> {
        [Self::Observe, Self::Act]
            .into_iter()
            .find(|mode| mode.as_str() == name)
    }
}

/// What may happen to a wish now.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Gate {
    Open,
    Hold(Hold),
    Rehearse,
}

/// Why a wish waits.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Hold {
    /// Today's quota is used up: somebody hears of it.
    Quota(u32),
    /// Somebody said stop, or it cannot be told whether somebody did.
    Other(String),
}

impl std::fmt::Display for Hold {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::Quota(quota) => write!(f, "quota of {quota} a day used up"),
            Self::Other(why) => f.write_str(why),
        }
    }
}

/// What the decision is made from. `Err` stands for "could not be read": then it holds.
#[derive(Debug)]
pub(super) struct Facts {
    pub(super) mode: Mode,
    /// Who set the panic stop, if it stands.
    pub(super) panic_stop: Result<Option<String>, ()>,
    pub(super) quota: Option<u32>,
    /// Effects sent in the last 24 hours.
    pub(super) sent: Result<i64, ()>,
    /// Somebody let this one pass the quota.
    pub(super) released: bool,
}

pub(super) fn gate(facts: &Facts) -> Gate {
    let hold = |why: String| Gate::Hold(Hold::Other(why));
    match (facts.mode, &facts.panic_stop, facts.quota, &facts.sent) {
        (Mode::Observe, ..) => Gate::Rehearse,
        (_, Err(()), ..) => hold("the state of the panic stop cannot be read".to_owned()),
        (_, Ok(Some(who)), ..) => hold(format!("panic stop by {who}")),
        (_, _, Some(_), _) if facts.released => Gate::Open,
        (_, _, Some(_), Err(())) => hold("the quota's use cannot be read".to_owned()),
        (_, _, Some(quota), Ok(sent)) if *sent >= i64::from(quota) => Gate::Hold(Hold::Quota(quota)),
        _ => Gate::Open,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn facts() -> Facts {
        Facts {
            mode: Mode::Act,
            panic_stop: Ok(None),
            quota: Some(2),
            sent: Ok(1),
            released: false,
        }
    }

    #[test]
    fn what_cannot_be_read_holds() {
        assert_eq!(gate(&facts()), Gate::Open);
        for held in [
            Facts {
                panic_stop: Err(()),
                ..facts()
            },
            Facts {
                panic_stop: Err(()),
                quota: None,
                released: true,
                ..facts()
            },
            Facts {
                panic_stop: Ok(Some("ada".to_owned())),
                released: true,
                ..facts()
            },
            Facts {
                sent: Err(()),
                ..facts()
            },
            Facts { sent: Ok(2), ..facts() },
            Facts {
                quota: Some(0),
                sent: Ok(0),
                ..facts()
            },
        ] {
            assert!(matches!(gate(&held), Gate::Hold(_)), "{held:?}");
        }
    }

    #[test]
    fn a_release_passes_the_quota_and_nothing_else() {
        assert_eq!(
            gate(&Facts {
                sent: Ok(9),
                released: true,
                ..facts()
            }),
            Gate::Open
        );
        assert_eq!(
            gate(&Facts {
                quota: None,
                sent: Err(()),
                ..facts()
            }),
            Gate::Open
        );
        for panic_stop in [Err(()), Ok(None), Ok(Some("ada".to_owned()))] {
            let observing = Facts {
                mode: Mode::Observe,
                panic_stop,
                released: true,
                ..facts()
            };
            assert_eq!(gate(&observing), Gate::Rehearse);
        }
    }
}
