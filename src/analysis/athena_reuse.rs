//! What Athena's result reuse would have saved: the history replayed under each maximum age.
//!
//! A run is a hit when an earlier run of the same text, catalog, database, output location and workgroup had really
//! executed, had *finished* before this one began, and is not older than the age. A hit does not renew the result:
//! age runs from the original execution (Athena User Guide, "Reuse query results"). Whether the data changed between
//! two runs is not known, so no hit is certain.

use std::collections::{BTreeMap, BTreeSet};

use chrono::{DateTime, NaiveDate, TimeDelta, Utc};

use super::athena::{History, Window, monthly};
use super::{Analysis, Given};
use crate::engine::EngineError;
use crate::model::{PoolPath, Row};
use crate::prices::scanned::billed_bytes;
use crate::store::table::{Kind, Source, Table, column};
use crate::store::tables::athena::ATHENA_QUERIES;

/// Maximum ages, in minutes, that are replayed; Athena's default is 60 and its limit 10,080.
const AGES: [i64; 4] = [5, 60, 1440, 10_080];
/// What makes two runs the same question to Athena; hashes of different keys never match.
const SAME: [&str; 8] =
    ["account_id", "region", "workgroup", "text_hash", "key_id", "catalog", "database", "output_location"];

/// One row for each text that ran more than once, and each maximum age.
pub const ATHENA_REUSE: Analysis = Analysis {
    table: Table {
        name: "athena_reuse",
        doc: "Athena's query history of the last full 30 days, replayed with result reuse: one row for each question (text, catalog, database, output location, workgroup) that ran more than once, and each maximum age. Only queries that succeeded, were paid by the byte, and that nothing known keeps from being reused.",
        key: &[
            "account_id",
            "region",
            "workgroup",
            "text_hash",
            "key_id",
            "catalog",
            "database",
            "output_location",
            "max_age_minutes",
        ],
        source: Source::Analysis,
        columns: &[
            column("account_id", Kind::Text, "Account."),
            column("region", Kind::Text, "Region."),
            column("workgroup", Kind::Text, "Workgroup."),
            column("pool_id", Kind::Text, "The workgroup's place in the tree of pools."),
            column("text_hash", Kind::Text, "Keyed hash of the exact text and its parameters."),
            column("key_id", Kind::Text, "Which key made the hash."),
            column("catalog", Kind::Text, "Data catalog."),
            column("database", Kind::Text, "Database."),
            column("output_location", Kind::Text, "Folder of the results."),
            column("text_redacted", Kind::Text, "Text without literals, of the newest run."),
            column("max_age_minutes", Kind::Count, "Oldest result that would be accepted: 5, 60, 1440 or 10080."),
            column("runs", Kind::Count, "Runs in the 30 days."),
            column(
                "hits",
                Kind::Count,
                "Runs that an earlier result would have answered, if its data had not changed.",
            ),
            column(
                "doubtful_hits",
                Kind::Count,
                "Hits of which it is not known whether Athena could answer them from a result: their catalog may be federated, or their text could not be read.",
            ),
            column(
                "certain_hits",
                Kind::Count,
                "Hits between which no write to the tables is known to be possible; 0 while writes are not read.",
            ),
            column("bytes_billed", Kind::Bytes, "Bytes billed for the runs, each rounded up to MB and 10 MB at least."),
            column(
                "bytes_avoided",
                Kind::Bytes,
                "Bytes billed for the hits, doubtful ones too; NULL when a hit's bytes were not seen, or when only some of the runs are doubtful.",
            ),
            column(
                "days",
                Kind::Count,
                "Days of the 30 that the history of this workgroup covers; only their runs are counted.",
            ),
            column(
                "bytes_avoided_month",
                Kind::Bytes,
                "`bytes_avoided` as an amount of 30 days; not scaled up from less than a week.",
            ),
            column("certain_bytes_avoided_month", Kind::Bytes, "The same of certain hits."),
        ],
    },
    inputs: &[&ATHENA_QUERIES],
    compute: |given| Box::pin(compute(given)),
};

/// One run of a question.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Run {
    began: DateTime<Utc>,
    ended: Option<DateTime<Utc>>,
    bytes: Option<i64>,
    /// False when it is not known whether Athena could answer it from an earlier result.
    sure: bool,
}

async fn compute(given: Given<'_>) -> Result<Vec<Row>, EngineError> {
    let window = Window::before(given.as_of);
    let history = History::of(given.engine, window).await?;
    let mut questions: BTreeMap<Vec<Option<String>>, Vec<Row>> = BTreeMap::new();
    for row in given.engine.rows(&eligible(window)).await? {
        let same = SAME.iter().map(|column| row.text(column).map(|text| text.raw().to_owned())).collect();
        questions.entry(same).or_default().push(row);
    }
    let mut out = Vec::new();
    for group in questions.values() {
        let runs: Vec<Run> = group.iter().filter_map(run).collect();
        let days = history.days(&group[0]);
        if runs.len() < 2 || !runs.iter().any(|run| days.contains(&run.began.date_naive())) {
            continue;
        }
        out.extend(AGES.map(|age| row(group, &runs, age, &days)));
    }
    Ok(out)
}

/// Runs that take part, in the order in which they began; a text that ran once in a workgroup is left out early. Runs
/// of which it is not known whether they could be reused take part: without them the high end would not bound.
fn eligible(window: Window) -> String {
    let runs = format!(
        "from athena_queries where (reuse_eligible is distinct from false) and state = 'SUCCEEDED' and text_hash is not null \
         and dpu_count is null and reused is not true and submitted < timestamp '{}T00:00:00Z'",
        window.until
    );
    format!(
        "select {}, submitted, completed, bytes_scanned, text_redacted, reuse_eligible {runs} \
         and text_hash in (select text_hash {runs} group by text_hash having count(*) > 1) \
         order by submitted, query_id",
        SAME.join(", ")
    )
}

fn run(row: &Row) -> Option<Run> {
    Some(Run {
        began: row.time("submitted")?,
        ended: row.time("completed"),
        bytes: row.int("bytes_scanned").map(billed_bytes),
        sure: row.flag("reuse_eligible") == Some(true),
    })
}

/// Replays runs in the order in which they began: true where an earlier result answers.
fn replay(runs: &[Run], age: TimeDelta) -> Vec<bool> {
    let mut originals: Vec<Run> = Vec::new();
    let mut hits = Vec::with_capacity(runs.len());
    for run in runs {
        originals.retain(|original| run.began - original.began <= age);
        let hit = originals.iter().any(|original| original.ended.is_some_and(|ended| ended < run.began));
        if !hit {
            originals.push(*run);
        }
        hits.push(hit);
    }
    hits
}

fn row(group: &[Row], runs: &[Run], age: i64, days: &BTreeSet<NaiveDate>) -> Row {
    let hits = replay(runs, TimeDelta::minutes(age));
    let inside = || runs.iter().zip(&hits).filter(|(run, _)| days.contains(&run.began.date_naive()));
    let answered = || inside().filter(|(_, hit)| **hit);
    // Where it is doubtful of some runs only whether they could be reused, another choice of them may avoid more.
    let mixed = runs.iter().any(|run| run.sure) && runs.iter().any(|run| !run.sure);
    let avoided: Option<i64> = answered().map(|(run, _)| run.bytes).sum::<Option<i64>>().filter(|_| !mixed);
    let key = &group[0];
    let path = PoolPath::of(&[key.key("account_id"), key.key("region"), "athena", key.key("workgroup")]);
    let mut row = Row::new()
        .with("pool_id", path.as_str())
        .with("text_redacted", group[group.len() - 1].cell("text_redacted").clone())
        .with("max_age_minutes", age)
        .with("runs", inside().count())
        .with("hits", answered().count())
        .with("doubtful_hits", answered().filter(|(run, _)| !run.sure).count())
        .with("certain_hits", 0_i64)
        .with("bytes_billed", inside().map(|(run, _)| run.bytes).sum::<Option<i64>>())
        .with("bytes_avoided", avoided)
        .with("days", days.len())
        .with("bytes_avoided_month", avoided.map(|bytes| monthly(bytes, days.len())))
        .with("certain_bytes_avoided_month", 0_i64);
    for column in SAME {
        row.set(column, key.cell(column).clone());
    }
    row
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn at(minute: i64) -> DateTime<Utc> {
        DateTime::from_timestamp(1_790_000_000 + minute * 60, 0).unwrap()
    }

    fn ran(began: i64, took: Option<i64>) -> Run {
        Run { began: at(began), ended: took.map(|took| at(began + took)), bytes: Some(1), sure: true }
    }

    /// The rule as it is written, run by run, without remembering anything.
    fn is_hit(runs: &[Run], which: usize, age: TimeDelta) -> bool {
        (0..which).any(|earlier| {
            let (original, run) = (runs[earlier], runs[which]);
            !is_hit(runs, earlier, age)
                && original.ended.is_some_and(|ended| ended < run.began)
                && run.began - original.began <= age
        })
    }

    proptest! {
        #[test]
        fn the_replay_answers_as_the_rule_does(
            runs in proptest::collection::vec((0_i64..100, proptest::option::of(0_i64..15)), 0..12), age in 1_i64..60,
        ) {
            let mut runs: Vec<Run> = runs.into_iter().map(|(began, took)| ran(began, took)).collect();
            runs.sort_by_key(|run| run.began);
            let age = TimeDelta::minutes(age);
            let slow: Vec<bool> = (0..runs.len()).map(|which| is_hit(&runs, which, age)).collect();
            prop_assert_eq!(replay(&runs, age), slow);
        }
    }

    #[test]
    fn a_hit_does_not_renew_the_result() {
        let runs = [0, 40, 80, 100].map(|began| ran(began, Some(1)));
        assert_eq!(replay(&runs, TimeDelta::minutes(60)), [false, true, false, true]);
    }

    #[test]
    fn a_result_that_is_not_finished_answers_nobody() {
        let runs = [ran(0, Some(30)), ran(10, Some(5)), ran(20, Some(5)), ran(25, Some(1))];
        assert_eq!(replay(&runs, TimeDelta::minutes(60)), [false, false, true, true]);
    }
}
