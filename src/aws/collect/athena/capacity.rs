//! Capacity reservations of one Region: what is paid for by the hour, who may use it, how much of it is used.

use std::collections::BTreeMap;

use aws_sdk_athena::Client;
use aws_sdk_athena::types::{CapacityAllocationStatus, CapacityReservation, CapacityReservationStatus};
use aws_sdk_cloudwatch::types::Metric;
use serde_json::Value;

use crate::aws::collect::ask::ask;
use crate::aws::collect::cloudwatch::data::Question;
use crate::aws::collect::cloudwatch::hours::{self, Hours};
use crate::aws::collect::outcome::{Outcome, listed, regional};
use crate::aws::collect::{Failed, Read, Scope, Sink, instant};
use crate::model::Row;
use crate::store::tables::athena::ATHENA_CAPACITY;

/// Most reservations in one answer (Athena API reference).
const PAGE: i32 = 50;

/// The list.
pub const LIST: Read =
    Read::rows("athena:ListCapacityReservations", "athena:ListCapacityReservations", "athena_capacity");
/// The workgroups of one.
pub const ASSIGNMENTS: Read = Read::columns(
    "athena:GetCapacityAssignmentConfiguration",
    "athena:GetCapacityAssignmentConfiguration",
    "athena_capacity",
    &["workgroups", "workgroup_count"],
);
/// The names of the metrics: Athena writes the reservation's dimension in more than one way.
pub const SERIES: Read = Read::columns("cloudwatch:ListMetrics", "cloudwatch:ListMetrics", "athena_capacity", &[]);
/// Use of one.
pub const METRICS: Read = Read::columns(
    "cloudwatch:GetMetricData",
    "cloudwatch:GetMetricData",
    "athena_capacity",
    &["metric_hours", "consumed_hours", "dpus_allocated", "dpus_consumed", "dpus_consumed_most"],
);

const NAMESPACE: &str = "AWS/Athena";
const ALLOCATED: &str = "DPUAllocated";
const CONSUMED: &str = "DPUConsumed";
/// Metrics and the statistics of an hour.
const ASKED: [(&str, &str); 3] = [(ALLOCATED, "Average"), (CONSUMED, "Average"), (CONSUMED, "Maximum")];

/// Reads the reservations of the scope's Region.
pub async fn read(scope: &Scope, sink: &Sink, client: &Client) {
    let (all, failed) = list(scope, client).await;
    sink.cover(listed(scope, &LIST, all.len(), failed.as_ref())).await;
    if all.is_empty() {
        return;
    }
    let mut used = usage(scope, sink, &all).await;
    let mut assignments = Vec::new();
    let mut metrics = Vec::new();
    for reservation in &all {
        let name = reservation.name();
        let assigned = assigned(scope, client, name).await;
        assignments.push(Outcome::of(name, Some(&scope.region), &assigned));
        let mut row = row(scope, reservation);
        if let Ok(names) = &assigned {
            row = row.with("workgroup_count", names.len()).with("workgroups", Value::from(names.clone()).to_string());
        }
        if let Some(answer) = used.remove(name) {
            metrics.push(Outcome::of(name, Some(&scope.region), &answer));
            row = with_usage(row, answer.ok());
        }
        sink.rows(&ATHENA_CAPACITY, vec![row]).await;
    }
    for (read, outcomes) in [(&ASSIGNMENTS, &assignments), (&METRICS, &metrics)] {
        for row in regional(scope, read, outcomes) {
            sink.cover(row).await;
        }
    }
}

async fn list(scope: &Scope, client: &Client) -> (Vec<CapacityReservation>, Option<Failed>) {
    let (mut found, mut token) = (Vec::new(), None);
    loop {
        let call = client.list_capacity_reservations().max_results(PAGE).set_next_token(token.take());
        let page = match ask(scope, call.send()).await {
            Ok(page) => page,
            Err(failed) => return (found, Some(failed)),
        };
        found.extend(page.capacity_reservations);
        match page.next_token {
            Some(next) if !next.is_empty() => token = Some(next),
            _ => return (found, None),
        }
    }
}

/// Returns the workgroups that may use the reservation `name`, sorted.
async fn assigned(scope: &Scope, client: &Client, name: &str) -> Result<Vec<String>, Failed> {
    let call = client.get_capacity_assignment_configuration().capacity_reservation_name(name);
    let answer = ask(scope, call.send()).await?.capacity_assignment_configuration;
    let answer = answer.ok_or_else(|| Failed::left_out("the reservation's workgroups"))?;
    let assignments = answer.capacity_assignments.unwrap_or_default();
    let mut names: Vec<String> = assignments.into_iter().flat_map(|a| a.work_group_names.unwrap_or_default()).collect();
    names.sort();
    names.dedup();
    Ok(names)
}

fn row(scope: &Scope, reservation: &CapacityReservation) -> Row {
    let last = reservation.last_allocation();
    Row::new()
        .with("account_id", scope.account_id.as_str())
        .with("region", scope.region.as_str())
        .with("reservation", reservation.name())
        .with("status", CapacityReservationStatus::as_str(reservation.status()))
        .with("target_dpus", reservation.target_dpus())
        .with("allocated_dpus", reservation.allocated_dpus())
        .with("created", instant::utc(reservation.creation_time()))
        .with("last_allocated", reservation.last_successful_allocation_time().and_then(instant::utc))
        .with("last_allocation_status", last.map(|last| CapacityAllocationStatus::as_str(last.status())))
}

/// What is known of the use of one reservation.
type Usage = [Hours; ASKED.len()];

/// Returns the use of each reservation that CloudWatch has series of; what cannot be listed is a gap.
async fn usage(
    scope: &Scope,
    sink: &Sink,
    reservations: &[CapacityReservation],
) -> BTreeMap<String, Result<Usage, Failed>> {
    let series = match series(scope).await {
        Ok(series) => series,
        Err(failed) => {
            sink.cover(listed(scope, &SERIES, 0, Some(&failed))).await;
            let name = |reservation: &CapacityReservation| reservation.name().to_owned();
            return reservations.iter().map(|reservation| (name(reservation), Err(failed.clone()))).collect();
        }
    };
    sink.cover(listed(scope, &SERIES, series.len(), None)).await;
    let named = reservations.iter().map(CapacityReservation::name);
    let (known, asked): (Vec<&str>, Vec<_>) = named.filter_map(|name| Some((name, questions(name, &series)?))).unzip();
    let answers = hours::read_each(scope, &asked).await;
    known.into_iter().map(str::to_owned).zip(answers).collect()
}

/// Returns the series of both metrics that have a point in the last two weeks.
async fn series(scope: &Scope) -> Result<Vec<Metric>, Failed> {
    let client = scope.cloudwatch();
    let mut found = Vec::new();
    for metric in [ALLOCATED, CONSUMED] {
        let mut token = None;
        loop {
            let call = client.list_metrics().namespace(NAMESPACE).metric_name(metric).set_next_token(token.take());
            let page = ask(scope, call.send()).await?;
            found.extend(page.metrics.unwrap_or_default());
            match page.next_token {
                Some(next) if !next.is_empty() => token = Some(next),
                _ => break,
            }
        }
    }
    Ok(found)
}

/// Returns what to ask of the reservation `name`; `None` where neither metric has a series of the whole of it.
fn questions(name: &str, series: &[Metric]) -> Option<[Question; 3]> {
    let own = |metric: &str| series.iter().find(|known| known.metric_name() == Some(metric) && is_of(known, name));
    let spelled = own(ALLOCATED).or_else(|| own(CONSUMED))?.dimensions().first()?.name()?.to_owned();
    let question = |(metric, stat)| hours::question(NAMESPACE, metric, stat, &[(spelled.as_str(), name)]);
    Some(ASKED.map(question))
}

/// Returns true for a series whose only dimension is the reservation.
fn is_of(metric: &Metric, name: &str) -> bool {
    match metric.dimensions() {
        [only] => {
            let spelled = only.name().unwrap_or_default().replace(' ', "");
            spelled == "CapacityReservation" && only.value() == Some(name)
        }
        _ => false,
    }
}

fn with_usage(row: Row, usage: Option<Usage>) -> Row {
    let Some([allocated, consumed, most]) = usage else { return row };
    row.with("metric_hours", allocated.count())
        .with("consumed_hours", consumed.count())
        .with("dpus_allocated", allocated.average())
        .with("dpus_consumed", consumed.average())
        .with("dpus_consumed_most", most.largest())
}

#[cfg(test)]
mod tests {
    use aws_sdk_cloudwatch::types::Dimension;

    use super::*;

    fn metric(name: &str, dimensions: &[(&str, &str)]) -> Metric {
        let dimension = |(name, value): &(&str, &str)| Dimension::builder().name(*name).value(*value).build();
        Metric::builder().metric_name(name).set_dimensions(Some(dimensions.iter().map(dimension).collect())).build()
    }

    #[test]
    fn the_reservation_is_asked_for_under_the_name_that_cloudwatch_lists() {
        for spelled in ["Capacity Reservation", "CapacityReservation"] {
            let of_group = metric(CONSUMED, &[(spelled, "etl"), ("WorkGroup", "bi")]);
            let series = [of_group.clone(), metric(ALLOCATED, &[(spelled, "etl")])];
            let asked = questions("etl", &series).unwrap();
            let dimension = vec![(spelled.to_owned(), "etl".to_owned())];
            assert!(asked.iter().all(|question| question.dimensions == dimension), "{asked:?}");
            assert_eq!(questions("other", &series), None);
            assert_eq!(questions("etl", &[of_group]), None, "the series of one workgroup is not the reservation's");
        }
    }
}
