//! The least-privilege IAM policies, made from what collectors and actions declare. Asks AWS nothing.

use std::collections::{BTreeMap, BTreeSet};

use serde_json::{Value, json};

use crate::aws::act::Write;
use crate::aws::collect::Read;

/// Nothing that leanlake does deletes an object, a version or a bucket of the lake; both roles say so.
const NEVER: &[&str] = &["s3:DeleteBucket", "s3:DeleteObject", "s3:DeleteObjectVersion", "s3:PutObject"];
/// What is done with a store's objects: old snapshots are pruned.
const KEEP: &[&str] = &["s3:DeleteObject", "s3:GetObject", "s3:PutObject"];
/// What is done with a journal's objects: who changes the lake cannot take back what the journal says of it.
const RECORD: &[&str] = &["s3:GetObject", "s3:PutObject"];

/// Returns the policy of the role that scans. With a store in S3, `store` (`bucket` and prefix) is the one place where
/// objects may be written and deleted.
pub fn scan(reads: &[Read], store: Option<(&str, &str)>) -> Value {
    let mut by_service: BTreeMap<&str, BTreeSet<&str>> = BTreeMap::new();
    for action in reads.iter().map(|read| read.action) {
        by_service.entry(service(action)).or_default().insert(action);
    }
    let mut statements: Vec<Value> =
        by_service.iter().map(|(service, actions)| allow(&sid("Read", service), actions)).collect();
    if let Some((bucket, prefix)) = store {
        statements.extend(keep(bucket, prefix, KEEP));
    }
    let spared = store.map(|(bucket, prefix)| objects(bucket, prefix));
    statements.push(never("NeverTouchObjects", NEVER, spared.as_deref()));
    document(&statements)
}

/// Returns the policy of the role that applies plans. With a store in S3, `store` (`bucket` and prefix) is the one place
/// where objects may be written, and nowhere may one be deleted.
pub fn apply(writes: &[Write], store: Option<(&str, &str)>) -> Value {
    let mut by_resource: BTreeMap<(&str, &str), BTreeSet<&str>> = BTreeMap::new();
    for write in writes {
        by_resource.entry((service(write.action), write.resource)).or_default().insert(write.action);
    }
    let mut statements: Vec<Value> = Vec::new();
    for ((service, resource), actions) in &by_resource {
        statements
            .push(json!({"Sid": sid("Change", service), "Effect": "Allow", "Action": actions, "Resource": resource}));
    }
    let Some((bucket, prefix)) = store else {
        statements.push(never("NeverTouchObjects", NEVER, None));
        return document(&statements);
    };
    statements.extend(keep(bucket, prefix, RECORD));
    let (kept, never_at_all): (Vec<_>, Vec<_>) = NEVER.iter().partition(|action| RECORD.contains(action));
    statements.push(never("NeverDeleteObjects", &never_at_all, None));
    statements.push(never("NeverWriteElsewhere", &kept, Some(&objects(bucket, prefix))));
    document(&statements)
}

fn document(statements: &[Value]) -> Value {
    json!({"Version": "2012-10-17", "Statement": statements})
}

/// Lists and configuration reads mostly know no resource, so the resource is everything.
fn allow(sid: &str, actions: &BTreeSet<&str>) -> Value {
    json!({"Sid": sid, "Effect": "Allow", "Action": actions, "Resource": "*"})
}

fn keep(bucket: &str, prefix: &str, actions: &[&str]) -> [Value; 2] {
    let bucket_arn = format!("arn:aws:s3:::{bucket}");
    let objects_arn = objects(bucket, prefix);
    let whose = json!({"Sid": "ListStore", "Effect": "Allow", "Action": ["s3:ListBucket"], "Resource": bucket_arn});
    [whose, json!({"Sid": "KeepStore", "Effect": "Allow", "Action": actions, "Resource": objects_arn})]
}

fn never(sid: &str, actions: &[&str], spared: Option<&str>) -> Value {
    match spared {
        None => json!({"Sid": sid, "Effect": "Deny", "Action": actions, "Resource": "*"}),
        Some(arn) => json!({"Sid": sid, "Effect": "Deny", "Action": actions, "NotResource": arn}),
    }
}

fn objects(bucket: &str, prefix: &str) -> String {
    let folder = if prefix.is_empty() { String::new() } else { format!("{prefix}/") };
    format!("arn:aws:s3:::{bucket}/{folder}*")
}

fn service(action: &str) -> &str {
    action.split(':').next().unwrap_or(action)
}

/// Returns a statement id: letters and digits only.
fn sid(verb: &str, service: &str) -> String {
    let mut letters = service.chars().filter(char::is_ascii_alphanumeric);
    let first = letters.next().map(|letter| letter.to_ascii_uppercase());
    verb.chars().chain(first).chain(letters).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::aws::act::WRITES;
    use crate::aws::collect::READS;

    fn allowed(policy: &Value) -> BTreeSet<&str> {
        let statements = policy["Statement"].as_array().unwrap().iter().filter(|s| s["Effect"] == "Allow");
        statements.flat_map(|s| s["Action"].as_array().unwrap()).map(|action| action.as_str().unwrap()).collect()
    }

    #[test]
    fn the_scanning_role_may_only_look() {
        let policy = scan(&READS.concat(), None);
        for action in allowed(&policy) {
            let verb = action.split(':').nth(1).unwrap();
            assert!(
                ["Get", "List", "BatchGet", "Describe", "Lookup", "View"].iter().any(|look| verb.starts_with(look)),
                "{action}"
            );
        }
    }

    #[test]
    fn the_applying_role_changes_lifecycle_configurations_and_nothing_else() {
        let policy = apply(WRITES, None);
        let looks = ["s3:GetBucketTagging", "s3:GetLifecycleConfiguration"];
        assert_eq!(allowed(&policy), BTreeSet::from([looks[0], looks[1], "s3:PutLifecycleConfiguration"]));
    }

    #[test]
    fn a_store_in_s3_is_the_one_place_where_objects_may_be_written() {
        let policy = scan(&READS.concat(), Some(("keep", "lake")));
        let deny = policy["Statement"].as_array().unwrap().iter().find(|s| s["Effect"] == "Deny").unwrap();
        assert_eq!(deny["NotResource"], "arn:aws:s3:::keep/lake/*");
        assert!(allowed(&policy).contains("s3:PutObject"));
    }

    #[test]
    fn a_journal_in_s3_may_be_written_there_and_nowhere_else_and_never_deleted() {
        let policy = apply(WRITES, Some(("keep", "lake")));
        let statements = policy["Statement"].as_array().unwrap();
        let of = |sid: &str| statements.iter().find(|s| s["Sid"] == sid).unwrap();
        assert_eq!(of("KeepStore")["Action"], json!(["s3:GetObject", "s3:PutObject"]));
        assert_eq!(of("KeepStore")["Resource"], "arn:aws:s3:::keep/lake/*");
        assert_eq!(of("ListStore")["Resource"], "arn:aws:s3:::keep");
        assert_eq!(of("NeverWriteElsewhere")["NotResource"], "arn:aws:s3:::keep/lake/*");
        assert_eq!(of("NeverWriteElsewhere")["Action"], json!(["s3:PutObject"]));
        let deletes = json!(["s3:DeleteBucket", "s3:DeleteObject", "s3:DeleteObjectVersion"]);
        assert_eq!(
            (&of("NeverDeleteObjects")["Action"], &of("NeverDeleteObjects")["Resource"]),
            (&deletes, &json!("*"))
        );
    }

    /// `LEANLAKE_UPDATE=1 cargo test the_pages_in_docs_iam` writes them anew.
    #[test]
    #[expect(clippy::disallowed_methods, reason = "the one switch between checking and writing generated pages")]
    fn the_pages_in_docs_iam_are_what_the_declarations_say() {
        let folder = std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("docs/iam");
        for (name, policy) in [("scan.json", scan(&READS.concat(), None)), ("apply.json", apply(WRITES, None))] {
            let (page, text) = (folder.join(name), format!("{policy:#}\n"));
            if std::env::var("LEANLAKE_UPDATE").is_ok() {
                std::fs::write(&page, &text).unwrap();
            }
            assert_eq!(std::fs::read_to_string(&page).unwrap_or_default(), text, "docs/iam/{name} is stale");
        }
    }
}
