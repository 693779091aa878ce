//! A plan for people, in the grammar that Terraform made familiar: `+` added, `~` changed, `-` removed.
//!
//! Every text of an account goes through its terminal sink here.

use std::fmt::Write;

use chrono::{DateTime, Utc};

use super::Plan;
use super::step::{Change, Step};
use crate::lifecycle::delta;
use crate::model::action::RiskClass;
use crate::model::text::terminal;
use crate::model::{Estimate, Range};

/// Returns the plan as text, safe for a terminal. `now` is the real time.
pub fn show(plan: &Plan, now: DateTime<Utc>) -> String {
    let mut out = head(plan, now);
    for step in &plan.steps {
        let _ = write!(out, "\n{}", show_step(step));
    }
    if !plan.skips.is_empty() {
        out.push_str("\nNot planned:\n");
        for skip in &plan.skips {
            let (policy, reason) = (terminal(&skip.policy), terminal(&skip.reason));
            let _ = writeln!(out, "  {policy} {}: {reason}", skip.resource.terminal());
        }
    }
    let _ = writeln!(out, "\n{}", summary(plan));
    out
}

fn head(plan: &Plan, now: DateTime<Utc>) -> String {
    let mut out = String::new();
    if let Some(banner) = plan.origin.banner() {
        let _ = writeln!(out, "{}", terminal(&banner));
    }
    let account = terminal(&plan.account_id);
    let _ = writeln!(
        out,
        "Plan for account {account}, made {} from snapshot {}.",
        minute(plan.created_at),
        terminal(&plan.snapshot)
    );
    if plan.is_stale(now) {
        let _ = writeln!(out, "Stale since {}: apply will refuse it; make a new one.", minute(plan.stale_from()));
    }
    out
}

pub(super) fn minute(time: DateTime<Utc>) -> String {
    time.format("%Y-%m-%d %H:%M UTC").to_string()
}

/// Returns what a class of change can break, for people.
pub const fn risk(class: RiskClass) -> &'static str {
    match class {
        RiskClass::Housekeeping => "housekeeping: nothing that anybody can read is touched",
        RiskClass::StillReadable => "objects stay readable at once",
        RiskClass::NotReadableAtOnce => "objects must be restored before they can be read",
        RiskClass::DeletesOldVersions => "old versions are deleted",
        RiskClass::DeletesCurrentData => "current data is deleted",
    }
}

fn show_step(step: &Step) -> String {
    let mut out =
        format!("# s3://{} in {} ({})\n", step.bucket.terminal(), terminal(&step.region), risk(step.risk_class));
    for change in &step.changes {
        let _ = writeln!(out, "#   {}", show_change(change));
    }
    if let Some(manager) = &step.managed_by {
        let _ = writeln!(out, "#   managed by {}: change it there, or apply with --override-iac", manager.terminal());
    }
    for line in delta::lines(&step.before, &step.after) {
        let _ = writeln!(out, "  {line}");
    }
    if let Some(setting) = &step.before.small_objects {
        let _ = writeln!(out, "    small objects: {} (sent back as read)", terminal(setting));
    }
    out
}

pub(super) fn show_change(change: &Change) -> String {
    let saving = match &change.saving {
        Estimate::Known(range) => format!("saves {} a month", range.human()),
        Estimate::Unknown(_) => "saves an unknown amount".to_owned(),
    };
    let once = match &change.one_off {
        Estimate::Known(range) if *range == Range::ZERO => String::new(),
        cost => format!(", costs {} once", cost.human()),
    };
    format!("{} {}: {saving}{once}", terminal(&change.finding.0), terminal(&change.title))
}

/// Returns one line: how many buckets, rules and skips.
pub fn summary(plan: &Plan) -> String {
    let count = |of: fn(&Step) -> usize| plan.steps.iter().map(of).sum::<usize>();
    let buckets = plan.steps.len();
    if buckets == 0 {
        return format!("Plan: nothing to change, {} not planned.", plan.skips.len());
    }
    format!(
        "Plan: {buckets} bucket{} to change; rules: {} to add, {} to change, {} to remove; {} not planned.",
        if buckets == 1 { "" } else { "s" },
        count(|step| step.delta.added.len()),
        count(|step| step.delta.changed.len()),
        count(|step| step.delta.removed.len()),
        plan.skips.len()
    )
}
