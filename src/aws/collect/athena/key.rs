//! The keyed hash of a query: the same text with the same parameters gives the same hash, and nothing else leads back.
//!
//! The key never leaves the store; rows carry its id so that hashes of different keys are never compared.

use data_encoding::HEXLOWER;
use hmac::{Hmac, KeyInit, Mac};
use sha2::Sha256;

use crate::store::HashKey;

/// The hash under one key, and the key's id.
#[derive(Clone)]
pub struct TextHash {
    start: Hmac<Sha256>,
    id: String,
}

impl TextHash {
    /// Returns the hash under `key`.
    pub fn new(key: &HashKey) -> Self {
        let bytes = key.bytes();
        // HMAC fills a short key up to the block with zeros (RFC 2104).
        let mut block = [0; 64];
        block[..bytes.len()].copy_from_slice(bytes);
        TextHash { start: Hmac::new(&block.into()), id: key.id() }
    }

    /// Returns the id of the key, as the store gives it.
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
        let key = TextHash::new(&HashKey::fixed([7; 32]));
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
            TextHash::new(&HashKey::fixed([8; 32])).hash("select 1", &[]),
        ];
        let mut different = all.to_vec();
        different.sort();
        different.dedup();
        assert_eq!(different.len(), all.len());
    }
}
