//! Price files beside the snapshots: text that `prices refresh` made, numbered, never changed.
//!
//! Knows nothing of what stands in them; the newest has the highest number.

use bytes::Bytes;
use object_store::PutMode;

use super::{Store, StoreError};

const FOLDER: &str = "prices";

/// A file of prices.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PriceFile {
    /// Where it is, for people.
    pub location: String,
    /// What stands in it.
    pub text: String,
}

impl Store {
    /// Returns the price files, oldest first.
    ///
    /// # Errors
    /// The store cannot be read.
    pub async fn price_files(&self) -> Result<Vec<PriceFile>, StoreError> {
        let mut files = Vec::new();
        for name in self.price_file_names().await? {
            files.extend(self.price_file(&name).await?);
        }
        Ok(files)
    }

    /// Returns the newest price file, where there is one.
    ///
    /// # Errors
    /// The store cannot be read.
    pub async fn newest_price_file(&self) -> Result<Option<PriceFile>, StoreError> {
        match self.price_file_names().await?.last() {
            Some(name) => self.price_file(name).await,
            None => Ok(None),
        }
    }

    /// Keeps a price file as the newest; one that is written at the same time gets another number.
    ///
    /// # Errors
    /// The store cannot be read or written.
    pub async fn keep_prices(&self, text: &str) -> Result<PriceFile, StoreError> {
        let newest = self.price_file_names().await?.last().and_then(|name| name.parse::<u32>().ok());
        let mut number = newest.unwrap_or_default();
        loop {
            number += 1;
            let relative = format!("{FOLDER}/{number:06}.csv");
            if self.put(&relative, Bytes::copy_from_slice(text.as_bytes()), PutMode::Create).await? {
                return Ok(PriceFile { location: self.location(&relative), text: text.to_owned() });
            }
        }
    }

    async fn price_file_names(&self) -> Result<Vec<String>, StoreError> {
        let found = self.files(FOLDER).await?;
        let name = |meta: object_store::ObjectMeta| meta.location.filename()?.strip_suffix(".csv").map(str::to_owned);
        let mut names: Vec<String> = found.into_iter().filter_map(name).collect();
        names.sort_unstable();
        Ok(names)
    }

    async fn price_file(&self, name: &str) -> Result<Option<PriceFile>, StoreError> {
        let relative = format!("{FOLDER}/{name}.csv");
        let bytes = self.get(&relative).await?;
        let text = |bytes: Bytes| String::from_utf8_lossy(&bytes).into_owned();
        Ok(bytes.map(|bytes| PriceFile { location: self.location(&relative), text: text(bytes) }))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn files_are_numbered_kept_and_read_in_order() {
        let store = Store::temporary().unwrap();
        assert_eq!(store.newest_price_file().await.unwrap(), None);
        for text in ["first", "second"] {
            store.keep_prices(text).await.unwrap();
        }
        let texts: Vec<String> = store.price_files().await.unwrap().into_iter().map(|file| file.text).collect();
        assert_eq!(texts, ["first", "second"]);
        let newest = store.newest_price_file().await.unwrap().unwrap();
        assert!(newest.location.ends_with("prices/000002.csv"), "{}", newest.location);
        assert_eq!(newest.text, "second");
    }
}
