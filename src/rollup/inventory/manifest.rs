//! Manifests of S3 Inventory lists: which bucket, when, which files. Pure: text in, values out.

use chrono::{DateTime, NaiveDateTime, Utc};
use serde::Deserialize;

/// How the files of a list are written.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ListFormat {
    /// CSV under gzip, without a header.
    Csv,
    /// Parquet.
    Parquet,
}

/// What a manifest says.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Manifest {
    /// Bucket whose objects are listed.
    pub bucket: String,
    /// When S3 began to make the list.
    pub listed_at: DateTime<Utc>,
    /// How the files are written.
    pub format: ListFormat,
    /// The columns of CSV files, in order.
    pub columns: Vec<String>,
    /// True when the list holds noncurrent versions and delete markers too.
    pub all_versions: bool,
    /// Keys of the files.
    pub files: Vec<String>,
}

/// Why a manifest says nothing.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum ManifestError {
    /// Not JSON, or not of this kind.
    #[error("it is no manifest of an inventory list: {0}")]
    Shape(String),
    /// ORC, or something that AWS did not write when this was written.
    #[error("its files are {0}, which is not read: let the inventory write Parquet or CSV")]
    Format(String),
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Written {
    source_bucket: String,
    creation_timestamp: Option<String>,
    file_format: String,
    #[serde(default)]
    file_schema: String,
    files: Vec<File>,
}

#[derive(Deserialize)]
struct File {
    key: String,
}

/// Returns when the list was begun, from the folder of its manifest: `2026-11-22T01-00Z`.
pub fn time_of(path: &str) -> Option<DateTime<Utc>> {
    let folder = path.rsplit('/').nth(1)?;
    NaiveDateTime::parse_from_str(folder, "%Y-%m-%dT%H-%MZ").ok().map(|time| time.and_utc())
}

/// True for where S3 Inventory writes manifests.
pub fn is_manifest(path: &str) -> bool {
    path.rsplit('/').next() == Some("manifest.json") && time_of(path).is_some()
}

/// Returns the configuration: the folder above the lists.
pub fn configuration_of(path: &str) -> Option<&str> {
    path.rsplit('/').nth(2)
}

/// Returns the folder of a configuration: what is above its lists.
pub fn list_of(path: &str) -> &str {
    path.rsplitn(3, '/').nth(2).unwrap_or_default()
}

/// Returns what the manifest at `path` says.
///
/// # Errors
/// Text that is no manifest of an inventory list, or files of a format that is not read.
pub fn parse(path: &str, text: &[u8]) -> Result<Manifest, ManifestError> {
    let shape = ManifestError::Shape;
    let written: Written = serde_json::from_slice(text).map_err(|error| shape(error.to_string()))?;
    let format = match written.file_format.to_ascii_lowercase().as_str() {
        "csv" => ListFormat::Csv,
        "parquet" => ListFormat::Parquet,
        _ => return Err(ManifestError::Format(written.file_format)),
    };
    let stamp = written.creation_timestamp.as_deref().and_then(|stamp| stamp.parse().ok());
    let listed_at = stamp.and_then(DateTime::from_timestamp_millis).or_else(|| time_of(path));
    let columns: Vec<String> = match format {
        ListFormat::Csv => written.file_schema.split(',').map(|name| name.trim().to_owned()).collect(),
        ListFormat::Parquet => Vec::new(),
    };
    if format == ListFormat::Csv && !columns.iter().any(|name| name.eq_ignore_ascii_case("key")) {
        return Err(shape("its fileSchema names no column `Key`".to_owned()));
    }
    let schema = written.file_schema.to_ascii_lowercase();
    Ok(Manifest {
        bucket: written.source_bucket,
        listed_at: listed_at.ok_or_else(|| shape("it does not say when the list was made".to_owned()))?,
        format,
        columns,
        all_versions: schema.contains("islatest") || schema.contains("is_latest"),
        files: written.files.into_iter().map(|file| file.key).collect(),
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    const PATH: &str = "inv/lake/daily/2026-11-22T01-00Z/manifest.json";

    fn text(format: &str, schema: &str) -> String {
        format!(
            r#"{{"sourceBucket": "lake", "destinationBucket": "arn:aws:s3:::lists", "version": "2016-11-30",
            "creationTimestamp": "1795309200000", "fileFormat": "{format}", "fileSchema": "{schema}",
            "files": [{{"key": "inv/lake/daily/data/a.csv.gz", "size": 10, "MD5checksum": "x"}}]}}"#
        )
    }

    #[test]
    fn a_manifest_says_which_bucket_when_and_which_files() {
        let csv =
            parse(PATH, text("CSV", "Bucket, Key, VersionId, IsLatest, IsDeleteMarker, Size").as_bytes()).unwrap();
        assert_eq!((csv.bucket.as_str(), csv.format, csv.all_versions), ("lake", ListFormat::Csv, true));
        assert_eq!(csv.listed_at.to_rfc3339(), "2026-11-22T01:00:00+00:00");
        assert_eq!((csv.columns[5].as_str(), csv.files.len()), ("Size", 1));
        let parquet = "message s3.inventory {  required binary bucket (UTF8);  required binary key (UTF8); }";
        let parquet = parse(PATH, text("Parquet", parquet).as_bytes()).unwrap();
        assert_eq!((parquet.format, parquet.all_versions, parquet.columns.len()), (ListFormat::Parquet, false, 0));
    }

    #[test]
    fn what_is_not_read_says_why() {
        let orc = parse(PATH, text("ORC", "struct<bucket:string>").as_bytes()).unwrap_err();
        assert_eq!(orc.to_string(), "its files are ORC, which is not read: let the inventory write Parquet or CSV");
        assert!(matches!(parse(PATH, b"{}"), Err(ManifestError::Shape(_))));
        assert!(matches!(parse(PATH, text("CSV", "Bucket, Size").as_bytes()), Err(ManifestError::Shape(_))));
    }

    #[test]
    fn paths_say_the_time_and_the_configuration() {
        assert!(is_manifest(PATH));
        assert_eq!((configuration_of(PATH), list_of(PATH)), (Some("daily"), "inv/lake/daily"));
        assert!(!is_manifest("p/StorageLens/1/x/V_1/manifests/dt=2026-11-22/manifest.json"));
        assert!(!is_manifest("inv/lake/daily/hive/dt=2026-11-22-01-00/symlink.txt"));
    }
}
