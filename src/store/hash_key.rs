//! The key of the text hashes: random, kept beside the snapshots, never exported.

use bytes::Bytes;
use data_encoding::HEXLOWER;
use object_store::PutMode;
use rand::TryRng;
use rand::rngs::SysRng;
use sha2::{Digest, Sha256};

use super::{Store, StoreError};

const FILE: &str = "hash.key";

/// 32 random bytes that key the hashes of query texts. Has no `Debug` that shows them.
#[derive(Clone, PartialEq, Eq)]
pub struct HashKey([u8; 32]);

impl HashKey {
    /// Wraps a key that the caller answers for: the demo's fixed one, and tests.
    pub const fn fixed(bytes: [u8; 32]) -> Self {
        HashKey(bytes)
    }

    /// Returns the bytes, for the keyed hash and nothing else.
    pub const fn bytes(&self) -> &[u8; 32] {
        &self.0
    }

    /// Returns the name of the key that rows carry: hashes compare only within one.
    pub fn id(&self) -> String {
        HEXLOWER.encode(&Sha256::digest([b"leanlake hash key", self.0.as_slice()].concat())[..6])
    }
}

impl std::fmt::Debug for HashKey {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_tuple("HashKey").field(&self.id()).finish()
    }
}

impl Store {
    /// Returns the store's key, made by whoever asks first.
    ///
    /// # Errors
    /// The file cannot be read or made, or is no key.
    pub async fn hash_key(&self) -> Result<HashKey, StoreError> {
        if let Some(key) = self.get(FILE).await? {
            return self.as_key(&key);
        }
        let mut fresh = [0; 32];
        SysRng
            .try_fill_bytes(&mut fresh)
            .map_err(|error| StoreError::Random { store: self.url().to_owned(), reason: error.to_string() })?;
        if self.put(FILE, Bytes::copy_from_slice(&fresh), PutMode::Create).await? {
            return Ok(HashKey(fresh));
        }
        // Another scan was faster: its key is the store's.
        let theirs = self.get(FILE).await?.unwrap_or_default();
        self.as_key(&theirs)
    }

    fn as_key(&self, bytes: &[u8]) -> Result<HashKey, StoreError> {
        bytes.try_into().map(HashKey).map_err(|_| StoreError::Key { location: self.location(FILE) })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_key_is_told_by_twelve_digits_that_are_not_the_start_of_its_own_hash() {
        let id = HashKey::fixed([0; 32]).id();
        assert!(id.len() == 12 && id.chars().all(|c| c.is_ascii_hexdigit()), "{id}");
        assert!(!HEXLOWER.encode(&Sha256::digest([0; 32])).starts_with(&id), "{id}");
        assert_ne!(id, HashKey::fixed([1; 32]).id());
    }
}
