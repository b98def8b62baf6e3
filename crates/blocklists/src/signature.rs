//! Whose list it is: checksums and Ed25519 signatures, as RapidBlock makes them.

use base64::{Engine as _, engine::general_purpose::STANDARD};
use ring::{
    digest,
    signature::{self, Ed25519KeyPair, KeyPair as _, UnparsedPublicKey},
};

/// Why a signature says nothing.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum SignatureError {
    /// The key is no key.
    #[error("the key is not 32 bytes in base64")]
    Key,
    /// The signature is no signature.
    #[error("the signature is not 64 bytes in base64")]
    Signature,
    /// Somebody else's, or of another text.
    #[error("the signature does not fit the list")]
    Wrong,
}

/// SHA-256.
pub fn sha256(bytes: &[u8]) -> [u8; 32] {
    let mut hash = [0; 32];
    hash.copy_from_slice(digest::digest(&digest::SHA256, bytes).as_ref());
    hash
}

/// SHA-256 in hex.
pub fn sha256_hex(bytes: &[u8]) -> String {
    use std::fmt::Write as _;
    sha256(bytes).iter().fold(String::with_capacity(64), |mut text, byte| {
        let _ = write!(text, "{byte:02x}");
        text
    })
}

/// Checks a detached signature: Ed25519 over the SHA-256 of the list, or of the list without its carriage returns.
///
/// # Errors
/// When it does not fit.
pub fn verify(list: &[u8], signature: &str, key: &str) -> Result<(), SignatureError> {
    let key = STANDARD
        .decode(key.trim())
        .ok()
        .filter(|key| key.len() == 32)
        .ok_or(SignatureError::Key)?;
    let signature = STANDARD.decode(signature.trim()).ok().filter(|it| it.len() == 64);
    let signature = signature.ok_or(SignatureError::Signature)?;
    let key = UnparsedPublicKey::new(&signature::ED25519, key);
    if key.verify(&sha256(list), &signature).is_ok() {
        return Ok(());
    }
    let text: Vec<u8> = list.iter().copied().filter(|byte| *byte != b'\r').collect();
    key.verify(&sha256(&text), &signature)
        .map_err(|_| SignatureError::Wrong)
}

/// A key to sign with. It never prints.
pub struct SigningKey(Ed25519KeyPair);

impl std::fmt::Debug for SigningKey {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "SigningKey({})", self.public())
    }
}

impl SigningKey {
    /// Reads 32 bytes (the seed; of 64, the first half) in base64.
    ///
    /// # Errors
    /// When it is no key.
    pub fn read(text: &str) -> Result<Self, SignatureError> {
        let bytes = STANDARD.decode(text.trim()).map_err(|_| SignatureError::Key)?;
        let seed = match bytes.len() {
            32 | 64 => &bytes[..32],
            _ => return Err(SignatureError::Key),
        };
        Ed25519KeyPair::from_seed_unchecked(seed)
            .map(Self)
            .map_err(|_| SignatureError::Key)
    }

    /// The public half, as others pin it.
    pub fn public(&self) -> String {
        STANDARD.encode(self.0.public_key().as_ref())
    }

    /// Signs a list.
    pub fn sign(&self, list: &[u8]) -> String {
        STANDARD.encode(self.0.sign(&sha256(list)).as_ref())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn key(byte: u8) -> SigningKey {
        SigningKey::read(&STANDARD.encode([byte; 32])).unwrap()
    }

    /// Check 9. Signatures.
    #[test]
    fn only_the_owners_signature_fits() {
        let (ours, theirs) = (key(1), key(2));
        let list = b"bad.social\r\nworse.social\r\n";
        let signature = ours.sign(list);
        assert_eq!(verify(list, &signature, &ours.public()), Ok(()));
        assert_eq!(verify(list, &signature, &theirs.public()), Err(SignatureError::Wrong));
        assert_eq!(
            verify(b"other.social\n", &signature, &ours.public()),
            Err(SignatureError::Wrong)
        );
        assert_eq!(verify(list, "nonsense", &ours.public()), Err(SignatureError::Signature));
        assert_eq!(verify(list, "", &ours.public()), Err(SignatureError::Signature));
        assert_eq!(verify(list, &signature, "short"), Err(SignatureError::Key));
        // Signed as a text, fetched with other line ends.
        let text = ours.sign(b"bad.social\nworse.social\n");
        assert_eq!(verify(list, &text, &ours.public()), Ok(()));
    }

    #[test]
    fn a_key_never_prints() {
        let text = STANDARD.encode([7; 32]);
        let key = SigningKey::read(&text).unwrap();
        assert!(!format!("{key:?}").contains(&text));
        assert_eq!(sha256_hex(b"").len(), 64);
    }
}
