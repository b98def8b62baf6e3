//! A secret that one visitor's browser keeps, and what is made of it.
//!
//! The store holds a hash to find things by, and texts sealed with a key that only the secret yields. So a copy of the
//! database opens neither a session nor anybody's account.

use std::fmt;

use base64::{Engine as _, engine::general_purpose::URL_SAFE_NO_PAD};
use ring::{aead, digest, hkdf, hmac};
use secrecy::{ExposeSecret as _, SecretBox};

/// 256 random bits. Never prints.
pub(crate) struct Key(SecretBox<[u8; 32]>);

/// What a derived key is for: keys for different purposes have nothing in common.
#[derive(Debug, Clone, Copy)]
pub(crate) enum Purpose {
    /// Somebody's token at their server.
    Token,
    /// The PKCE verifier of a sign-in under way.
    Verifier,
}

impl Purpose {
    fn label(self) -> &'static [u8] {
        match self {
            Self::Token => b"egret token",
            Self::Verifier => b"egret verifier",
        }
    }
}

impl Key {
    /// A new one.
    pub(crate) fn random() -> Self {
        Self(SecretBox::init_with_mut(|bytes: &mut [u8; 32]| *bytes = rand::random()))
    }

    /// From a cookie or a link. `None` for anything that [`Key::text`] does not give.
    pub(crate) fn parse(text: &str) -> Option<Self> {
        // Longer texts are not even decoded.
        let bytes = (text.len() == 43)
            .then(|| URL_SAFE_NO_PAD.decode(text).ok())
            .flatten()?;
        Some(Self(SecretBox::new(Box::new(bytes.try_into().ok()?))))
    }

    /// For a cookie or a link, and nowhere else.
    pub(crate) fn text(&self) -> String {
        URL_SAFE_NO_PAD.encode(self.0.expose_secret())
    }

    /// What the store finds it by.
    pub(crate) fn id(&self) -> String {
        hash(self.0.expose_secret())
    }

    /// The key that proves that a form comes from this visitor's own page.
    pub(crate) fn form_key(&self) -> Option<hmac::Key> {
        let root = self.root();
        let key = root.expand(&[b"egret form"], hmac::HMAC_SHA256).ok()?;
        Some(key.into())
    }

    /// `text` under a key that only this secret yields.
    pub(crate) fn seal(&self, purpose: Purpose, text: &str) -> Option<String> {
        let nonce: [u8; aead::NONCE_LEN] = rand::random();
        let mut sealed = text.as_bytes().to_vec();
        let nonce_once = aead::Nonce::assume_unique_for_key(nonce);
        self.aead(purpose)?
            .seal_in_place_append_tag(nonce_once, aead::Aad::empty(), &mut sealed)
            .ok()?;
        Some(URL_SAFE_NO_PAD.encode([&nonce[..], &sealed].concat()))
    }

    /// What was sealed; `None` when it was sealed with another secret or for another purpose, or was changed.
    pub(crate) fn open(&self, purpose: Purpose, sealed: &str) -> Option<net::Secret> {
        let mut sealed = URL_SAFE_NO_PAD.decode(sealed).ok()?;
        let nonce = sealed.get(..aead::NONCE_LEN)?.try_into().ok()?;
        let nonce = aead::Nonce::assume_unique_for_key(nonce);
        let opened = self
            .aead(purpose)?
            .open_in_place(nonce, aead::Aad::empty(), &mut sealed[aead::NONCE_LEN..])
            .ok()?;
        Some(std::str::from_utf8(opened).ok()?.to_owned().into())
    }

    fn aead(&self, purpose: Purpose) -> Option<aead::LessSafeKey> {
        let (root, label) = (self.root(), [purpose.label()]);
        let key = root.expand(&label, &aead::CHACHA20_POLY1305).ok()?;
        Some(aead::LessSafeKey::new(key.into()))
    }

    fn root(&self) -> hkdf::Prk {
        hkdf::Salt::new(hkdf::HKDF_SHA256, b"egret").extract(self.0.expose_secret())
    }
}

impl fmt::Debug for Key {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Key(…)")
    }
}

/// SHA-256, for columns.
pub(crate) fn hash(bytes: &[u8]) -> String {
    URL_SAFE_NO_PAD.encode(digest::digest(&digest::SHA256, bytes))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_was_sealed_opens_with_the_same_key_and_purpose_alone() {
        let (key, other) = (Key::random(), Key::random());
        let sealed = key.seal(Purpose::Token, "a token").unwrap();
        let open = |key: &Key, purpose, sealed: &str| key.open(purpose, sealed).map(|t| t.expose_secret().to_owned());
        assert_eq!(open(&key, Purpose::Token, &sealed).as_deref(), Some("a token"));
        assert_eq!(open(&key, Purpose::Verifier, &sealed), None);
        assert_eq!(open(&other, Purpose::Token, &sealed), None);
        assert_ne!(
            key.seal(Purpose::Token, "a token").unwrap(),
            sealed,
            "twice the same text shows"
        );
        for spoilt in ["", "AAAA", &sealed[1..], &format!("{sealed}AAAA")] {
            assert_eq!(open(&key, Purpose::Token, spoilt), None, "{spoilt}");
        }
    }

    #[test]
    fn a_key_travels_as_text_and_does_not_print() {
        let key = Key::random();
        assert_eq!(Key::parse(&key.text()).unwrap().id(), key.id());
        assert!(!format!("{key:?}").contains(&key.text()) && key.id() != key.text());
        for text in [
            "",
            "a",
            &"a".repeat(42),
            &"a".repeat(44),
            &"!".repeat(43),
            &"ä".repeat(22),
        ] {
            assert!(Key::parse(text).is_none(), "{text}");
        }
    }
}
