//! Which gaps of a snapshot touch a policy, and which of them one finding.

use std::collections::{BTreeMap, BTreeSet};

use super::Policy;
use crate::engine::{Engine, EngineError};
use crate::model::{Coverage, CoverageState, Row};
use crate::store::{Table, tables};

/// Returns the gaps that the snapshot holds, in the order of its coverage table.
pub(super) async fn read(engine: &Engine) -> Result<Vec<Coverage>, EngineError> {
    let sql = "select * from coverage where state <> 'seen' order by table_name, account_id, region, read, resource";
    Ok(engine.rows(sql).await?.iter().filter_map(coverage).collect())
}

fn coverage(row: &Row) -> Option<Coverage> {
    let text = |column| row.text(column).map(|text| text.raw().to_owned());
    Some(Coverage {
        table: text("table_name")?,
        account_id: text("account_id"),
        region: text("region"),
        resource: row.text("resource").cloned(),
        read: text("read")?,
        state: CoverageState::parse(row.key("state"))?,
        reason: row.text("reason").cloned(),
        missing_action: text("missing_action"),
        from: row.date("from_day"),
        to: row.date("to_day"),
        seen: row.int("seen"),
        expected: row.int("expected"),
    })
}

/// The reads that a policy's answer depends on.
#[derive(Debug, Default)]
pub(super) struct Reads {
    /// By table, those that the query names and those under its analyses.
    all: BTreeMap<&'static str, BTreeSet<&'static str>>,
    /// Reads that fill columns that the query names one by one.
    direct: BTreeSet<(&'static str, &'static str)>,
    /// By analysis, the reads that fill columns of the tables it stands on.
    under: BTreeMap<String, BTreeSet<(&'static str, &'static str)>>,
}

impl Reads {
    /// Returns the reads behind the tables that the query names and, for an analysis, behind the tables it stands on.
    pub fn of(policy: &Policy) -> Self {
        let words = policy.query().words();
        let mut reads = Reads::default();
        for name in policy.query().tables() {
            match tables::find(&name) {
                Some(table) => reads.add(table, &words),
                None => crate::analysis::inputs(&name).iter().for_each(|table| reads.add_under(&name, table)),
            }
        }
        reads
    }

    fn add(&mut self, table: &'static Table, words: &BTreeSet<String>) {
        let named = table.columns.iter().filter(|column| words.contains(column.name));
        self.direct.extend(named.filter_map(|column| Some((table.name, column.read?))));
        self.all.entry(table.name).or_default().extend(columns(table, words).into_iter().chain(table.read()));
    }

    fn add_under(&mut self, analysis: &str, table: &'static Table) {
        let below = self.under.entry(analysis.to_owned()).or_default();
        below.extend(table.sub_reads().into_iter().map(|read| (table.name, read)));
        self.all.entry(table.name).or_default().extend(table.read().into_iter().chain(table.sub_reads()));
    }

    /// Returns the reads, with their table, that fill columns that the query names.
    pub fn direct(&self) -> impl Iterator<Item = (&'static str, &'static str)> {
        self.direct.iter().copied()
    }

    /// Returns each analysis that the query names and whose answer such reads can change, with them.
    pub fn under_analyses(&self) -> impl Iterator<Item = (&str, &BTreeSet<(&'static str, &'static str)>)> {
        self.under.iter().filter(|(_, reads)| !reads.is_empty()).map(|(name, reads)| (name.as_str(), reads))
    }

    /// Returns true when the answer depends on what the gap could not see.
    pub fn touches(&self, gap: &Coverage) -> bool {
        self.all.get(gap.table.as_str()).is_some_and(|reads| reads.contains(gap.read.as_str()))
    }

    /// Returns the gaps that touch the policy.
    pub fn gaps(&self, all: &[Coverage]) -> Vec<Coverage> {
        all.iter().filter(|gap| self.touches(gap)).cloned().collect()
    }
}

/// The reads that fill the columns that the query may name.
fn columns(table: &'static Table, words: &BTreeSet<String>) -> BTreeSet<&'static str> {
    let named = table.columns.iter().filter(|column| words.contains(column.name) || words.contains("*"));
    named.filter_map(|column| column.read).collect()
}

/// Returns true when the gap is about the account, Region and resource, or about all of them.
pub(super) fn is_about(gap: &Coverage, account_id: &str, region: &str, resource: &str) -> bool {
    gap.account_id.as_deref().is_none_or(|id| id == account_id)
        && gap.region.as_deref().is_none_or(|name| name == region)
        && gap.resource.as_ref().is_none_or(|name| name.raw() == resource)
}
