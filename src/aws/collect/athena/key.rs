//! The keyed hash of a query: the same text with the same parameters gives the same hash, and nothing else leads back.
//!
//! The key never leaves the store; rows carry its id so that hashes of different keys are never compared.

use data_encoding::HEXLOWER;
use hmac::{Hmac, KeyInit, Mac};
use sha2::{Digest, Sha256};

/// A key and its id.
#[derive(Clone)]
pub struct HashKey {
    start: Hmac<Sha256>,
    id: String,
}

impl HashKey {
    /// Returns the key made of `bytes`.
    pub fn new(bytes: [u8; 32]) -> Self {
        let id = HEXLOWER.encode(&Sha256::digest(bytes)[..4]);
        // HMAC fills a short key up to the block with zeros (RFC 2104).
        let mut block = [0; 64];
        block[..bytes.len()].copy_from_slice(&bytes);
        HashKey { start: Hmac::new(&block.into()), id }
    }

    /// Returns the first 8 hex digits of the key's SHA-256.
    pub fn id(&self) -> &str {
        &self.id
    }

    /// Returns the hash of a query's exact text and its execution parameters.
    pub fn hash(&self, text: &str, parameters: &[String]) -> String {
        let mut mac = self.start.clone();
        for part in std::iter::once(text).chain(parameters.iter().map(String::as_str)) {
            // With its length before it, no part can pass for the end of another.
            mac.update(&(part.len() as u64).to_be_bytes());
            mac.update(part.as_bytes());
        }
        HEXLOWER.encode(&mac.finalize().into_bytes())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_same_text_and_parameters_give_the_same_hash_and_any_change_another() {
        let key = HashKey::new([7; 32]);
        let hash = |text: &str, parameters: &[&str]| {
            key.hash(text, &parameters.iter().map(ToString::to_string).collect::<Vec<_>>())
        };
        assert_eq!(hash("select 1", &["a"]), hash("select 1", &["a"]));
        let all = [
            hash("select 1", &[]),
            hash("select 1 ", &[]),
            hash("select 1", &[""]),
            hash("select 1", &["ab"]),
            hash("select 1", &["a", "b"]),
            HashKey::new([8; 32]).hash("select 1", &[]),
        ];
        let mut different = all.to_vec();
        different.sort();
        different.dedup();
        assert_eq!(different.len(), all.len());
    }

    #[test]
    fn a_key_is_told_by_eight_digits_that_are_not_its_own() {
        let key = HashKey::new([0; 32]);
        assert_eq!(key.id(), "66687aad", "SHA-256 of 32 zero bytes begins so");
    }
}
