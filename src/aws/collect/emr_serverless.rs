//! EMR Serverless in one Region: applications and the job runs of each.
//!
//! What a job was given to run, its arguments and its configuration are never looked at.

mod apps;
mod held;
mod runs;
mod usage;

use aws_sdk_emrserverless::Client;
use aws_sdk_emrserverless::types::ApplicationSummary;
use futures::StreamExt;

use self::held::Held;
use super::outcome::{Outcome, behind, listed, regional};
use super::{Read, Scope, Sink};
use crate::store::tables::emr::EMR_SERVERLESS_APPS;

/// The calls of this collector.
pub const READS: &[Read] = &[apps::LIST, apps::SETTINGS, runs::LIST, usage::FIGURES];

/// Applications that are asked about at the same time.
const AT_ONCE: usize = 4;

/// Reads the applications of the scope's Region and their runs.
pub async fn collect(scope: &Scope, sink: &Sink) {
    let client = scope.emr_serverless();
    let (all, failed) = apps::list(scope, &client).await;
    let row = listed(scope, &apps::LIST, all.len(), failed.as_ref());
    if row.is_gap() {
        sink.cover(behind(&row, &runs::LIST)).await;
    }
    sink.cover(row).await;
    if all.is_empty() && failed.is_some() {
        return;
    }
    let asked: Vec<_> = all.iter().map(|summary| settings(scope, sink, &client, summary)).collect();
    let outcomes: Vec<Outcome> = futures::stream::iter(asked).buffered(AT_ONCE).collect().await;
    for row in regional(scope, &apps::SETTINGS, &outcomes) {
        sink.cover(row).await;
    }
    let ids: Vec<&str> = all.iter().map(ApplicationSummary::id).collect();
    let listed = runs::list(scope, sink, &client, &ids).await;
    usage::read(scope, sink, &client, listed, &Held::of(scope, sink).await).await;
}

/// Hands over the row of an application, with its settings where they can be seen.
async fn settings(scope: &Scope, sink: &Sink, client: &Client, summary: &ApplicationSummary) -> Outcome {
    let answer = apps::settings(scope, client, summary.id()).await;
    let row = apps::row(scope, summary);
    let row = match &answer {
        Ok(application) => apps::with_settings(row, application),
        Err(_) => row,
    };
    sink.rows(&EMR_SERVERLESS_APPS, vec![row]).await;
    Outcome::of(summary.id(), Some(&scope.region), &answer)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::aws::stand_in::{self, answer, refusal};

    const APPLICATION: &str = r#"{"applications":[{"id":"00a1","arn":"arn:a","releaseLabel":"emr-7.1.0","type":"Spark","state":"STARTED","createdAt":1795000000,"updatedAt":1795000001}]}"#;
    const DESCRIBED: &str = r#"{"application":{"applicationId":"00a1","arn":"arn:a","releaseLabel":"emr-7.1.0","type":"Spark","state":"STARTED","createdAt":1795000000,"updatedAt":1795000001}}"#;
    const RUNS: &str = r#"{"jobRuns":[{"applicationId":"00a1","id":"r-1","arn":"arn:r","createdBy":"u","createdAt":1795000000,"updatedAt":1795000900,"executionRole":"x","state":"SUCCESS","stateDetails":"","releaseLabel":"emr-7.1.0"}]}"#;

    #[tokio::test]
    async fn without_the_list_applications_and_runs_are_gaps() {
        let scope = stand_in::answered(READS, |_| refusal("AccessDeniedException", "no"));
        let handed = stand_in::handed(async |sink| collect(&scope, sink).await).await;
        let action = "missing emr-serverless:ListApplications";
        let wanted = [
            format!("emr_serverless_runs emr-serverless:ListJobRuns {action}"),
            format!("emr_serverless_apps emr-serverless:ListApplications {action}"),
        ];
        assert_eq!(handed.gaps(), wanted);
    }

    #[tokio::test]
    async fn runs_that_may_not_be_looked_up_keep_their_rows_without_figures() {
        let scope = stand_in::answered(READS, |operation| match operation {
            "emr-serverless:ListApplications" => answer(200, APPLICATION),
            "emr-serverless:ListJobRuns" => answer(200, RUNS),
            _ => refusal("AccessDeniedException", "no"),
        });
        let handed = stand_in::handed(async |sink| collect(&scope, sink).await).await;
        let run = &handed.rows["emr_serverless_runs"][0];
        assert_eq!((run.key("state"), run.decimal("billed_vcpu_hours"), run.text("tags")), ("SUCCESS", None, None));
        assert_eq!(handed.rows["emr_serverless_apps"][0].flag("auto_stop"), None);
        for gap in [
            "emr_serverless_apps emr-serverless:GetApplication missing emr-serverless:GetApplication",
            "emr_serverless_runs emr-serverless:GetJobRun missing emr-serverless:GetJobRun",
        ] {
            assert!(handed.gaps().contains(&gap.to_owned()), "{gap}: {:?}", handed.gaps());
        }
    }

    #[tokio::test]
    async fn an_application_that_is_gone_when_its_runs_are_listed_has_none() {
        let scope = stand_in::answered(READS, |operation| match operation {
            "emr-serverless:ListApplications" => answer(200, APPLICATION),
            "emr-serverless:GetApplication" => answer(200, DESCRIBED),
            _ => refusal("ResourceNotFoundException", "Application 00a1 does not exist"),
        });
        let handed = stand_in::handed(async |sink| collect(&scope, sink).await).await;
        assert_eq!(handed.gaps(), Vec::<String>::new());
    }

    #[tokio::test]
    async fn what_was_listed_and_is_gone_or_left_out_when_it_is_asked_for_is_not_seen() {
        for (gone, said) in [(false, "left the job run out"), (true, "gone when it was asked for")] {
            let scope = stand_in::answered(READS, move |operation| match operation {
                "emr-serverless:ListApplications" => answer(200, APPLICATION),
                "emr-serverless:ListJobRuns" => answer(200, RUNS),
                "emr-serverless:GetJobRun" if gone => refusal(usage::GONE, "no such run"),
                _ => answer(200, "{}"),
            });
            let handed = stand_in::handed(async |sink| collect(&scope, sink).await).await;
            assert_eq!(handed.rows["emr_serverless_runs"].len(), 1, "the row stays as it was last seen");
            let wanted = [
                "emr_serverless_apps emr-serverless:GetApplication missing -",
                "emr_serverless_runs emr-serverless:GetJobRun missing -",
            ];
            for gap in wanted {
                assert!(handed.gaps().contains(&gap.to_owned()), "{gap}: {:?}", handed.gaps());
            }
            let why = handed.coverage.iter().filter(|row| row.read == usage::FIGURES.operation);
            let mut why = why.filter_map(|row| row.reason.as_ref());
            assert!(why.all(|why| why.raw().contains(said)), "{:?}", handed.coverage);
        }
    }
}
