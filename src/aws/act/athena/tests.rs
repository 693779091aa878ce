//! What Athena is asked, in which order, and what comes of it when it says no. The real client; canned answers.

use std::sync::Arc;

use arrow::array::{ArrayRef, Float64Array, RecordBatch, StringArray, TimestampMillisecondArray};
use futures::TryStreamExt;
use object_store::ObjectStoreExt;
use object_store::memory::InMemory;

use super::*;
use crate::aws::act::ROLL_UPS;
use crate::aws::connector::{Allowlist, Fault};
use crate::aws::stand_in::{answer, refusal, sdk, setup};
use crate::engine::files::{ForeignFile, Format};
use crate::model::Row;
use crate::rollup::bill;
use crate::store::batch;

/// Two lines of a bill in a Parquet file of an export.
async fn files() -> Files {
    let texts = |text: &str| Arc::new(StringArray::from(vec![text; 2])) as ArrayRef;
    let columns: Vec<(&str, ArrayRef)> = vec![
        ("line_item_usage_start_date", Arc::new(TimestampMillisecondArray::from(vec![1_791_162_000_000; 2]))),
        ("line_item_line_item_type", texts("Usage")),
        ("line_item_unblended_cost", Arc::new(Float64Array::from(vec![0.1, 0.2]))),
    ];
    let batch = RecordBatch::try_from_iter(columns).unwrap();
    let mut writer = parquet::arrow::ArrowWriter::try_new(Vec::new(), batch.schema(), None).unwrap();
    writer.write(&batch).unwrap();
    let objects = Arc::new(InMemory::new());
    objects.put(&"1.parquet".into(), writer.into_inner().unwrap().into()).await.unwrap();
    let shown = "s3://bills/cur/data/1.parquet".to_owned();
    let file = ForeignFile { path: "1.parquet".into(), shown, format: Format::Parquet };
    Files::open(objects, vec![file], bill::CUR.from).await.unwrap()
}

fn terms() -> Terms {
    Terms {
        database: "scratch".to_owned(),
        workgroup: "finops".to_owned(),
        max_scan: 100_000_000,
        max_cost: None,
        usd_per_tb: Some(Money::new(5.into())),
        stamp: "x".to_owned(),
    }
}

/// What was sent: the operation, and the statement or the token.
type Log = Arc<Mutex<Vec<String>>>;

/// Athena whose answers are `say`'s, by operation and how many of it came before.
fn athena(terms: Terms, say: impl Fn(&str, usize) -> Fault + Send + Sync + 'static) -> (Athena, Log) {
    let log = Log::default();
    let mut setup = setup(Allowlist::default().and(Role::RollUps, ROLL_UPS.iter().map(|write| write.operation)));
    let sent = Arc::clone(&log);
    setup.faults = Some(Arc::new(move |call, request| {
        let body: serde_json::Value = serde_json::from_slice(request.body().bytes().unwrap_or_default()).unwrap();
        let operation = call.operation.trim_start_matches("athena:").to_owned();
        let mut sent = sent.lock().unwrap();
        let before = sent.iter().filter(|line| line.starts_with(&operation)).count();
        let said = ["QueryString", "NextToken", "QueryExecutionId"].iter().find_map(|name| body[name].as_str());
        sent.push(format!("{operation} {}", said.unwrap_or_default()));
        Some(say(&operation, before))
    }));
    let connector = Connector::new(setup);
    (Athena::new(&sdk(&connector), &connector, "111122223333", terms), log)
}

fn started(before: usize) -> Fault {
    answer(200, &format!("{{\"QueryExecutionId\":\"q{before}\"}}"))
}

fn state(state: &str, reason: &str, bytes: u64) -> Fault {
    let status = format!("{{\"State\":\"{state}\",\"StateChangeReason\":\"{reason}\"}}");
    let body =
        format!("{{\"QueryExecution\":{{\"Status\":{status},\"Statistics\":{{\"DataScannedInBytes\":{bytes}}}}}}}");
    answer(200, &body)
}

/// A page of two columns; `next` is the token of the one after it.
fn page(rows: &[[&str; 2]], next: Option<&str>) -> Fault {
    let datum =
        |text: &&str| if *text == "NULL" { "{}".to_owned() } else { format!("{{\"VarCharValue\":\"{text}\"}}") };
    let row = |row: &[&str; 2]| format!("{{\"Data\":[{}]}}", row.iter().map(datum).collect::<Vec<_>>().join(","));
    let rows: Vec<String> = rows.iter().map(row).collect();
    let info = |name, kind| format!("{{\"Name\":\"{name}\",\"Type\":\"{kind}\"}}");
    let columns = [info("day", "date"), info("unblended", "decimal")].join(",");
    let token = next.map_or_else(String::new, |token| format!(",\"NextToken\":\"{token}\""));
    let set = format!("{{\"Rows\":[{}],\"ResultSetMetadata\":{{\"ColumnInfo\":[{columns}]}}}}", rows.join(","));
    answer(200, &format!("{{\"ResultSet\":{set}{token}}}"))
}

async fn rows(athena: &Athena) -> Result<Vec<Row>, RollUpError> {
    let batches: Vec<RecordBatch> = athena.run(&bill::CUR, &files().await).await?.try_collect().await?;
    Ok(batches.iter().flat_map(|rows| batch::from_batch(rows).unwrap()).collect())
}

fn first_words(log: &Log) -> Vec<String> {
    let words = |line: &String| line.split(' ').take(2).collect::<Vec<_>>().join(" ");
    log.lock().unwrap().iter().map(words).collect()
}

#[tokio::test]
async fn a_table_is_made_asked_and_dropped_and_every_page_of_the_answer_is_read() {
    let (athena, log) = athena(terms(), |operation, before| match (operation, before) {
        ("StartQueryExecution", _) => started(before),
        ("GetQueryExecution", 1) => state("QUEUED", "", 0),
        ("GetQueryExecution", 2) => state("RUNNING", "", 0),
        ("GetQueryExecution", 3) => state("SUCCEEDED", "", 40_000_000),
        ("GetQueryExecution", _) => state("SUCCEEDED", "", 0),
        ("GetQueryResults", 0) => page(&[["day", "unblended"], ["2026-10-05", "0.300000000000"]], Some("more")),
        _ => page(&[["2026-10-06", "NULL"]], None),
    });
    let rows = rows(&athena).await.unwrap();
    let costs: Vec<_> =
        rows.iter().map(|row| (row.date("day").unwrap().to_string(), row.decimal("unblended"))).collect();
    assert_eq!(costs, [("2026-10-05".to_owned(), Some("0.3".parse().unwrap())), ("2026-10-06".to_owned(), None)]);
    let sent = first_words(&log);
    let starts: Vec<&String> = sent.iter().filter(|line| line.starts_with("Start")).collect();
    assert_eq!(starts, ["StartQueryExecution CREATE", "StartQueryExecution WITH", "StartQueryExecution DROP"]);
    assert_eq!(sent.last().map(String::as_str), Some("GetQueryResults more"));
    let receipt = athena.receipt();
    assert_eq!((receipt.queries, receipt.scanned_bytes, receipt.left.len()), (1, 39 << 20, 0));
    assert_eq!(receipt.usd, athena.usd_of(39 << 20));
}

#[tokio::test]
async fn a_query_that_fails_or_is_cancelled_is_said_with_its_reason_and_its_table_is_dropped() {
    for (ended, reason, word) in [
        ("FAILED", "HIVE_BAD_DATA: no", "its query failed on Athena: HIVE_BAD_DATA: no"),
        ("CANCELLED", "Bytes scanned limit was exceeded", "its query was cancelled on Athena: Bytes scanned limit"),
    ] {
        let (athena, log) = athena(terms(), move |operation, before| match (operation, before) {
            ("StartQueryExecution", _) => started(before),
            ("GetQueryExecution", 1) => state(ended, reason, 20_000_000),
            _ => state("SUCCEEDED", "", 0),
        });
        let said = rows(&athena).await.unwrap_err().to_string();
        assert!(said.starts_with(word) && said.ends_with("`--engine datafusion` reads it here"), "{said}");
        assert!(first_words(&log).contains(&"StartQueryExecution DROP".to_owned()));
        assert_eq!(athena.receipt().scanned_bytes, 20 << 20, "what failed was scanned and is charged for");
    }
}

#[tokio::test]
async fn what_would_scan_or_cost_more_than_it_may_is_never_asked() {
    let tight = Terms { max_scan: 1_000, ..terms() };
    let dear = Terms { max_cost: Some(Money::ZERO), ..terms() };
    let unpriced = Terms { max_cost: Some(Money::new(5.into())), usd_per_tb: None, ..terms() };
    for (terms, word) in [(tight, "`--max-scan` allows 1,000;"), (dear, "it may cost $0.00"), (unpriced, "not known")] {
        let (athena, log) = athena(terms, |operation, _| panic!("{operation} was sent"));
        let said = rows(&athena).await.unwrap_err().to_string();
        assert!(said.contains(word), "{said}");
        assert!(log.lock().unwrap().is_empty());
    }
}

#[tokio::test]
async fn throttling_is_waited_out_and_a_refusal_is_said() {
    let (patient, _) = athena(terms(), |operation, before| match (operation, before) {
        ("StartQueryExecution", 0 | 1) => refusal("TooManyRequestsException", "slow down"),
        ("StartQueryExecution", _) => started(before),
        ("GetQueryExecution", _) => state("SUCCEEDED", "", 0),
        _ => page(&[["day", "unblended"]], None),
    });
    assert_eq!(rows(&patient).await.unwrap(), []);
    for code in ["TooManyRequestsException", "AccessDeniedException"] {
        let (refused, _) = athena(terms(), move |_, _| refusal(code, "not you"));
        let said = rows(&refused).await.unwrap_err().to_string();
        assert!(said.contains("making its table was refused by Athena") && said.contains("not you"), "{said}");
        assert_eq!(refused.receipt().left.len(), 1, "nobody knows whether it was made");
    }
}

#[tokio::test]
async fn an_interruption_stops_the_query_and_drops_the_table() {
    let (athena, log) = athena(terms(), |operation, before| match (operation, before) {
        ("StartQueryExecution", _) => started(before),
        ("GetQueryExecution", 0) => state("SUCCEEDED", "", 0),
        ("GetQueryExecution", before) if before < 4 => state("RUNNING", "", 0),
        ("GetQueryExecution", _) => state("SUCCEEDED", "", 0),
        _ => answer(200, "{}"),
    });
    let files = files().await;
    let asked = athena.run(&bill::CUR, &files);
    assert!(tokio::time::timeout(Duration::from_millis(150), asked).await.is_err(), "it runs until it is interrupted");
    athena.settle().await;
    let sent = first_words(&log);
    assert!(sent.contains(&"StopQueryExecution q1".to_owned()), "{sent:?}");
    assert!(sent.contains(&"StartQueryExecution DROP".to_owned()), "{sent:?}");
    assert_eq!(athena.receipt().left.len(), 0);
}

#[tokio::test]
async fn rows_that_do_not_fit_the_table_are_an_error() {
    let (athena, _) = athena(terms(), |operation, before| match operation {
        "StartQueryExecution" => started(before),
        "GetQueryExecution" => state("SUCCEEDED", "", 0),
        _ => page(&[["day", "unblended"], ["soon", "1"]], None),
    });
    let said = rows(&athena).await.unwrap_err().to_string();
    assert!(said.contains("`soon` is nothing for column `day`"), "{said}");
}
