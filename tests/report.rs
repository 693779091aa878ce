//! The weekly report: the demo's golden file, and what it says where there is less to say.

use crate::assessed;
use crate::generated::is_fresh;
use leanlake::model::{Coverage, CoverageState, Origin, Verdict};
use leanlake::report::{self, WEEKLY_TEMPLATE, Weekly};

#[tokio::test]
async fn the_report_of_the_demo_lake_is_the_committed_one_to_the_byte() {
    let assessment = assessed::demo().await;
    let text = report::render(&Weekly::of(assessment), "weekly", WEEKLY_TEMPLATE).unwrap();
    is_fresh("reports/weekly.demo.md", &text);
}

#[tokio::test]
async fn the_report_counts_recommendations_and_only_lists_what_is_possible() {
    let assessment = assessed::demo().await;
    let counted: leanlake::model::Money = assessment
        .findings
        .iter()
        .filter_map(|finding| match &finding.verdict {
            Verdict::Recommended { counted, .. } => Some(counted.low),
            _ => None,
        })
        .sum();
    assert_eq!(counted, assessment.totals.headline_low);
    let text = report::render(&Weekly::of(assessment), "weekly", WEEKLY_TEMPLATE).unwrap();
    assert!(text.contains(&format!("At least **{} a month**", counted.human())), "{text}");
    assert!(text.contains("### Possible, not counted"));
}

#[tokio::test]
async fn every_table_of_the_report_has_as_many_cells_as_its_head_whatever_the_names_are() {
    let assessment = assessed::demo().await;
    let text = report::render(&Weekly::of(assessment), "weekly", WEEKLY_TEMPLATE).unwrap();
    let bars = |line: &str| line.replace("\\|", "").matches('|').count();
    let mut head = None;
    for line in text.lines() {
        match (line.starts_with('|'), head) {
            (true, None) => head = Some(bars(line)),
            (true, Some(bars_of_head)) => assert_eq!(bars(line), bars_of_head, "{line}"),
            (false, _) => head = None,
        }
    }
    for nasty in ["<script", "\u{1b}", "\u{202e}", "@team"] {
        assert!(!text.contains(nasty), "{nasty:?}");
    }
}

#[tokio::test]
async fn without_a_bill_the_report_says_so_and_goes_on() {
    let mut assessment = assessed::demo().await.clone();
    (assessment.spend, assessment.bill, assessment.blind.usd) = (None, None, None);
    assessment.gaps.push(Coverage::new("costs", "ce:GetCostAndUsage", CoverageState::Missing));
    let text = report::render(&Weekly::of(&assessment), "weekly", WEEKLY_TEMPLATE).unwrap();
    assert!(text.contains("No bill was seen, so what was spent is unknown."), "{text}");
    assert!(text.contains("How much spend these gaps leave blind is unknown"));
    assert!(text.contains("## Recommendations"));
}

#[tokio::test]
async fn an_account_without_cost_is_not_called_one_whose_bill_was_not_seen() {
    let mut assessment = assessed::demo().await.clone();
    assessment.spend = None;
    assessment.gaps.retain(|gap| gap.table != "costs" && gap.table != "charges");
    assert_eq!(Weekly::of(&assessment).summary.spent, "The bill shows no cost.");
}

#[tokio::test]
async fn the_first_step_is_a_plan_only_where_a_plan_would_hold_the_change() {
    let weekly = Weekly::of(assessed::demo().await);
    let planned = weekly.recommendations.iter().filter(|kept| kept.first_step.contains("plan --finding"));
    assert!(planned.clone().count() > 0 && planned.clone().count() < weekly.recommendations.len());
    assert!(planned.into_iter().all(|kept| kept.finding.policy == "s3-abandoned-uploads"));
}

#[tokio::test]
async fn numbers_of_a_custom_endpoint_never_look_real() {
    let mut assessment = assessed::demo().await.clone();
    assessment.origin = Origin::Endpoint { hosts: [("s3".to_owned(), "127.0.0.1:4566".to_owned())].into() };
    let text = report::render(&Weekly::of(&assessment), "weekly", WEEKLY_TEMPLATE).unwrap();
    assert!(text.lines().nth(2).unwrap().contains("Not AWS: read from the custom endpoint 127.0.0.1:4566"), "{text}");
}

#[tokio::test]
async fn a_wrong_template_is_an_error_with_its_line() {
    let assessment = assessed::demo().await;
    let wrong = report::render(&Weekly::of(assessment), "mine.md", "# {{ title }}\n{{ sumary.spent }}").unwrap_err();
    assert!(wrong.to_string().contains("mine.md") && wrong.to_string().contains("line 1"), "{wrong}");
}

#[test]
fn the_schema_of_the_report_is_the_published_one() {
    let schema = serde_json::to_string_pretty(&schemars::schema_for!(Weekly<'_>)).unwrap() + "\n";
    is_fresh("docs/schema/report.json", &schema);
}
