//! What the parameters and classes of a catalog table say of its data: format, codec, open table format, sizes.
//!
//! Says nothing where they say nothing: a guess would be taken for a fact.

use std::collections::HashMap;

/// What a table says of itself.
#[derive(Clone, Copy, Debug, Default)]
pub struct Hints<'a> {
    /// Serialization library.
    pub serde: Option<&'a str>,
    /// Input format class.
    pub input_format: Option<&'a str>,
    /// Parameters of the table.
    pub parameters: Option<&'a HashMap<String, String>>,
    /// Parameters of the storage descriptor.
    pub storage: Option<&'a HashMap<String, String>>,
    /// Parameters of the serialization library.
    pub of_serde: Option<&'a HashMap<String, String>>,
}

/// Formats by words in the class names of Hive, first match first.
const CLASSES: &[(&str, &[&str])] = &[
    ("parquet", &["parquet"]),
    ("orc", &["orc."]),
    ("avro", &["avro"]),
    ("json", &["json"]),
    ("csv", &["opencsv"]),
    ("xml", &["xml"]),
    ("ion", &["ion."]),
    ("logs", &["regexserde", "grok", "cloudtrail"]),
    ("text", &["lazysimpleserde", "textinputformat"]),
];

/// Formats that a crawler's classification names as they are.
const CLASSIFICATIONS: &[&str] = &["parquet", "orc", "avro", "json", "csv", "xml", "ion"];

/// Parameters that name the codec, in the order in which they are believed.
const CODECS: &[&str] = &[
    "write.parquet.compression-codec",
    "parquet.compression",
    "parquet.compress",
    "orc.compress",
    "write_compression",
];

impl<'a> Hints<'a> {
    /// Returns a parameter of the table, else of its storage, else of its library.
    pub fn parameter(&self, name: &str) -> Option<&'a str> {
        let maps = [self.parameters, self.storage, self.of_serde];
        maps.into_iter().flatten().find_map(|map| map.get(name)).map(String::as_str).filter(|value| !value.is_empty())
    }

    /// Returns the format of the files. A text library with a classification of `csv` is CSV.
    pub fn format(&self) -> Option<&'static str> {
        let classified = self.parameter("classification").map(str::to_ascii_lowercase);
        let named = classified.and_then(|name| CLASSIFICATIONS.iter().copied().find(|known| *known == name));
        let by_class = self.serde.and_then(by_class).or_else(|| self.input_format.and_then(by_class));
        match (by_class, named) {
            (Some("text"), Some(named)) => Some(named),
            (Some(class), _) => Some(class),
            (None, named) => named,
        }
    }

    /// Returns the open table format.
    pub fn open_format(&self) -> Option<&'static str> {
        let is = |name: &str, value: &str| self.parameter(name).is_some_and(|is| is.eq_ignore_ascii_case(value));
        let class = self.input_format.unwrap_or_default().to_ascii_lowercase();
        let spark = "spark.sql.sources.provider";
        match () {
            () if is("table_type", "iceberg") || class.contains("iceberg") || is(spark, "iceberg") => Some("iceberg"),
            () if class.contains("hudi") || class.contains("hoodie") || is(spark, "hudi") => Some("hudi"),
            () if is(spark, "delta") || is("table_type", "delta") || class.contains("delta") => Some("delta"),
            () if is("classification", "delta") => Some("delta"),
            () => None,
        }
    }

    /// Returns the codec, in lower case.
    pub fn compression(&self) -> Option<String> {
        let named = CODECS.iter().find_map(|name| self.parameter(name));
        named.or_else(|| self.parameter("compressionType")).map(str::to_ascii_lowercase)
    }

    /// Returns a count that Hive or a crawler noted; what they write for "not known" is none.
    pub fn count(&self, hive: &str, crawler: &str) -> Option<i64> {
        let number = |name| self.parameter(name).and_then(|text| text.parse::<i64>().ok()).filter(|n| *n >= 0);
        number(hive).or_else(|| number(crawler))
    }
}

fn by_class(class: &str) -> Option<&'static str> {
    let class = class.to_ascii_lowercase();
    CLASSES.iter().find(|(_, words)| words.iter().any(|word| class.contains(word))).map(|(format, _)| *format)
}

#[cfg(test)]
mod tests {
    use super::*;

    const LAZY: &str = "org.apache.hadoop.hive.serde2.lazy.LazySimpleSerDe";

    fn map(pairs: &[(&str, &str)]) -> HashMap<String, String> {
        pairs.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned())).collect()
    }

    fn of_serde(serde: &str) -> Option<&'static str> {
        Hints { serde: Some(serde), ..Hints::default() }.format()
    }

    #[test]
    fn the_library_says_the_format() {
        assert_eq!(of_serde("org.apache.hadoop.hive.ql.io.parquet.serde.ParquetHiveSerDe"), Some("parquet"));
        assert_eq!(of_serde("org.apache.hadoop.hive.ql.io.orc.OrcSerde"), Some("orc"));
        assert_eq!(of_serde("org.openx.data.jsonserde.JsonSerDe"), Some("json"));
        assert_eq!(of_serde("org.apache.hadoop.hive.serde2.OpenCSVSerde"), Some("csv"));
        assert_eq!(of_serde("com.amazonaws.glue.serde.GrokSerDe"), Some("logs"));
        assert_eq!(of_serde(LAZY), Some("text"));
        assert_eq!(of_serde("com.example.Mine"), None);
    }

    #[test]
    fn a_classification_tells_csv_from_other_text_and_never_overrules_a_columnar_library() {
        let csv = map(&[("classification", "csv")]);
        let with = |serde| Hints { serde: Some(serde), parameters: Some(&csv), ..Hints::default() }.format();
        assert_eq!(with(LAZY), Some("csv"));
        assert_eq!(with("org.apache.hadoop.hive.ql.io.parquet.serde.ParquetHiveSerDe"), Some("parquet"));
    }

    #[test]
    fn open_table_formats_are_told_by_their_markers() {
        let open = |pairs: &[(&str, &str)], input: Option<&str>| {
            Hints { parameters: Some(&map(pairs)), input_format: input, ..Hints::default() }.open_format()
        };
        assert_eq!(open(&[("table_type", "ICEBERG")], None), Some("iceberg"));
        assert_eq!(open(&[], Some("org.apache.hudi.hadoop.HoodieParquetInputFormat")), Some("hudi"));
        assert_eq!(open(&[("spark.sql.sources.provider", "delta")], None), Some("delta"));
        assert_eq!(open(&[("classification", "parquet")], None), None);
    }

    #[test]
    fn sizes_that_are_not_known_are_none_and_never_minus_one() {
        let noted = map(&[("numRows", "-1"), ("recordCount", "12"), ("totalSize", "x")]);
        let hints = Hints { parameters: Some(&noted), ..Hints::default() };
        assert_eq!(hints.count("numRows", "recordCount"), Some(12));
        assert_eq!(hints.count("totalSize", "sizeKey"), None);
    }
}
