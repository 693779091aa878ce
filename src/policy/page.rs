//! The page of a policy for the docs, their index, and the skeleton of a new policy. Pure text.

use std::fmt::Write;

use super::format::{Amount, Ends};
use super::{Library, Policy};

/// Returns the Markdown page of a policy, from its file alone.
pub fn page(policy: &Policy) -> String {
    let file = &policy.file;
    let mut out = format!(
        "# {}\n\n`{}` · {} · effort {} · risk {} · {} · {}\n",
        file.title,
        file.id,
        file.stage.as_str(),
        file.effort.as_str(),
        file.risk.as_str(),
        if file.reversible { "reversible" } else { "not reversible" },
        file.confidence.as_str(),
    );
    let basis: Vec<&str> = file.basis.iter().map(|basis| basis.as_str()).collect();
    section(&mut out, "What", &file.what);
    section(&mut out, "Why", &file.why);
    section(&mut out, "Safety", &file.safety);
    section(
        &mut out,
        "How it is found",
        &format!("From {}.\n\n```sql\n{}\n```", basis.join(", "), file.query.trim_end()),
    );
    section(&mut out, "Dollars", &dollars(policy));
    params(&mut out, policy);
    if let Some(unlock) = &file.unlock {
        let text = format!("`{}` narrows {}. It costs {}.", unlock.switch_on, unlock.narrows, unlock.costs);
        section(&mut out, "To know more", &text);
    }
    section(&mut out, "What to do", &remedy(policy));
    let links: Vec<String> = file.references.iter().map(|link| format!("- <{link}>")).collect();
    section(&mut out, "References", &links.join("\n"));
    let tests: Vec<String> = file.tests.iter().map(|case| format!("- {}", case.name)).collect();
    section(&mut out, "Tests", &tests.join("\n"));
    out
}

fn section(out: &mut String, title: &str, text: &str) {
    let _ = write!(out, "\n## {title}\n\n{}\n", text.trim_end());
}

fn dollars(policy: &Policy) -> String {
    let file = &policy.file;
    let mut lines = Vec::new();
    let mut add = |name: &str, amount: &Amount| match amount {
        Amount::One(one) => lines.push(format!("{name}: {one}")),
        Amount::Ends(Ends { low, expected, high }) => {
            lines.push(format!("{name}, low: {low}"));
            lines.push(format!("{name}, expected: {expected}"));
            lines.push(format!("{name}, high: {}", high.as_deref().unwrap_or("nothing bounds it")));
        }
    };
    add("saving a month", &file.saving);
    for stage in &file.ramp {
        add(&format!("until day {}", stage.until_day), &stage.saving);
    }
    if let Some(running) = &file.running {
        add("running cost a month", running);
    }
    if let Some(one_off) = &file.one_off {
        add("one-off cost", one_off);
    }
    let mut text = format!("```text\n{}\n```\n", lines.join("\n"));
    if !file.requires.is_empty() {
        let names: Vec<String> = file.requires.iter().map(|name| format!("`{name}`")).collect();
        let _ = write!(text, "\nUnknown while {} is not known, or a rate is missing.\n", names.join(" or "));
    }
    text
}

fn params(out: &mut String, policy: &Policy) {
    use super::formula::Literal;
    if policy.file.params.is_empty() {
        return;
    }
    let mut text = String::from("| name | default | meaning |\n|---|---|---|\n");
    for (name, param) in &policy.file.params {
        let default = match &param.default {
            Literal::Flag(flag) => flag.to_string(),
            Literal::Int(number) => number.to_string(),
            Literal::Text(text) => format!("`{text}`"),
        };
        let _ = writeln!(text, "| `{name}` | {default} | {} |", param.help);
    }
    section(out, "Parameters", &text);
}

fn remedy(policy: &Policy) -> String {
    let plan = policy.file.action.as_ref().and_then(|action| action.as_object()).and_then(|map| {
        let (name, arguments) = map.iter().next()?;
        let list: Vec<String> = arguments
            .as_object()?
            .iter()
            .map(|(key, value)| format!("`{key}`: `{}`", value.as_str().unwrap_or("")))
            .collect();
        Some(format!("leanlake can plan `{name}` with {}.", list.join(", ")))
    });
    let words = plan.into_iter().chain(policy.file.instructions.clone());
    words.collect::<Vec<_>>().join("\n\n")
}

/// Returns the Markdown index of all policies.
pub fn index(library: &Library) -> String {
    let mut out = String::from(
        "# Policies\n\nOne page for each policy, generated from its file.\n\n\
         | policy | says | effort | risk | confidence |\n|---|---|---|---|---|\n",
    );
    for policy in library.policies() {
        let file = &policy.file;
        let _ = writeln!(
            out,
            "| [`{id}`]({id}.md) | {} | {} | {} | {} |",
            file.title,
            file.effort.as_str(),
            file.risk.as_str(),
            file.confidence.as_str(),
            id = file.id,
        );
    }
    out
}

/// Returns the text of a new policy: it loads, and its tests pass, so that each change shows what it does.
pub fn skeleton(id: &str) -> String {
    include_str!("skeleton.yaml").replace("NEW-ID", id)
}
