//! Glue: what jobs used, by class; and where the bill's charges of jobs, crawlers and sessions hang.

use super::charged::Place;
use super::leaf::{Leaf, Used};
use crate::analysis::Given;
use crate::analysis::athena::Window;
use crate::engine::EngineError;
use crate::model::service::GLUE;
use rust_decimal::Decimal;

const SECONDS_PER_HOUR: i64 = 3600;

/// Leaves of the jobs, for a bill that names none: DPU-hours of the last full 30 days. Runs whose size is not known,
/// or whose workers have another price, are left with the line.
pub(super) async fn leaves(given: Given<'_>) -> Result<Vec<Leaf>, EngineError> {
    let window = Window::before(given.as_of);
    let sql = format!(
        "select account_id, region, job, coalesce(execution_class, 'STANDARD') = 'FLEX' as flex, \
         coalesce(try_cast(split_part(glue_version, '.', 1) as int) >= 6, false) as gen2, sum(dpu_seconds) as seconds \
         from glue_job_runs where dpu_unit = 'DPU' and dpu_seconds > 0 and {} group by 1, 2, 3, 4, 5 order by 1, 2, 3, 4, 5",
        window.sql("started")
    );
    let rows = given.engine.rows(&sql).await?;
    let leaf = |row: &crate::model::Row| {
        let (usage_type, item) = sold_as(row.flag("flex")?, row.flag("gen2")?);
        let (account_id, region, job) = (row.key("account_id"), row.key("region"), row.key("job"));
        let hours = (row.decimal("seconds")? / Decimal::from(SECONDS_PER_HOUR)).round_dp(12);
        Some(Leaf::used(Used {
            account_id,
            region,
            root: "glue",
            name: job,
            resource: format!("glue:{region}:{account_id}:job/{job}"),
            class: place(usage_type).class,
            item,
            service: GLUE,
            usage_type,
            unit: "DPU-hour",
            quantity: hours,
            day: window.until,
        }))
    };
    Ok(rows.iter().filter_map(leaf).collect())
}

/// Usage type and item of the price book (Glue pricing page; Glue 6.0 and later are sold as a second generation).
fn sold_as(flex: bool, second: bool) -> (&'static str, &'static str) {
    match (flex, second) {
        (false, false) => ("ETL-DPU-Hour", "glue.etl.standard"),
        (false, true) => ("ETL-DPU-Hour-Gen2", "glue.etl.standard_gen2"),
        (true, false) => ("ETL-Flex-DPU-Hour", "glue.etl.flex"),
        (true, true) => ("ETL-Flex-DPU-Hour-Gen2", "glue.etl.flex_gen2"),
    }
}

pub(super) fn place(usage_type: &str) -> Place {
    let class = match usage_type {
        _ if usage_type.starts_with("ETL-Flex-") => "FLEX",
        _ if usage_type.starts_with("ETL-DPU-") => "STANDARD",
        _ => "",
    };
    Place { class, ..Place::at("glue") }
}
