//! Arguments of a job or run: which of them are known and harmless, and what they switch on.
//!
//! Values of all other arguments may be secrets: they are never stored, not even in part.

use std::collections::{BTreeMap, BTreeSet, HashMap};

use serde_json::{Map, Value};

/// Arguments whose values are settings of Glue and never a secret (AWS Glue Developer Guide, job parameters).
const KNOWN: &[&str] = &[
    "--datalake-formats",
    "--enable-auto-scaling",
    "--enable-continuous-cloudwatch-log",
    "--enable-continuous-log-filter",
    "--enable-glue-datacatalog",
    "--enable-job-insights",
    "--enable-lakeformation-fine-grained-access",
    "--enable-metrics",
    "--enable-observability-metrics",
    "--enable-s3-parquet-optimized-committer",
    "--enable-spark-ui",
    "--job-bookmark-option",
    "--job-language",
    "--write-shuffle-files-to-s3",
    "--write-shuffle-spills-to-s3",
];

/// Longest value that is kept.
const LONGEST: usize = 40;

/// Arguments by name; later ones win.
#[derive(Debug, Default)]
pub struct Arguments<'a>(BTreeMap<&'a str, &'a str>);

impl<'a> Arguments<'a> {
    /// Returns the arguments of these maps, those of the later map before those of the earlier.
    pub fn of(maps: impl IntoIterator<Item = Option<&'a HashMap<String, String>>>) -> Self {
        let pairs = maps.into_iter().flatten().flatten();
        Arguments(pairs.map(|(name, value)| (name.as_str(), value.as_str())).collect())
    }

    /// Returns what a switch says: nothing, or on unless it says `false`.
    pub fn switch(&self, name: &str) -> Option<bool> {
        self.0.get(name).map(|value| !value.trim().eq_ignore_ascii_case("false"))
    }

    /// Returns the value of a known argument, where it looks like a setting of Glue.
    pub fn setting(&self, name: &str) -> Option<&'a str> {
        self.0.get(name).copied().filter(|value| KNOWN.contains(&name) && is_plain(value))
    }

    /// Returns the workflow that started the run: Glue itself puts its name among the arguments.
    pub fn workflow(&self) -> Option<&'a str> {
        self.0.get("--WORKFLOW_NAME").copied()
    }

    /// Returns the run of the workflow, which Glue puts there too.
    pub fn workflow_run_id(&self) -> Option<&'a str> {
        self.0.get("--WORKFLOW_RUN_ID").copied()
    }

    /// Returns the known arguments as a JSON object.
    pub fn known(&self) -> String {
        let known = KNOWN.iter().filter_map(|&name| Some((name.to_owned(), Value::from(self.setting(name)?))));
        Value::Object(known.collect::<Map<_, _>>()).to_string()
    }

    /// Returns the names of all others as a JSON list.
    pub fn others(&self) -> String {
        let known: BTreeSet<&str> = KNOWN.iter().copied().collect();
        let others = self.0.keys().filter(|name| !known.contains(*name) || self.setting(name).is_none());
        Value::from(others.copied().collect::<Vec<_>>()).to_string()
    }
}

/// A word or a list of words: what Glue's own settings are made of.
fn is_plain(value: &str) -> bool {
    value.len() <= LONGEST && value.chars().all(|c| c.is_ascii_lowercase() || c == '-' || c == ',' || c == ' ')
}

#[cfg(test)]
mod tests {
    use super::*;

    fn map(pairs: &[(&str, &str)]) -> HashMap<String, String> {
        pairs.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned())).collect()
    }

    #[test]
    fn only_known_arguments_keep_their_value() {
        let given = map(&[
            ("--job-bookmark-option", "job-bookmark-enable"),
            ("--password", "hunter2"),
            ("--conf", "spark.hadoop.fs.s3a.secret.key=hunter2"),
            ("--enable-metrics", "AKIA-hunter2"),
        ]);
        let arguments = Arguments::of([Some(&given)]);
        assert_eq!(arguments.known(), r#"{"--job-bookmark-option":"job-bookmark-enable"}"#);
        assert_eq!(arguments.others(), r#"["--conf","--enable-metrics","--password"]"#);
        assert!(!format!("{}{}", arguments.known(), arguments.others()).contains("hunter2"));
    }

    #[test]
    fn a_switch_is_on_unless_it_says_false_and_silent_when_it_is_not_there() {
        let given = map(&[("--enable-metrics", ""), ("--enable-auto-scaling", "False")]);
        let arguments = Arguments::of([Some(&given)]);
        assert_eq!(arguments.switch("--enable-metrics"), Some(true));
        assert_eq!(arguments.switch("--enable-auto-scaling"), Some(false));
        assert_eq!(arguments.switch("--enable-spark-ui"), None);
    }

    #[test]
    fn what_nobody_may_override_wins_over_the_default() {
        let (default, fixed) = (map(&[("--enable-auto-scaling", "false")]), map(&[("--enable-auto-scaling", "true")]));
        assert_eq!(Arguments::of([Some(&default), Some(&fixed)]).switch("--enable-auto-scaling"), Some(true));
    }
}
