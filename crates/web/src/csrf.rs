//! Proof that a form was on a page of ours: a text that only this session's pages show.
//!
//! It is another text on every page, so that a compressed answer does not give it away piece by piece.

use base64::{Engine as _, engine::general_purpose::URL_SAFE_NO_PAD};
use maud::{Markup, html};
use ring::hmac;

use crate::rights::Visitor;

/// The name of the hidden field.
pub(crate) const FIELD: &str = "csrf";

/// The same for requests that are no forms.
pub(crate) const HEADER: &str = "x-csrf-token";

const SALT: usize = 16;

/// To stand in every form that changes something.
pub(crate) fn field(visitor: &Visitor) -> Markup {
    html! { @if let Some(key) = visitor.form_key() { input type="hidden" name=(FIELD) value=(token(key)); } }
}

/// What a page of this session shows.
pub(crate) fn token(key: &hmac::Key) -> String {
    let salt: [u8; SALT] = rand::random();
    let tag = hmac::sign(key, &salt);
    URL_SAFE_NO_PAD.encode([&salt[..], tag.as_ref()].concat())
}

/// Whether a page of this session showed it. Takes the same time wherever they differ.
pub(crate) fn is_ours(key: &hmac::Key, token: &str) -> bool {
    let Ok(bytes) = URL_SAFE_NO_PAD.decode(token) else {
        return false;
    };
    let Some((salt, tag)) = bytes.split_at_checked(SALT) else {
        return false;
    };
    hmac::verify(key, salt, tag).is_ok()
}

#[cfg(test)]
mod tests {
    use crate::{rights::Right, seal::Key};

    use super::*;

    #[test]
    fn a_token_is_good_for_its_own_session_alone() {
        let (mine, yours) = (Key::random().form_key().unwrap(), Key::random().form_key().unwrap());
        let token = token(&mine);
        assert!(is_ours(&mine, &token) && !is_ours(&yours, &token));
        assert_ne!(self::token(&mine), token);
        for spoilt in ["", "AAAA", &token[1..], "ä", &format!("{token}AAAA")] {
            assert!(!is_ours(&mine, spoilt), "{spoilt}");
        }
    }

    #[test]
    fn only_sessions_have_a_field() {
        assert_eq!(field(&Visitor::new("token", &Right::ALL)).into_string(), "");
    }
}
