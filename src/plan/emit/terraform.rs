//! Terraform: one `aws_s3_bucket_lifecycle_configuration` for each bucket, which owns the whole configuration, and an
//! `import` block where there is one already, so that the first plan shows nothing but the difference.

use std::fmt::Write;

use super::rule::{Filter, FilterForm, Rule, Versions};
use super::{Said, names, reasons};

const KIND: &str = "aws_s3_bucket_lifecycle_configuration";

/// Returns the file.
pub(super) fn file(said: &[Said<'_>], notes: &[String]) -> String {
    let mut out = Hcl::default();
    for note in notes {
        out.line(&format!("# {note}"));
    }
    out.line(
        "# Run it with a provider of each bucket's Region. A bucket whose configuration Terraform manages already",
    );
    out.line("# keeps its own resource: move the new rule there.");
    for (name, Said { step, rules }) in names(said, identifier).iter().zip(said) {
        out.line("");
        for reason in reasons(step) {
            out.line(&format!("# {reason}"));
        }
        if step.before.document.is_some() {
            out.block("import", |out| {
                out.line(&format!("to = {KIND}.{name}"));
                out.set("id", &text(&format!("{},{}", step.bucket.raw(), step.account_id)));
            });
            out.line("");
        }
        out.block(&format!("resource \"{KIND}\" \"{name}\""), |out| {
            out.set("bucket", &text(step.bucket.raw()));
            out.set("expected_bucket_owner", &text(&step.account_id));
            out.maybe("transition_default_minimum_object_size", step.after.small_objects.as_deref().map(text));
            for one in rules {
                rule(out, one);
            }
        });
    }
    out.text
}

/// Lines with their indentation.
#[derive(Default)]
struct Hcl {
    text: String,
    depth: usize,
}

impl Hcl {
    fn line(&mut self, line: &str) {
        let indent = if line.is_empty() { 0 } else { self.depth * 2 };
        let _ = writeln!(self.text, "{:indent$}{line}", "");
    }

    fn set(&mut self, name: &str, value: &str) {
        self.line(&format!("{name} = {value}"));
    }

    fn maybe(&mut self, name: &str, value: Option<impl ToString>) {
        if let Some(value) = value {
            self.set(name, &value.to_string());
        }
    }

    fn block(&mut self, head: &str, body: impl FnOnce(&mut Hcl)) {
        self.line(&format!("{head} {{"));
        self.depth += 1;
        body(self);
        self.depth -= 1;
        self.line("}");
    }
}

fn rule(out: &mut Hcl, rule: &Rule) {
    out.line("");
    out.block("rule", |out| {
        out.set("id", &text(&rule.id));
        out.set("status", if rule.enabled { "\"Enabled\"" } else { "\"Disabled\"" });
        filter(out, &rule.filter);
        if let Some(days) = rule.abort_days {
            out.block("abort_incomplete_multipart_upload", |out| out.set("days_after_initiation", &days.to_string()));
        }
        if let Some(said) = &rule.expiration {
            out.block("expiration", |out| {
                out.maybe("days", said.days);
                out.maybe("date", said.date.as_deref().map(text));
                out.maybe("expired_object_delete_marker", said.marker);
            });
        }
        if let Some(said) = rule.noncurrent_expiration {
            out.block("noncurrent_version_expiration", |out| versions(out, said));
        }
        for to in &rule.transitions {
            out.block("transition", |out| {
                out.maybe("days", to.days);
                out.maybe("date", to.date.as_deref().map(text));
                out.set("storage_class", &text(&to.class));
            });
        }
        for (said, class) in &rule.noncurrent_transitions {
            out.block("noncurrent_version_transition", |out| {
                versions(out, *said);
                out.set("storage_class", &text(class));
            });
        }
    });
}

fn versions(out: &mut Hcl, said: Versions) {
    out.maybe("noncurrent_days", said.days);
    out.maybe("newer_noncurrent_versions", said.newer);
}

fn filter(out: &mut Hcl, filter: &Filter) {
    let sizes = |out: &mut Hcl| {
        out.maybe("object_size_greater_than", filter.larger);
        out.maybe("object_size_less_than", filter.smaller);
    };
    let prefix = filter.prefix.as_deref().map(text);
    match filter.form {
        FilterForm::Legacy => out.maybe("prefix", prefix),
        FilterForm::Single => out.block("filter", |out| {
            out.maybe("prefix", prefix);
            sizes(out);
            for (key, value) in &filter.tags {
                out.block("tag", |out| {
                    out.set("key", &text(key));
                    out.set("value", &text(value));
                });
            }
        }),
        FilterForm::And => out.block("filter", |out| {
            out.block("and", |out| {
                out.maybe("prefix", prefix);
                sizes(out);
                if !filter.tags.is_empty() {
                    out.line("tags = {");
                    filter.tags.iter().for_each(|(key, value)| out.line(&format!("  {} = {}", text(key), text(value))));
                    out.line("}");
                }
            });
        }),
    }
}

/// A string in which nothing is interpolated, of printable ASCII.
fn text(raw: &str) -> String {
    let mut out = String::from("\"");
    for (at, c) in raw.char_indices() {
        // `${` and `%{` begin a template; escaped, the sign is itself.
        let begins_template = "$%".contains(c) && raw[at + 1..].starts_with('{');
        let _ = match c {
            '"' | '\\' => write!(out, "\\{c}"),
            c if c.is_ascii() && !c.is_ascii_control() && !begins_template => write!(out, "{c}"),
            c if (c as u32) < 0x1_0000 => write!(out, "\\u{:04x}", c as u32),
            c => write!(out, "\\U{:08x}", c as u32),
        };
    }
    out + "\""
}

fn identifier(bucket: &str) -> String {
    let plain = |c: char| if c.is_ascii_alphanumeric() || c == '-' { c } else { '_' };
    let name: String = bucket.chars().map(plain).collect();
    if name.starts_with(|c: char| c.is_ascii_alphabetic() || c == '_') { name } else { format!("_{name}") }
}
