//! Lifecycle rules of the demo's buckets: what they say, and what that does to objects. Every filter form appears.

use crate::model::Row;

/// A class that a rule moves objects to.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Class {
    /// `INTELLIGENT_TIERING`.
    IntelligentTiering,
    /// `STANDARD_IA`.
    StandardIa,
    /// `GLACIER_IR`.
    GlacierIr,
    /// `GLACIER`.
    Glacier,
    /// `DEEP_ARCHIVE`.
    DeepArchive,
}

impl Class {
    /// Returns the name of the S3 API.
    pub const fn as_str(self) -> &'static str {
        match self {
            Class::IntelligentTiering => "INTELLIGENT_TIERING",
            Class::StandardIa => "STANDARD_IA",
            Class::GlacierIr => "GLACIER_IR",
            Class::Glacier => "GLACIER",
            Class::DeepArchive => "DEEP_ARCHIVE",
        }
    }
}

/// What a rule does.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Deed {
    /// Aborts uploads after so many days.
    Abort(i32),
    /// Deletes noncurrent versions after so many days.
    DropNoncurrent(i32),
    /// Deletes noncurrent versions after so many days, but keeps some.
    DropNoncurrentButKeep(i32, i32),
    /// Moves current objects after so many days.
    Move(i32, Class),
    /// Moves noncurrent versions after so many days.
    MoveNoncurrent(i32, Class),
    /// Expires current objects after so many days.
    Expire(i32),
    /// Removes delete markers that stand alone.
    DropMarkers,
}

/// Which objects a rule is about.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Filter {
    /// All of them: an empty filter.
    All,
    /// All of them, in the legacy form: rule-level `Prefix` that is empty.
    Legacy,
    /// Those under a prefix.
    Prefix(&'static str),
    /// Those with a tag, as JSON.
    Tag(&'static str),
    /// Those larger than so many bytes.
    Larger(i64),
    /// Those smaller than so many bytes.
    Smaller(i64),
    /// Those under a prefix and with a size between.
    And(&'static str, i64, i64),
}

/// A lifecycle rule.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Rule {
    /// Its ID.
    pub id: Option<&'static str>,
    /// Whether it is enabled.
    pub enabled: bool,
    /// Which objects.
    pub filter: Filter,
    /// What it does.
    pub deeds: Vec<Deed>,
}

impl Rule {
    /// Returns an enabled rule over the whole bucket.
    pub fn whole(id: &'static str, deeds: &[Deed]) -> Self {
        Rule::on(id, Filter::All, deeds)
    }

    /// Returns an enabled rule.
    pub fn on(id: &'static str, filter: Filter, deeds: &[Deed]) -> Self {
        Rule { id: Some(id), enabled: true, filter, deeds: deeds.to_vec() }
    }

    /// Returns the rule switched off.
    pub fn disabled(mut self) -> Self {
        self.enabled = false;
        self
    }

    /// Returns the rule without an ID.
    pub fn nameless(mut self) -> Self {
        self.id = None;
        self
    }

    /// Returns what the rule does to every object of the bucket: nothing when it is off or about some objects only.
    pub fn everywhere(&self) -> &[Deed] {
        let whole = matches!(self.filter, Filter::All | Filter::Legacy);
        if self.enabled && whole { &self.deeds } else { &[] }
    }

    /// Fills the columns of `lifecycle_rules` that describe the rule.
    pub fn describe(&self, row: Row) -> Row {
        let row = self.describe_filter(row.with("rule_id", self.id).with("enabled", self.enabled));
        self.deeds.iter().fold(row, |row, deed| match *deed {
            Deed::Abort(days) => row.with("abort_incomplete_multipart_days", days),
            Deed::DropNoncurrent(days) => row.with("noncurrent_expiration_days", days),
            Deed::DropNoncurrentButKeep(days, keep) => {
                row.with("noncurrent_expiration_days", days).with("newer_noncurrent_versions", keep)
            }
            Deed::Move(days, class) => {
                row.with("transitions", format!(r#"[{{"days":{days},"storage_class":"{}"}}]"#, class.as_str()))
            }
            Deed::MoveNoncurrent(days, class) => row.with(
                "noncurrent_transitions",
                format!(r#"[{{"noncurrent_days":{days},"storage_class":"{}"}}]"#, class.as_str()),
            ),
            Deed::Expire(days) => row.with("expiration_days", days),
            Deed::DropMarkers => row.with("expired_object_delete_marker", true),
        })
    }

    fn describe_filter(&self, row: Row) -> Row {
        match self.filter {
            Filter::All => row.with("filter_form", "all"),
            Filter::Legacy => row.with("filter_form", "legacy").with("prefix", ""),
            Filter::Prefix(prefix) => row.with("filter_form", "prefix").with("prefix", prefix),
            Filter::Tag(tags) => row.with("filter_form", "tag").with("tags", tags),
            Filter::Larger(bytes) => row.with("filter_form", "size_greater").with("object_size_greater_than", bytes),
            Filter::Smaller(bytes) => row.with("filter_form", "size_less").with("object_size_less_than", bytes),
            Filter::And(prefix, above, below) => row
                .with("filter_form", "and")
                .with("prefix", prefix)
                .with("object_size_greater_than", above)
                .with("object_size_less_than", below),
        }
    }
}
