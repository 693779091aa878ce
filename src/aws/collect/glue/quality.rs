//! Data quality: the sets of rules, and when they were evaluated. Neither rules nor scores are read.

use aws_sdk_glue::Client;
use aws_sdk_glue::types::{
    DataQualityResultDescription, DataQualityResultFilterCriteria, DataQualityRulesetListDetails,
    DataQualityTargetTable, GlueTable,
};

use super::listed::{Listed, list};
use super::past::{Known, Told};
use crate::aws::collect::ask::ask;
use crate::aws::collect::instant::{day, start_of, utc};
use crate::aws::collect::{Read, Scope, Sink};
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
    sink.rows(&GLUE_DATA_QUALITY_RESULTS, rows).await;
    let coverage = match &results.failed {
        None => past.whole(told),
        Some(failed) => past.cut(failed.gap(&RESULTS), None, told),
    };
    for row in coverage {
        sink.cover(row.at(&scope.account_id, Some(&scope.region))).await;
    }
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
