//! What is too large for a cell or a part costs that cell, or makes a second part, and never the scan.

use rust_decimal::Decimal;

use super::tables::bill::COSTS;
use super::writer_tests::{cost, day, head, memory};
use super::*;
use crate::model::CoverageState;

#[tokio::test]
async fn a_number_that_fits_no_column_costs_that_cell_and_not_the_scan() {
    let mut writer = memory().write(head("2026-11-20T00:00:00Z"), None);
    let far = Decimal::from_i128_with_scale(5 * 10_i128.pow(16), 0);
    let rows = vec![cost(day("2026-11-18"), "far", 1).with("usage", far), cost(day("2026-11-18"), "near", 2)];
    writer.append(&COSTS, rows).unwrap();
    let snapshot = writer.finish(Receipt::default(), false).await.unwrap();
    let rows = snapshot.rows(&COSTS).await.unwrap();
    assert_eq!((rows.len(), rows[0].decimal("usage"), rows[0].key("usage_type")), (2, None, "far"));
    let gap = &snapshot.coverage().await.unwrap()[0];
    assert_eq!((gap.table.as_str(), gap.state), ("costs", CoverageState::Partial));
    assert!(gap.reason.as_ref().unwrap().raw().contains("1 values of `usage`"), "{gap:?}");
}

#[tokio::test]
async fn more_text_than_a_part_may_hold_becomes_several_parts_that_the_next_scan_reads_as_one() {
    let store = memory();
    let mut writer = store.write(head("2026-11-20T00:00:00Z"), None);
    writer.part_bytes = 2_000;
    for n in 0..40 {
        let usage_type = format!("{n:03}-{}", "x".repeat(200));
        writer.append(&COSTS, vec![cost(day("2026-11-18"), &usage_type, n)]).unwrap();
    }
    let first = writer.finish(Receipt::default(), false).await.unwrap();
    assert!(first.parts("costs").len() > 3, "{}", first.parts("costs").len());
    assert_eq!(first.rows(&COSTS).await.unwrap().len(), 40);
    let mut writer = store.write(head("2026-11-21T00:00:00Z"), Some(&first));
    writer.append(&COSTS, vec![cost(day("2026-11-18"), &format!("007-{}", "x".repeat(200)), 999)]).unwrap();
    let second = writer.finish(Receipt::default(), false).await.unwrap();
    let rows = second.rows(&COSTS).await.unwrap();
    assert_eq!((second.parts("costs").len(), rows.len()), (1, 40));
    assert_eq!(rows[7].money("unblended").unwrap().to_string(), "9.99", "the newer row counts");
}
