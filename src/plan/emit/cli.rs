//! A shell script of AWS CLI calls: one call for each bucket, its input in single quotes.

use std::fmt::Write;

use super::{Said, ascii_json, reasons};
use crate::lifecycle::cli_json;

/// Returns the script.
pub(super) fn script(said: &[Said<'_>], notes: &[String]) -> String {
    let mut out = "#!/bin/sh\n".to_owned();
    for note in notes {
        let _ = writeln!(out, "# {note}");
    }
    out.push_str("set -eu\n");
    for Said { step, .. } in said {
        let input = cli_json::put_input(step.bucket.raw(), &step.account_id, &step.after).unwrap_or_default();
        out.push('\n');
        for reason in reasons(step) {
            let _ = writeln!(out, "# {reason}");
        }
        let _ = writeln!(
            out,
            "aws s3api put-bucket-lifecycle-configuration --region '{}' --cli-input-json {}",
            step.region,
            quoted(&ascii_json(&input))
        );
    }
    out
}

/// A shell word in which nothing is special.
fn quoted(word: &str) -> String {
    format!("'{}'", word.replace('\'', "'\\''"))
}
