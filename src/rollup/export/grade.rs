//! What an export leaves out of a bill, and which of two is the better one. Pure.

use std::collections::BTreeSet;

/// Something that an export was told to leave out.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Lack {
    /// Rows: its query has a condition, or it is a member's own and not the payer's.
    Rows,
    /// Days: its amounts are by the month.
    Days,
    /// Resources.
    Resources,
}

impl Lack {
    /// Returns what that means for a reader.
    pub const fn described(self) -> &'static str {
        match self {
            Lack::Rows => "it is a part of the bill: a condition, or its owner, leaves rows out",
            Lack::Days => "it is by the month: each month's usage stands on one day",
            Lack::Resources => "it has no resources: what one bucket or job costs is not in it",
        }
    }
}

/// How good an export is as the bill of a month: the better one is the smaller one.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Grade {
    /// True for FOCUS, which is for seeing spend only.
    pub focus: bool,
    /// Rows, days and resources that are left out, in this order.
    lacks: [bool; 3],
}

impl Grade {
    /// Returns the grade of an export that leaves out `lacks`.
    pub fn of(focus: bool, lacks: &BTreeSet<Lack>) -> Self {
        Grade { focus, lacks: [Lack::Rows, Lack::Days, Lack::Resources].map(|lack| lacks.contains(&lack)) }
    }
}

/// Returns what an export leaves out by its definition: its query, and the properties of the table that it asks.
pub fn lacks_of<'a>(query: &str, properties: impl IntoIterator<Item = (&'a str, &'a str)>) -> BTreeSet<Lack> {
    let narrowed = |word: &str| ["where", "limit"].iter().any(|narrows| word.eq_ignore_ascii_case(narrows));
    let mut lacks: BTreeSet<Lack> = query.split_whitespace().any(narrowed).then_some(Lack::Rows).into_iter().collect();
    for (name, value) in properties {
        let (name, value) = (name.to_ascii_uppercase(), value.to_ascii_uppercase());
        match (name.as_str(), value.as_str()) {
            ("TIME_GRANULARITY", "MONTHLY") => lacks.insert(Lack::Days),
            ("INCLUDE_RESOURCES", "FALSE") => lacks.insert(Lack::Resources),
            _ => false,
        };
    }
    lacks
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_definition_says_what_is_left_out_and_whole_daily_exports_with_resources_are_the_best() {
        let whole = lacks_of("SELECT a, b FROM COST_AND_USAGE_REPORT", [("TIME_GRANULARITY", "DAILY")]);
        let filtered = lacks_of("SELECT a FROM COST_AND_USAGE_REPORT\nWHERE a = 'x'", []);
        let monthly = lacks_of("", [("TIME_GRANULARITY", "MONTHLY")]);
        let blind = lacks_of("", [("INCLUDE_RESOURCES", "FALSE")]);
        let grades = [&whole, &blind, &monthly, &filtered].map(|lacks| Grade::of(false, lacks));
        assert!(
            whole.is_empty() && grades.is_sorted() && grades.windows(2).all(|pair| pair[0] < pair[1]),
            "{grades:?}"
        );
        assert!(grades[3] < Grade::of(true, &whole), "FOCUS comes last");
    }
}
