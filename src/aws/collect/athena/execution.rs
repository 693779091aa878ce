//! One query execution as a row: redacted, hashed, judged for reuse. Pure.
//!
//! The text itself and its execution parameters go no further than this file.

use aws_sdk_athena::types::{QueryExecution, QueryExecutionState, StatementType};
use rust_decimal::Decimal;
use rust_decimal::prelude::FromPrimitive;

use super::key::TextHash;
use super::redact::{Quoted, redact};
use super::reuse::{Statement, reuse};
use crate::aws::collect::{Scope, instant};
use crate::model::Row;

/// Returns the row of `query`; the columns of the hash stay NULL without a key.
pub fn row(scope: &Scope, key: Option<&TextHash>, query: &QueryExecution) -> Row {
    let named = Row::new()
        .with("account_id", scope.account_id.as_str())
        .with("region", scope.region.as_str())
        .with("workgroup", query.work_group())
        .with("query_id", query.query_execution_id());
    text(status(measures(kind(named, query), query), query), key, query)
}

fn kind(row: Row, query: &QueryExecution) -> Row {
    let context = query.query_execution_context();
    let results = query.result_configuration().and_then(|results| results.output_location());
    let reuse = query.result_reuse_configuration().and_then(|reuse| reuse.result_reuse_by_age_configuration());
    let managed = query
        .managed_query_results_configuration()
        .is_some_and(aws_sdk_athena::types::ManagedQueryResultsConfiguration::enabled);
    row.with("statement_type", query.statement_type().map(StatementType::as_str))
        .with("substatement_type", query.substatement_type())
        .with("engine_version", engine(query))
        .with("catalog", context.and_then(|context| context.catalog()))
        .with("database", context.and_then(|context| context.database()))
        .with("output_location", results.map(folder))
        .with("managed_results", managed)
        .with("reuse_enabled", reuse.is_some_and(aws_sdk_athena::types::ResultReuseByAgeConfiguration::enabled))
        .with(
            "reuse_max_age_minutes",
            reuse
                .filter(|reuse| reuse.enabled())
                .and_then(aws_sdk_athena::types::ResultReuseByAgeConfiguration::max_age_in_minutes),
        )
}

fn measures(row: Row, query: &QueryExecution) -> Row {
    let Some(statistics) = query.statistics() else { return row };
    let reused = statistics
        .result_reuse_information()
        .map(aws_sdk_athena::types::ResultReuseInformation::reused_previous_result);
    row.with("bytes_scanned", statistics.data_scanned_in_bytes())
        .with("engine_ms", statistics.engine_execution_time_in_millis())
        .with("queue_ms", statistics.query_queue_time_in_millis())
        .with("planning_ms", statistics.query_planning_time_in_millis())
        .with("preprocessing_ms", statistics.service_pre_processing_time_in_millis())
        .with("service_ms", statistics.service_processing_time_in_millis())
        .with("total_ms", statistics.total_execution_time_in_millis())
        .with("reused", reused)
        .with("dpu_count", statistics.dpu_count().and_then(Decimal::from_f64))
}

fn status(row: Row, query: &QueryExecution) -> Row {
    let Some(status) = query.status() else { return row };
    row.with("submitted", status.submission_date_time().and_then(instant::utc))
        .with("completed", status.completion_date_time().and_then(instant::utc))
        .with("state", status.state().map(QueryExecutionState::as_str))
        .with("error_category", status.athena_error().and_then(aws_sdk_athena::types::AthenaError::error_category))
}

fn text(row: Row, key: Option<&TextHash>, query: &QueryExecution) -> Row {
    let kind = query.statement_type().map(StatementType::as_str);
    let context = query.query_execution_context();
    let said = reuse(Statement {
        kind,
        sub_kind: query.substatement_type(),
        engine: engine(query),
        catalog: context.and_then(|context| context.catalog()),
        text: query.query(),
    });
    let hash = key.zip(query.query()).map(|(key, text)| key.hash(text, query.execution_parameters()));
    row.with("text_redacted", query.query().and_then(|text| redact(text, quoted(query))))
        .with("key_id", hash.as_ref().and(key).map(TextHash::id))
        .with("text_hash", hash)
        .with("reuse_eligible", said.eligible())
        .with("reuse_obstacle", said.obstacle())
}

/// Double quotes hold names only where the engine has looked them all up.
fn quoted(query: &QueryExecution) -> Quoted {
    let ran = query.status().and_then(|status| status.state()) == Some(&QueryExecutionState::Succeeded);
    let dml = query.statement_type() == Some(&StatementType::Dml);
    if ran && dml { Quoted::Name } else { Quoted::PerhapsLiteral }
}

fn engine(query: &QueryExecution) -> Option<&str> {
    query.engine_version().and_then(|engine| engine.effective_engine_version())
}

/// Returns the folder of a result: queries of one client share it, object names never repeat.
fn folder(location: &str) -> &str {
    location.rfind('/').map_or(location, |slash| &location[..=slash])
}

#[cfg(test)]
mod tests {
    use aws_sdk_athena::types::{
        EngineVersion, QueryExecutionContext, QueryExecutionStatistics, QueryExecutionStatus, ResultConfiguration,
        ResultReuseInformation,
    };
    use aws_smithy_types::DateTime;

    use super::*;
    use crate::aws::collect::athena::history::tests::scope;
    use crate::store::HashKey;

    fn query(text: &str, state: QueryExecutionState) -> QueryExecution {
        let status =
            QueryExecutionStatus::builder().state(state).submission_date_time(DateTime::from_secs(1_790_000_000));
        let statistics = QueryExecutionStatistics::builder().data_scanned_in_bytes(1 << 40).dpu_count(4.5);
        let reused = ResultReuseInformation::builder().reused_previous_result(false).build();
        let context = QueryExecutionContext::builder().catalog("AwsDataCatalog").database("lake").build();
        QueryExecution::builder()
            .query_execution_id("q-1")
            .work_group("adhoc")
            .query(text)
            .statement_type(StatementType::Dml)
            .substatement_type("SELECT")
            .execution_parameters("jane")
            .engine_version(EngineVersion::builder().effective_engine_version("Athena engine version 3").build())
            .query_execution_context(context)
            .result_configuration(ResultConfiguration::builder().output_location("s3://results/adhoc/q-1.csv").build())
            .statistics(statistics.result_reuse_information(reused).build())
            .status(status.build())
            .build()
    }

    #[test]
    fn a_row_holds_neither_the_text_nor_its_parameters() {
        let key = TextHash::new(&HashKey::fixed([1; 32]));
        let row = row(
            &scope(vec![]),
            Some(&key),
            &query("select * from t where name = 'jane'", QueryExecutionState::Succeeded),
        );
        assert!(row.cells().all(|(_, cell)| !format!("{cell:?}").contains("jane")), "{row:?}");
        assert_eq!(row.key("text_redacted"), "select * from t where name = '?'");
        assert_eq!(row.key("text_hash").len(), 64);
        assert_eq!(row.key("key_id"), key.id());
        assert_eq!(row.key("output_location"), "s3://results/adhoc/");
        assert_eq!((row.flag("reuse_eligible"), row.int("bytes_scanned")), (Some(true), Some(1 << 40)));
        assert_eq!(row.decimal("dpu_count").unwrap().to_string(), "4.5");
    }

    #[test]
    fn a_failed_query_keeps_no_double_quoted_text() {
        let failed = query("select * from t where name = \"jane\"", QueryExecutionState::Failed);
        assert_eq!(row(&scope(vec![]), None, &failed).key("text_redacted"), "select * from t where name = \"?\"");
    }

    #[test]
    fn without_a_key_there_is_no_hash() {
        let row = row(&scope(vec![]), None, &query("select 1", QueryExecutionState::Succeeded));
        assert_eq!((row.text("text_hash"), row.text("key_id")), (None, None));
    }
}
