//! Manifests of bill exports: which period, which files. Pure: text in, values out.
//!
//! AWS writes a manifest after all files of a delivery are in place (AWS, "Understanding export delivery"); what lies
//! beside those files are older deliveries, which would count every cost again.

use std::cmp::Reverse;
use std::collections::BTreeSet;

use chrono::{Months, NaiveDate};
use serde::Deserialize;
use serde_json::Value;

use super::grade::{Lack, lacks_of};
use crate::store::Days;
use crate::store::place::NAMELESS;

/// How an export is laid out.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Layout {
    /// Data Exports: `…/metadata/BILLING_PERIOD=2026-10/NAME-Manifest.json`.
    DataExports,
    /// Cost and Usage Reports of before: `…/20261001-20261101/NAME-Manifest.json`.
    Legacy,
}

/// What a manifest says.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Manifest {
    /// How the export is laid out.
    pub layout: Layout,
    /// The month that it is about.
    pub month: Days,
    /// The account that owns the export: the payer, or a member with an export of its own.
    pub account: Option<String>,
    /// What its definition leaves out, as far as the manifest tells it.
    pub lacks: BTreeSet<Lack>,
    /// Keys of the data files, without `s3://bucket/` and without folders that have no name.
    pub files: Vec<String>,
}

/// Why a manifest says nothing.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum ManifestError {
    /// Not JSON, or not of this kind.
    #[error("it is no manifest of a bill export: {0}")]
    Shape(String),
    /// It is of another kind of export, which lies beside bills: no bill is missing.
    #[error("it is an export of {0}, not of a bill")]
    Other(&'static str),
    /// It is about no month that could be understood.
    #[error("it does not say which month it is about")]
    Month,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Written {
    data_files: Option<Vec<String>>,
    report_keys: Option<Vec<String>>,
    account: Option<String>,
    export_arn: Option<String>,
    billing_period: Option<Period>,
}

#[derive(Deserialize)]
#[serde(untagged)]
enum Period {
    Range { start: String },
    Other(serde::de::IgnoredAny),
}

/// True for the name of a manifest.
pub fn is_manifest(path: &str) -> bool {
    path.rsplit('/').next().is_some_and(|name| name.ends_with("-Manifest.json"))
}

/// Returns what the manifest at `path` says.
///
/// # Errors
/// Text that is no manifest of a bill.
pub fn parse(path: &str, text: &[u8]) -> Result<Manifest, ManifestError> {
    let shapeless = |error: serde_json::Error| ManifestError::Shape(error.to_string());
    let all: Value = serde_json::from_slice(text).map_err(shapeless)?;
    let definition = Definition::of(&all);
    let written = Written::deserialize(&all).map_err(shapeless)?;
    let (layout, files) = match (written.data_files, written.report_keys) {
        (Some(files), _) => (Layout::DataExports, files),
        (None, Some(files)) => (Layout::Legacy, files),
        (None, None) => return Err(ManifestError::Shape("it names no files".to_owned())),
    };
    if layout == Layout::DataExports
        && let Some(other) = definition.other(path)
    {
        return Err(ManifestError::Other(other));
    }
    let said = match &written.billing_period {
        Some(Period::Range { start }) => compact_month(start),
        Some(Period::Other(_)) | None => None,
    };
    let month = month_of(path).or(said).ok_or(ManifestError::Month)?;
    let files = files.iter().map(|file| key_of(file)).collect();
    let owner = written.export_arn.as_deref().and_then(|arn| arn.split(':').nth(4)).map(str::to_owned);
    Ok(Manifest { layout, month, account: written.account.or(owner), lacks: definition.lacks(), files })
}

/// What a manifest tells of the export's definition: its query, the properties of its table, its columns. Where in the
/// manifest that stands is not documented, so it is looked for everywhere.
#[derive(Default)]
struct Definition<'a> {
    query: &'a str,
    properties: Vec<(&'a str, &'a str)>,
    columns: Vec<&'a str>,
}

impl<'a> Definition<'a> {
    fn of(manifest: &'a Value) -> Self {
        let mut definition = Definition::default();
        definition.look(manifest);
        definition
    }

    fn look(&mut self, value: &'a Value) {
        match value {
            Value::Array(items) => items.iter().for_each(|item| self.look(item)),
            Value::Object(fields) => {
                for (name, value) in fields {
                    match value.as_str() {
                        Some(text) if name.replace('_', "").eq_ignore_ascii_case("queryStatement") => self.query = text,
                        Some(text) if name.eq_ignore_ascii_case("name") => self.columns.push(text),
                        Some(text) => self.properties.push((name, text)),
                        None => self.look(value),
                    }
                }
            }
            _ => {}
        }
    }

    fn lacks(&self) -> BTreeSet<Lack> {
        lacks_of(self.query, self.properties.iter().copied())
    }

    /// Returns what else than a bill it is of: bills come by `BILLING_PERIOD`.
    fn other(&self, path: &str) -> Option<&'static str> {
        let query = self.query.to_ascii_uppercase();
        let asked = OTHERS.iter().find(|(table, ..)| query.contains(table)).map(|(_, what, _)| *what);
        let elsewhere = path
            .split('/')
            .any(|folder| folder.split_once('=').is_some_and(|(key, _)| key.eq_ignore_ascii_case("date")));
        asked.or_else(|| other_of(self.columns.iter().copied())).or(elsewhere.then_some("something by the day"))
    }
}

/// Tables of Data Exports that are no bills: the name, what they hold, and what a column of theirs is called.
const OTHERS: &[(&str, &str, &str)] = &[
    ("CARBON_EMISSIONS", "carbon emissions", "emissions_value"),
    ("COST_OPTIMIZATION_RECOMMENDATIONS", "recommendations of Cost Optimization Hub", "recommendation_id"),
];

/// Returns what an export with these columns is of, where that is known and no bill.
pub fn other_of<'a>(columns: impl IntoIterator<Item = &'a str>) -> Option<&'static str> {
    columns.into_iter().find_map(|column| {
        let column = column.trim().to_ascii_lowercase();
        OTHERS.iter().find(|(_, _, its)| column.ends_with(its)).map(|(_, what, _)| *what)
    })
}

/// Returns the key of `s3://bucket/key`, or of a key as it is, without folders that have no name.
fn key_of(file: &str) -> String {
    let key = file.strip_prefix("s3://").map_or(file, |rest| rest.split_once('/').map_or("", |(_, key)| key));
    key.split('/').filter(|folder| !folder.is_empty()).collect::<Vec<_>>().join("/")
}

/// Returns the month that the folders of a path name: `BILLING_PERIOD=2026-10`, `20261001-20261101`, or
/// `year=2026/month=10`.
pub fn month_of(path: &str) -> Option<Days> {
    let folders: Vec<&str> = path.split('/').collect();
    let named = |folder: &str, key: &str| -> Option<String> {
        let (name, value) = folder.split_once('=')?;
        name.eq_ignore_ascii_case(key).then(|| value.to_owned())
    };
    let find = |key: &str| folders.iter().rev().find_map(|folder| named(folder, key));
    if let Some((year, month)) = find("billing_period").as_deref().and_then(|period| period.split_once('-')) {
        return month_from(year, month);
    }
    if let (Some(year), Some(month)) = (find("year"), find("month")) {
        return month_from(&year, &month);
    }
    folders.iter().rev().find_map(|folder| {
        let (from, to) = folder.split_once('-')?;
        let day = |text: &str| text.len() == 8 && text.bytes().all(|byte| byte.is_ascii_digit());
        if day(from) && day(to) { compact_month(from) } else { None }
    })
}

/// Returns the month of `20261001…` or `2026-10-01…`.
fn compact_month(text: &str) -> Option<Days> {
    let digits: String = text.chars().filter(char::is_ascii_digit).take(6).collect();
    month_from(digits.get(..4)?, digits.get(4..6)?)
}

fn month_from(year: &str, month: &str) -> Option<Days> {
    month_of_day(NaiveDate::from_ymd_opt(year.parse().ok()?, month.parse().ok()?, 1)?)
}

/// Returns the month that a day is in.
pub fn month_of_day(day: NaiveDate) -> Option<Days> {
    use chrono::Datelike;
    let from = day.with_day(1)?;
    Some(Days { from, to: from.checked_add_months(Months::new(1))?.pred_opt()? })
}

/// Returns the folder that tells one export from another: what is above the folders of its periods.
pub fn export_of(path: &str) -> &str {
    let mut at = 0;
    for folder in path.split('/') {
        let period = month_of(folder).is_some() || folder.to_ascii_lowercase().starts_with("year=");
        if folder == "metadata" || period {
            return path[..at].trim_end_matches('/');
        }
        at += folder.len() + 1;
    }
    path.rsplit_once('/').map_or("", |(folder, _)| folder)
}

/// Returns which of `known` paths is the file that a manifest names `key`: the one that shares the longest tail with it.
/// People copy exports to other folders, so the head may differ; the name, its folder and every `key=value` folder above
/// may not.
pub fn resolve<'a>(key: &str, known: impl IntoIterator<Item = &'a str>) -> Option<&'a str> {
    let wanted: Vec<&str> = key.split('/').rev().collect();
    let partitions = wanted.iter().skip(1).take_while(|folder| folder.contains('=')).count();
    let least = wanted.len().min((1 + partitions).max(2));
    let named = |folder: &&str| *folder != NAMELESS;
    let shared = |path: &str| path.split('/').filter(named).rev().zip(&wanted).take_while(|(a, b)| a == *b).count();
    let found = known.into_iter().map(|path| (shared(path), path)).filter(|(shared, _)| *shared >= least);
    // Of copies that are alike the one nearest to the top.
    found.max_by_key(|(shared, path)| (*shared, Reverse(path.split('/').count()), Reverse(*path))).map(|(_, path)| path)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn october() -> Days {
        Days { from: "2026-10-01".parse().unwrap(), to: "2026-10-31".parse().unwrap() }
    }

    #[test]
    fn each_layout_says_its_month_and_its_files() {
        let new = br#"{"executionId": "e", "columns": [], "dataFiles": ["s3://b/p/x/data/BILLING_PERIOD=2026-10/x-1.csv.gz"]}"#;
        let read = parse("p/x/metadata/BILLING_PERIOD=2026-10/x-Manifest.json", new).unwrap();
        assert_eq!((read.layout, read.month), (Layout::DataExports, october()));
        assert_eq!(read.files, ["p/x/data/BILLING_PERIOD=2026-10/x-1.csv.gz"]);
        let old =
            br#"{"assemblyId": "a", "account": "111122223333", "reportKeys": ["p/r/20261001-20261101/a/r-1.csv.gz"],
            "billingPeriod": {"start": "20261001T000000.000Z", "end": "20261101T000000.000Z"}}"#;
        let read = parse("r-Manifest.json", old).unwrap();
        assert_eq!(
            (read.layout, read.month, read.account.as_deref()),
            (Layout::Legacy, october(), Some("111122223333"))
        );
        let told = br#"{"dataFiles": ["s3://b//p//x-1.csv.gz"], "exportArn": "arn:aws:bcm-data-exports:us-east-1:444455556666:export/x",
            "export": {"dataQuery": {"queryStatement": "SELECT a FROM COST_AND_USAGE_REPORT where b = 1",
            "tableConfigurations": {"COST_AND_USAGE_REPORT": {"TIME_GRANULARITY": "MONTHLY"}}}}}"#;
        let read = parse("p/x/metadata/BILLING_PERIOD=2026-10/x-Manifest.json", told).unwrap();
        assert_eq!(read.lacks, BTreeSet::from([Lack::Rows, Lack::Days]));
        assert_eq!((read.account.as_deref(), read.files[0].as_str()), (Some("444455556666"), "p/x-1.csv.gz"));
        assert!(matches!(parse("x-Manifest.json", b"{\"files\": []}"), Err(ManifestError::Shape(_))));
        assert_eq!(parse("x-Manifest.json", b"{\"dataFiles\": []}"), Err(ManifestError::Month));
    }

    #[test]
    fn a_month_is_known_by_the_folders_and_an_export_by_what_is_above_them() {
        for (path, export) in [
            ("p/x/metadata/BILLING_PERIOD=2026-10/x-Manifest.json", "p/x"),
            ("p/r/20261001-20261101/a-b/r-Manifest.json", "p/r"),
            ("p/r/r/year=2026/month=10/r-00001.snappy.parquet", "p/r/r"),
            ("p/r/r/year=2026/month=10/", "p/r/r"),
        ] {
            assert_eq!((month_of(path), export_of(path)), (Some(october()), export), "{path}");
        }
        assert_eq!((month_of("a/b-c/x.csv"), export_of("a/b-c/x.csv")), (None, "a/b-c"));
    }

    #[test]
    fn exports_of_other_kinds_are_told_by_query_columns_or_partition() {
        for (path, text) in [
            ("BILLING_PERIOD=2026-10", r#"{"dataFiles": [], "queryStatement": "select x from CARBON_EMISSIONS"}"#),
            ("BILLING_PERIOD=2026-10", r#"{"dataFiles": [], "columns": [{"name": "total_mbm_emissions_value"}]}"#),
            ("date=2026-10-05", r#"{"dataFiles": [], "columns": [{"name": "recommendation_id"}]}"#),
            ("date=2026-10-05", r#"{"dataFiles": []}"#),
        ] {
            let read = parse(&format!("p/x/metadata/{path}/x-Manifest.json"), text.as_bytes());
            assert!(matches!(read, Err(ManifestError::Other(_))), "{text}: {read:?}");
        }
    }

    #[test]
    fn a_file_is_found_in_a_copy_and_never_in_another_month() {
        let known = ["t/data/BILLING_PERIOD=2026-09/x-1.parquet", "t/data/BILLING_PERIOD=2026-10/x-1.parquet"];
        assert_eq!(resolve("p/x/data/BILLING_PERIOD=2026-10/x-1.parquet", known), Some(known[1]));
        assert_eq!(resolve("p/x/data/BILLING_PERIOD=2026-10/x-2.parquet", known), None);
        let years = ["r/year=2025/month=3/r-1.parquet", "r/year=2026/month=3/r-1.parquet"];
        assert_eq!(resolve("p/r/year=2026/month=3/r-1.parquet", years), Some(years[1]));
        assert_eq!(resolve("p/r/year=2024/month=3/r-1.parquet", years), None);
    }
}
