//! What a check-up looks like for people: who, the clock, permissions by service, the cost of a scan, what to attach.
//! Decides nothing.

use std::fmt::Write;

use super::blinds::Hidden;
use super::document::missing_policy;
use super::{CheckUp, apart};
use crate::aws::doctor::{Permission, Verdict};
use crate::cmd::scan::show::estimate_table;
use crate::model::text::terminal;
use crate::model::{Money, Untrusted};
use crate::term::{Align, TextTable};

/// Characters on a line of a cell.
const CELL: usize = 64;

/// Returns everything that was found out.
pub fn text(found: &CheckUp) -> String {
    let mut text = head(found);
    let _ = write!(text, "\n{}\n\n", table(&found.permissions, &found.blinds.each));
    if let Some(usd) = found.blinds.usd {
        let _ = writeln!(text, "What is denied hides up to {} a month.", usd.human());
    }
    if let Some(members) = &found.members {
        let _ = writeln!(text, "\n{}", members.text());
    }
    let (requests, usd) = found.used;
    let _ = writeln!(text, "This took {requests} requests, {}.", usd.human());
    let _ = write!(text, "\nA scan would take:\n\n{}\n", estimate_table(&found.scan));
    if let Some(policy) = missing_policy(found) {
        let _ = write!(text, "\nThe smallest IAM policy that allows what is denied:\n\n{policy:#}\n");
    }
    text
}

fn head(found: &CheckUp) -> String {
    let (session, who) = (&found.session, &found.session.identity);
    let clock = session.connector.clock_ahead().map_or_else(|| "not known".to_owned(), apart);
    let dollars = match &found.blinds.snapshot {
        Some(id) => format!("of snapshot {id}"),
        None => "not known before the first scan".to_owned(),
    };
    let lines = [
        ("account", format!("{} (partition {})", who.account_id, terminal(&who.partition))),
        ("identity", terminal(&who.arn)),
        ("Regions", terminal(&found.regions.join(", "))),
        ("clock", clock),
        ("dollars", dollars),
    ];
    lines.into_iter().fold(String::new(), |mut text, (name, value)| {
        let _ = writeln!(text, "{name:<9} {value}");
        text
    })
}

/// What is allowed stands together, what is not in a row each.
fn table(permissions: &[Permission], blinds: &[Option<Hidden>]) -> TextTable {
    let columns = [
        ("service", Align::Left),
        ("", Align::Left),
        ("call", Align::Left),
        ("hides a month", Align::Right),
        ("policies that cannot tell", Align::Left),
    ];
    let mut table = TextTable::new(&columns);
    let all: Vec<(&Permission, &Option<Hidden>)> = permissions.iter().zip(blinds).collect();
    for of_service in all.chunk_by(|(a, _), (b, _)| a.service() == b.service()) {
        for (at, row) in rows(of_service).into_iter().enumerate() {
            let service = if at == 0 { of_service[0].0.service() } else { "" };
            table.row(std::iter::once(service.to_owned()).chain(row));
        }
    }
    table
}

fn rows(of_service: &[(&Permission, &Option<Hidden>)]) -> Vec<[String; 4]> {
    let allowed: Vec<&str> =
        of_service.iter().filter(|(one, _)| one.verdict == Verdict::Allowed).map(|(one, _)| name(one)).collect();
    let together = (!allowed.is_empty())
        .then(|| [mark(&Verdict::Allowed), wrapped(&allowed.join(", ")), String::new(), String::new()]);
    let apart = of_service.iter().filter_map(|(one, hidden)| {
        let why = reason(&one.verdict)?;
        let call = format!("{}\n{}", name(one), wrapped(&why.terminal()));
        let usd = hidden.as_ref().map(|hidden| shown(hidden.usd)).unwrap_or_default();
        let policies = hidden.as_ref().map(|hidden| hidden.policies.join("\n")).unwrap_or_default();
        Some([mark(&one.verdict), call, usd, policies])
    });
    together.into_iter().chain(apart).collect()
}

fn name(permission: &Permission) -> &'static str {
    permission.operation.split(':').nth(1).unwrap_or(permission.operation)
}

fn mark(verdict: &Verdict) -> String {
    let word = match verdict {
        Verdict::Allowed => "✔ allowed",
        Verdict::Denied(_) => "✘ denied",
        Verdict::NotEnabled(_) => "– not enabled",
        Verdict::Failed(_) => "✘ failed",
        Verdict::NotTried(_) => "– not tried",
    };
    word.to_owned()
}

fn reason(verdict: &Verdict) -> Option<&Untrusted> {
    match verdict {
        Verdict::Allowed => None,
        Verdict::Denied(why) | Verdict::NotEnabled(why) | Verdict::Failed(why) | Verdict::NotTried(why) => Some(why),
    }
}

fn shown(usd: Option<Money>) -> String {
    usd.map_or_else(|| "unknown".to_owned(), |usd| format!("up to {}", usd.human()))
}

/// Returns the words in lines that fit a cell.
fn wrapped(text: &str) -> String {
    let mut lines = vec![String::new()];
    for word in text.split_whitespace() {
        let room = lines.last().map_or(0, |line| line.chars().count() + word.chars().count());
        if room >= CELL {
            lines.push(String::new());
        }
        if let Some(line) = lines.last_mut() {
            let blank = if line.is_empty() { "" } else { " " };
            let _ = write!(line, "{blank}{word}");
        }
    }
    lines.join("\n")
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::aws::collect::Read;

    fn permission(operation: &'static str, verdict: Verdict) -> Permission {
        let fills = vec![Read::rows(operation, operation, "buckets")];
        Permission { operation, action: operation, fills, requests: 1, verdict }
    }

    #[test]
    fn what_is_allowed_stands_together_and_what_is_not_with_its_reason_dollars_and_policies() {
        let permissions = [
            permission("s3:ListBuckets", Verdict::Allowed),
            permission("s3:GetBucketTagging", Verdict::Denied("AccessDenied: \u{1b}[31mno".into())),
            permission("s3:GetBucketVersioning", Verdict::Allowed),
            permission("athena:ListWorkGroups", Verdict::NotTried("there was nothing to try it on".into())),
        ];
        let hidden = Hidden { usd: Some(Money::new(12.into())), policies: vec!["s3-abandoned-uploads".to_owned()] };
        let table = table(&permissions, &[None, Some(hidden), None, None]).to_string();
        let lines: Vec<&str> = table.lines().map(str::trim).collect();
        assert!(
            lines.iter().any(|line| line.contains("✔ allowed") && line.contains("ListBuckets, GetBucketVersioning"))
        );
        let denied = lines.iter().find(|line| line.contains("✘ denied")).unwrap();
        assert!(denied.contains("GetBucketTagging") && denied.contains("up to $12.00"), "{denied}");
        assert!(denied.ends_with("s3-abandoned-uploads") && !table.contains('\u{1b}'), "{table}");
        assert!(lines.iter().any(|line| line.starts_with("athena") && line.contains("– not tried")), "{table}");
        assert_eq!(table.matches("s3 ").count(), 1, "a service is named once:\n{table}");
    }

    #[test]
    fn dollars_that_nobody_knows_are_unknown_and_not_nothing() {
        assert_eq!(shown(None), "unknown");
    }
}
