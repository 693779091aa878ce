//! Athena: what workgroups scan; and where the bill's other charges of a workgroup hang.

use super::charged::Place;
use super::leaf::Leaf;
use crate::analysis::Given;
use crate::analysis::athena::{History, Window, billed_bytes_sql, monthly};
use crate::engine::EngineError;
use crate::model::Row;

/// Leaves of the workgroups: billed bytes of the queries that are paid by the TB, on the days that were read. Failed
/// queries are free, cancelled ones pay for what they scanned; reserved capacity and reused answers are not paid by
/// the byte.
pub(super) async fn leaves(given: Given<'_>) -> Result<Vec<Leaf>, EngineError> {
    let window = Window::before(given.as_of);
    let history = History::of(given.engine, window).await?;
    let sql = format!(
        "select account_id, region, workgroup, date_trunc('day', submitted) as day, sum({}) as bytes from athena_queries \
         where statement_type = 'DML' and state in ('SUCCEEDED', 'CANCELLED') and reused is not true \
         and dpu_count is null and {} group by 1, 2, 3, 4 order by 1, 2, 3, 4",
        billed_bytes_sql("bytes_scanned"),
        window.sql("submitted")
    );
    let rows = given.engine.rows(&sql).await?;
    let same = |a: &Row, b: &Row| ["account_id", "region", "workgroup"].iter().all(|name| a.cell(name) == b.cell(name));
    let leaf = |days: &[Row]| {
        let (known, group) = (history.days(&days[0]), &days[0]);
        let read = days.iter().filter(|row| row.time("day").is_some_and(|day| known.contains(&day.date_naive())));
        let bytes = monthly(read.filter_map(|row| row.int("bytes")).sum(), known.len());
        let workgroup = group.text("workgroup")?;
        Some(Leaf::queried(group.key("account_id"), group.key("region"), workgroup, bytes, window.until))
    };
    Ok(rows.chunk_by(same).filter_map(leaf).collect())
}

/// Bytes that queries scan hang where a measured workgroup does; reserved capacity and the rest beside it.
pub(super) fn place(usage_type: &str) -> Place {
    Place::at(if usage_type == "DataScannedInTB" { "athena" } else { "athena-other" })
}
