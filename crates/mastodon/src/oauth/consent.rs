//! What is remembered between sending somebody to their server and their coming back.

use base64::{Engine as _, engine::general_purpose::URL_SAFE_NO_PAD};
use net::{Secret, Url};
use secrecy::ExposeSecret as _;
use sha2::{Digest as _, Sha256};

/// One question to one person. Keep `state` and `verifier` (with the person's session, or in the terminal's memory)
/// until they come back, and use them once.
#[derive(Debug)]
pub struct Consent {
    /// Where they agree.
    pub url: Url,
    /// What their browser must bring back.
    pub state: Secret,
    /// What the code is swapped with.
    pub verifier: Verifier,
}

/// PKCE's proof that who swaps the code is who asked for it.
#[derive(Debug, Clone)]
pub struct Verifier(Secret);

impl Verifier {
    /// A new one: 32 random bytes, 43 characters.
    pub(super) fn random() -> Self {
        Self(random().into())
    }

    /// One that was kept in a session.
    pub fn restore(text: Secret) -> Self {
        Self(text)
    }

    /// To be kept in a session.
    pub fn secret(&self) -> &Secret {
        &self.0
    }

    /// What the server is told when it is asked: BASE64URL(SHA256(verifier)), without padding.
    pub(super) fn challenge(&self) -> String {
        URL_SAFE_NO_PAD.encode(Sha256::digest(self.0.expose_secret().as_bytes()))
    }
}

/// 32 bytes from the operating system's generator, for an address.
pub(super) fn random() -> String {
    URL_SAFE_NO_PAD.encode(rand::random::<[u8; 32]>())
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The example of RFC 7636, appendix B.
    #[test]
    fn the_challenge_is_the_one_of_the_standard() {
        let verifier = Verifier::restore("dBjftJeZ4CVP-mB92K27uhbUJU1p1r_wW1gFWFOEjXk".to_owned().into());
        assert_eq!(verifier.challenge(), "E9Melhoa2OwvFrEMTJguCHaoeK1t8URWbuGJSstw-cM");
    }

    #[test]
    fn nothing_of_it_prints() {
        let verifier = Verifier::random();
        assert_eq!(verifier.secret().expose_secret().len(), 43);
        assert!(!format!("{verifier:?}").contains(verifier.secret().expose_secret()));
    }
}
