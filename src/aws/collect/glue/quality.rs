//! Data quality: the sets of rules, when they were evaluated, and how many passed.
//!
//! No rule, no message and no metric of the data is ever kept.

use aws_sdk_glue::Client;
use aws_sdk_glue::types::{
    DataQualityResult, DataQualityResultDescription, DataQualityResultFilterCriteria, DataQualityRuleResultStatus,
    DataQualityRulesetListDetails, DataQualityTargetTable, GlueTable,
};
use futures::StreamExt;

use super::capacity::exact;
use super::past::{Known, Told};
use crate::aws::collect::ask::ask;
use crate::aws::collect::instant::{day, start_of, utc};
use crate::aws::collect::outcome::{Outcome, cover_all};
use crate::aws::collect::pages::{Listed, list, spent};
use crate::aws::collect::{Failed, Read, Scope, Sink};
use crate::model::Row;
use crate::store::tables::glue::{GLUE_DATA_QUALITY, GLUE_DATA_QUALITY_RESULTS};

/// Things on a page (Glue takes up to 1,000).
const PAGE: i32 = 200;

/// Sets of rules.
pub const RULESETS: Read =
    Read::rows("glue:ListDataQualityRulesets", "glue:ListDataQualityRulesets", "glue_data_quality");
/// Results.
pub const RESULTS: Read =
    Read::rows("glue:ListDataQualityResults", "glue:ListDataQualityResults", "glue_data_quality_results");

/// What came of them. IAM has no action of the look-up's own name (AWS Glue Developer Guide, IAM permissions for Data
/// Quality).
pub const SCORES: Read = Read::columns(
    "glue:BatchGetDataQualityResult",
    "glue:GetDataQualityResult",
    "glue_data_quality_results",
    &["ruleset", "score", "rules", "rules_failed", "rules_in_error", "completed"],
);

/// Results in one look-up (Glue API reference, BatchGetDataQualityResult).
const LOOK_UP: usize = 100;
/// Look-ups at the same time.
const AT_ONCE: usize = 4;

/// Reads the sets of rules, and the results that are new.
pub async fn read(scope: &Scope, sink: &Sink, client: &Client) {
    let rulesets = rulesets(scope, client).await;
    sink.rows(&GLUE_DATA_QUALITY, rulesets.found.iter().map(|found| ruleset(scope, found)).collect()).await;
    rulesets.cover(scope, sink, &RULESETS, &[]).await;
    let past = Known::of(scope, RESULTS).past(None);
    let results = results(scope, client, past.first).await;
    let mut told = Told::default();
    let mut rows = Vec::new();
    for found in &results.found {
        // A result without a start cannot be placed in the history.
        let Some(day) = found.started_on().and_then(day) else { continue };
        told.add(day, true);
        rows.push(result(scope, found));
    }
    scores(scope, sink, client, &mut rows).await;
    sink.rows(&GLUE_DATA_QUALITY_RESULTS, rows).await;
    let coverage = match &results.failed {
        None => past.whole(told),
        Some(failed) => past.cut(failed, None, told),
    };
    for row in coverage {
        sink.cover(row.at(&scope.account_id, Some(&scope.region))).await;
    }
}

/// Adds what came of them to the newest results.
async fn scores(scope: &Scope, sink: &Sink, client: &Client, rows: &mut [Row]) {
    rows.sort_by(|a, b| (b.time("started"), b.key("result_id")).cmp(&(a.time("started"), a.key("result_id"))));
    let asked = rows.len().min(scope.options.glue.quality as usize);
    let ids: Vec<String> = rows.iter().take(asked).map(|row| row.key("result_id").to_owned()).collect();
    let reads: Vec<_> = ids.chunks(LOOK_UP).map(|ids| look_up(scope, client, ids)).collect();
    let answers: Vec<_> = futures::stream::iter(reads).buffered(AT_ONCE).collect().await;
    let mut outcomes = Vec::new();
    for (rows, answer) in rows.chunks_mut(LOOK_UP).zip(&answers) {
        for row in rows.iter_mut().take(asked - outcomes.len()) {
            let id = row.key("result_id").to_owned();
            let found = answer.as_ref().map_err(Failed::clone).and_then(|found| {
                let found = found.iter().find(|one| one.result_id() == Some(&id));
                found.ok_or_else(|| Failed::left_out("the result"))
            });
            outcomes.push(Outcome::of(&id, Some(&scope.region), &found));
            if let Ok(found) = found {
                score(row, found);
            }
        }
    }
    cover_all(scope, sink, &SCORES, &outcomes).await;
    if rows.len() > asked {
        let why = format!("the newest {asked} of {} results were looked up", rows.len());
        let cut = spent(&why).gap(&SCORES).at(&scope.account_id, Some(&scope.region));
        sink.cover(cut.counted(asked, Some(rows.len()))).await;
    }
}

async fn look_up(scope: &Scope, client: &Client, ids: &[String]) -> Result<Vec<DataQualityResult>, Failed> {
    let call = client.batch_get_data_quality_result().set_result_ids(Some(ids.to_vec()));
    ask(scope, call.send()).await.map(|answer| answer.results)
}

fn score(row: &mut Row, found: &DataQualityResult) {
    let ended = |how: &DataQualityRuleResultStatus| {
        found.rule_results().iter().filter(|rule| rule.result() == Some(how)).count()
    };
    row.set("ruleset", found.ruleset_name());
    row.set("score", found.score().and_then(exact));
    row.set("rules", found.rule_results().len());
    row.set("rules_failed", ended(&DataQualityRuleResultStatus::Fail));
    row.set("rules_in_error", ended(&DataQualityRuleResultStatus::Error));
    row.set("completed", found.completed_on().and_then(utc));
}

async fn rulesets(scope: &Scope, client: &Client) -> Listed<DataQualityRulesetListDetails> {
    list(|token| {
        let call = client.list_data_quality_rulesets().max_results(PAGE).set_next_token(token);
        async {
            let page = ask(scope, call.send()).await?;
            Ok((page.rulesets.unwrap_or_default(), page.next_token))
        }
    })
    .await
}

/// Lists the results since the start of `first`: the filter takes what started after its instant.
async fn results(scope: &Scope, client: &Client, first: chrono::NaiveDate) -> Listed<DataQualityResultDescription> {
    let after = aws_smithy_types::DateTime::from_secs(start_of(first).secs() - 1);
    let since = DataQualityResultFilterCriteria::builder().started_after(after).build();
    list(|token| {
        let call = client.list_data_quality_results().filter(since.clone()).max_results(PAGE).set_next_token(token);
        async {
            let page = ask(scope, call.send()).await?;
            Ok((page.results, page.next_token))
        }
    })
    .await
}

fn ruleset(scope: &Scope, found: &DataQualityRulesetListDetails) -> Row {
    let target = found.target_table();
    super::place(Row::new(), scope)
        .with("ruleset", found.name())
        .with("database", target.map(DataQualityTargetTable::database_name))
        .with("table", target.map(DataQualityTargetTable::table_name))
        .with("rule_count", found.rule_count())
        .with("recommended", found.recommendation_run_id().is_some_and(|id| !id.is_empty()))
        .with("created", found.created_on().and_then(utc))
        .with("last_modified", found.last_modified_on().and_then(utc))
}

fn result(scope: &Scope, found: &DataQualityResultDescription) -> Row {
    let table = found.data_source().and_then(|source| source.glue_table());
    super::place(Row::new(), scope)
        .with("result_id", found.result_id())
        .with("started", found.started_on().and_then(utc))
        .with("database", table.map(GlueTable::database_name))
        .with("table", table.map(GlueTable::table_name))
        .with("job", found.job_name())
        .with("job_run_id", found.job_run_id())
}
