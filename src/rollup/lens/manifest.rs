//! Manifests of Storage Lens exports: which day, whose dashboard, which files. Pure: text in, values out.

use chrono::NaiveDate;
use serde::Deserialize;

/// How the files are written.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ReportFormat {
    /// CSV.
    Csv,
    /// Parquet.
    Parquet,
}

/// What a manifest says.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Manifest {
    /// Account that owns the dashboard.
    pub account: String,
    /// The dashboard.
    pub configuration_id: String,
    /// The day that it is about.
    pub day: NaiveDate,
    /// How the files are written.
    pub format: ReportFormat,
    /// The columns of CSV files, in order.
    pub columns: Vec<String>,
    /// Keys of the files.
    pub files: Vec<String>,
    /// Bytes of all files.
    pub bytes: u64,
}

/// Why a manifest says nothing.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum ManifestError {
    /// Not JSON, or not of this kind.
    #[error("it is no manifest of a Storage Lens export: {0}")]
    Shape(String),
    /// A format that AWS did not write when this was written.
    #[error("its files are {0}, which is not read: leanlake reads CSV and Parquet")]
    Format(String),
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Written {
    source_account_id: String,
    config_id: String,
    report_date: String,
    report_format: String,
    report_schema: Option<String>,
    report_files: Vec<File>,
}

#[derive(Deserialize)]
struct File {
    key: String,
    size: Option<u64>,
}

/// Returns the day of a path with a folder `dt=2026-11-01`.
pub fn day_of(path: &str) -> Option<NaiveDate> {
    path.split('/').rev().find_map(|folder| folder.strip_prefix("dt=")?.parse().ok())
}

/// True for where Storage Lens writes manifests.
pub fn is_manifest(path: &str) -> bool {
    let mut folders = path.rsplit('/');
    folders.next() == Some("manifest.json") && folders.next().is_some_and(|folder| folder.starts_with("dt="))
}

/// True for the report over every prefix, however many there are.
pub fn is_expanded(path: &str) -> bool {
    path.split('/').any(|folder| folder == "StorageLensExpandedPrefixes")
}

/// Returns the folder that tells one export from another: what is above its reports and manifests.
pub fn export_of(path: &str) -> &str {
    let mut at = 0;
    for folder in path.split('/') {
        if folder == "manifests" || folder == "reports" || folder.starts_with("dt=") {
            return path[..at].trim_end_matches('/');
        }
        at += folder.len() + 1;
    }
    path.rsplit_once('/').map_or("", |(folder, _)| folder)
}

/// Returns what a manifest says.
///
/// # Errors
/// Text that is no manifest of a Storage Lens export.
pub fn parse(text: &[u8]) -> Result<Manifest, ManifestError> {
    let written: Written = serde_json::from_slice(text).map_err(|error| ManifestError::Shape(error.to_string()))?;
    let day = written.report_date.get(..10).and_then(|day| day.parse().ok());
    let day = day.ok_or_else(|| ManifestError::Shape(format!("`{}` is no day", written.report_date)))?;
    let format = match written.report_format.to_ascii_lowercase().as_str() {
        "csv" => ReportFormat::Csv,
        "parquet" => ReportFormat::Parquet,
        _ => return Err(ManifestError::Format(written.report_format)),
    };
    let columns = written.report_schema.unwrap_or_default();
    Ok(Manifest {
        account: written.source_account_id,
        configuration_id: written.config_id,
        day,
        format,
        columns: columns
            .split(',')
            .map(|column| column.trim().to_owned())
            .filter(|column| !column.is_empty())
            .collect(),
        bytes: written.report_files.iter().filter_map(|file| file.size).sum(),
        files: written.report_files.into_iter().map(|file| file.key).collect(),
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_manifest_says_whose_dashboard_which_day_and_which_files() {
        let text = br#"{"sourceAccountId": "111122223333", "configId": "lake", "destinationBucket": "arn:aws:s3:::exports",
            "reportVersion": "V_1", "reportDate": "2026-11-20", "reportFormat": "CSV",
            "reportSchema": "version_number,configuration_id,report_date",
            "reportFiles": [{"key": "p/StorageLens/111122223333/lake/V_1/reports/dt=2026-11-20/a.csv", "size": 12, "md5Checksum": "x"},
                            {"key": "p/StorageLens/111122223333/lake/V_1/reports/dt=2026-11-20/b.csv", "size": 30}]}"#;
        let read = parse(text).unwrap();
        assert_eq!((read.account.as_str(), read.configuration_id.as_str()), ("111122223333", "lake"));
        assert_eq!((read.day.to_string().as_str(), read.format, read.bytes), ("2026-11-20", ReportFormat::Csv, 42));
        assert_eq!((read.columns.len(), read.files.len()), (3, 2));
        assert!(matches!(parse(b"{\"files\": []}"), Err(ManifestError::Shape(_))));
        let orc = String::from_utf8_lossy(text).replace("\"CSV\"", "\"ORC\"");
        assert_eq!(parse(orc.as_bytes()), Err(ManifestError::Format("ORC".to_owned())));
    }

    #[test]
    fn paths_say_the_day_and_the_export() {
        let path = "p/StorageLens/111122223333/lake/V_1/manifests/dt=2026-11-20/manifest.json";
        assert!(is_manifest(path) && !is_expanded(path));
        assert_eq!(day_of(path).unwrap().to_string(), "2026-11-20");
        assert_eq!(export_of(path), "p/StorageLens/111122223333/lake/V_1");
        assert!(!is_manifest("p/lake/daily/2026-11-20T01-00Z/manifest.json"));
        assert!(is_expanded("p/StorageLensExpandedPrefixes/1/x/V_1/manifests/dt=2026-11-20/manifest.json"));
    }
}
