//! The least-privilege IAM policies, made from what collectors and actions declare. Asks AWS nothing.
//!
//! Allows each action by name. Denies, whatever else is attached to the role: any change, and any look into an object.

pub mod role;

use std::collections::{BTreeMap, BTreeSet};

use serde_json::{Value, json};

use crate::aws::act::{ROLL_UPS, Write};
use crate::aws::collect::Read;

/// Nothing that leanlake does deletes an object, a version or a bucket of the lake; both roles say so.
const NEVER: &[&str] = &["s3:DeleteBucket", "s3:DeleteObject", "s3:DeleteObjectVersion", "s3:PutObject"];
/// What is done with a store's objects: old snapshots are pruned.
const KEEP: &[&str] = &["s3:DeleteObject", "s3:GetObject", "s3:PutObject"];
/// What is done with a journal's objects: who changes the lake cannot take back what the journal says of it.
const RECORD: &[&str] = &["s3:GetObject", "s3:PutObject"];
/// What is done with exports: bills, Storage Lens, inventories.
const LOOK: &[&str] = &["s3:GetObject"];
/// Every way to read what is in an object, its tags and its ACL.
const CONTENTS: &str = "s3:GetObject*";

/// A bucket and a prefix in it; an empty prefix is the whole bucket.
pub type Folder<'a> = (&'a str, &'a str);

/// Where a role may go besides the configuration of the account.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Reach<'a> {
    /// The store, where it is in S3: the one place where objects may be written and deleted.
    pub store: Option<Folder<'a>>,
    /// Exports that may be read: bills, Storage Lens, inventories.
    pub exports: Vec<Folder<'a>>,
    /// Name of the role that may be assumed in other accounts.
    pub members: Option<&'a str>,
    /// Where exports may be rolled up by Athena.
    pub athena: Option<OnAthena<'a>>,
}

/// What `scan --engine athena` uses: the one thing that a scanning role may make and drop.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct OnAthena<'a> {
    /// The database whose tables `leanlake_…` may be made and dropped.
    pub database: &'a str,
    /// The workgroup that queries run in.
    pub workgroup: &'a str,
    /// Where its results are written.
    pub results: Folder<'a>,
}

/// What making, asking and dropping a table of Athena's needs in the Glue Data Catalog (Athena user guide, fine-grained
/// access).
const CATALOG: &[&str] =
    &["glue:CreateTable", "glue:DeleteTable", "glue:GetDatabase", "glue:GetPartitions", "glue:GetTable"];
/// What Athena needs where results are written, with the credentials of whoever asks.
const RESULTS: &[&str] = &["s3:AbortMultipartUpload", "s3:GetObject", "s3:ListMultipartUploadParts", "s3:PutObject"];

impl OnAthena<'_> {
    fn actions() -> impl Iterator<Item = &'static str> {
        let asked = ROLL_UPS.iter().map(|write| write.action);
        asked.chain(CATALOG.iter().copied()).chain(RESULTS.iter().copied()).chain(["s3:GetBucketLocation"])
    }

    fn statements(self) -> [Value; 4] {
        let asked: BTreeSet<&str> = ROLL_UPS.iter().map(|write| write.action).collect();
        let OnAthena { database, workgroup, results } = self;
        let catalog = |what: &str| format!("arn:aws:glue:*:*:{what}");
        let tables = [
            catalog("catalog"),
            catalog(&format!("database/{database}")),
            catalog(&format!("table/{database}/leanlake_*")),
        ];
        let bucket = format!("arn:aws:s3:::{}", results.0);
        let allow = |sid: &str, actions: Value, resource: Value| json!({"Sid": sid, "Effect": "Allow", "Action": actions, "Resource": resource});
        [
            allow("RollUpOnAthena", json!(asked), json!(format!("arn:aws:athena:*:*:workgroup/{workgroup}"))),
            allow("RollUpTables", json!(CATALOG), json!(tables)),
            allow("RollUpBucket", json!(["s3:GetBucketLocation", "s3:ListBucket"]), json!(bucket)),
            allow("RollUpResults", json!(RESULTS), json!(objects(results))),
        ]
    }
}

/// Returns the policy of the role that scans.
pub fn scan(reads: &[Read], reach: &Reach) -> Value {
    let mut statements = reading(reads.iter().map(|read| read.action));
    if let Some(role) = reach.members {
        statements.push(members(role));
    }
    for (place, &(bucket, prefix)) in reach.exports.iter().enumerate() {
        statements.extend(keep(&format!("Export{}", place + 1), bucket, prefix, LOOK));
    }
    if let Some((bucket, prefix)) = reach.store {
        statements.extend(keep("Store", bucket, prefix, KEEP));
    }
    statements.extend(reach.athena.iter().flat_map(|athena| athena.statements()));
    let written = || reach.store.iter().chain(reach.athena.iter().map(|athena| &athena.results));
    let stored: Vec<String> = written().map(|folder| objects(*folder)).collect();
    let read: Vec<String> = reach.exports.iter().chain(written()).map(|folder| objects(*folder)).collect();
    statements.push(never("NeverReadObjects", &[CONTENTS], &read));
    statements.push(never("NeverTouchObjects", NEVER, &stored));
    statements.push(
        json!({"Sid": "NeverChangeAnything", "Effect": "Deny", "NotAction": looks(reads, reach), "Resource": "*"}),
    );
    document(&statements)
}

/// Returns the policy of the role that applies plans. With a store in S3 it is the one place where objects may be
/// written, and nowhere may one be deleted.
pub fn apply(writes: &[Write], store: Option<Folder>) -> Value {
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
        statements.push(never("NeverTouchObjects", NEVER, &[]));
        return document(&statements);
    };
    statements.extend(keep("Store", bucket, prefix, RECORD));
    let (kept, never_at_all): (Vec<_>, Vec<_>) = NEVER.iter().partition(|action| RECORD.contains(action));
    statements.push(never("NeverDeleteObjects", &never_at_all, &[]));
    statements.push(never("NeverWriteElsewhere", &kept, &[objects((bucket, prefix))]));
    document(&statements)
}

/// Returns everything that a scanning role may ever do, by service and verb: `s3:Get*`. The names are too many for a
/// second list of them.
fn looks(reads: &[Read], reach: &Reach) -> BTreeSet<String> {
    let verb = |action: &str| {
        let name = action.split(':').nth(1).unwrap_or_default();
        let known =
            ["BatchGet", "Describe", "Get", "List", "Lookup", "View"].into_iter().find(|verb| name.starts_with(verb));
        known.map_or_else(|| action.to_owned(), |verb| format!("{}:{verb}*", service(action)))
    };
    let mut looks: BTreeSet<String> = reads.iter().map(|read| verb(read.action)).collect();
    looks.extend(["s3:GetObject*", "s3:ListBucket"].map(verb));
    looks.extend(reach.store.iter().flat_map(|_| KEEP).map(|action| (*action).to_owned()));
    looks.extend(reach.athena.iter().flat_map(|_| OnAthena::actions()).map(str::to_owned));
    looks.insert("sts:GetCallerIdentity".to_owned());
    looks.extend(reach.members.iter().flat_map(|_| ["sts:AssumeRole", "sts:TagSession"]).map(str::to_owned));
    if reach.store.is_some() || !reach.exports.is_empty() {
        looks.extend(KEYS.map(str::to_owned));
    }
    looks
}

fn members(role: &str) -> Value {
    let arn = format!("arn:aws:iam::*:role/{}", role.trim_start_matches('/'));
    json!({"Sid": "AssumeMembers", "Effect": "Allow", "Action": ["sts:AssumeRole", "sts:TagSession"], "Resource": arn})
}

/// How the ARNs of the policies here begin: they are written for the commercial partition.
const COMMERCIAL: &str = "arn:aws:";

/// Returns `policy` with its ARNs in another partition: `aws-cn`, `aws-us-gov`.
pub fn in_partition(policy: Value, partition: &str) -> Value {
    with_arns(policy, &|rest| Value::String(format!("arn:{partition}:{rest}")))
}

/// Returns `document` with each ARN made anew of what stands behind its partition.
fn with_arns(document: Value, arn: &impl Fn(&str) -> Value) -> Value {
    match document {
        Value::String(text) => text.strip_prefix(COMMERCIAL).map(arn).unwrap_or(Value::String(text)),
        Value::Array(values) => values.into_iter().map(|value| with_arns(value, arn)).collect(),
        Value::Object(map) => map.into_iter().map(|(key, value)| (key, with_arns(value, arn))).collect(),
        other => other,
    }
}

/// Returns the policy that allows `actions` and says nothing else: what is missing from a role that has the rest.
pub fn missing<'a>(actions: impl IntoIterator<Item = &'a str>) -> Value {
    document(&reading(actions))
}

fn reading<'a>(actions: impl IntoIterator<Item = &'a str>) -> Vec<Value> {
    let mut by_service: BTreeMap<&str, BTreeSet<&str>> = BTreeMap::new();
    for action in actions {
        by_service.entry(service(action)).or_default().insert(action);
    }
    by_service.iter().map(|(service, actions)| allow(&sid("Read", service), actions)).collect()
}

fn document(statements: &[Value]) -> Value {
    json!({"Version": "2012-10-17", "Statement": statements})
}

/// Lists and configuration reads mostly know no resource, so the resource is everything.
fn allow(sid: &str, actions: &BTreeSet<&str>) -> Value {
    json!({"Sid": sid, "Effect": "Allow", "Action": actions, "Resource": "*"})
}

/// What reading and writing objects under a KMS key of the customer's own asks for (S3 user guide, SSE-KMS).
const KEYS: [&str; 2] = ["kms:Decrypt", "kms:GenerateDataKey"];

fn keep(name: &str, bucket: &str, prefix: &str, actions: &[&str]) -> [Value; 3] {
    let bucket_arn = format!("arn:aws:s3:::{bucket}");
    let objects_arn = objects((bucket, prefix));
    let (list, keep) = (format!("List{name}"), format!("Keep{name}"));
    let whose = json!({"Sid": list, "Effect": "Allow", "Action": ["s3:ListBucket"], "Resource": bucket_arn});
    let keep = json!({"Sid": keep, "Effect": "Allow", "Action": actions, "Resource": objects_arn});
    let writes = actions.iter().any(|action| action.starts_with("s3:Put"));
    let keys = json!({
        "Sid": format!("Key{name}"), "Effect": "Allow", "Action": KEYS[..if writes { 2 } else { 1 }], "Resource": "*",
        "Condition": {"StringLike": {"kms:ViaService": "s3.*.amazonaws.com*"}},
    });
    [whose, keep, keys]
}

fn never(sid: &str, actions: &[&str], spared: &[String]) -> Value {
    match spared {
        [] => json!({"Sid": sid, "Effect": "Deny", "Action": actions, "Resource": "*"}),
        [arn] => json!({"Sid": sid, "Effect": "Deny", "Action": actions, "NotResource": arn}),
        arns => json!({"Sid": sid, "Effect": "Deny", "Action": actions, "NotResource": arns}),
    }
}

fn objects((bucket, prefix): Folder) -> String {
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
    use crate::aws::connector::allow::{EXPORTS, IDENTITY};
    use crate::aws::discover::CALLS;

    fn allowed(policy: &Value) -> BTreeSet<&str> {
        let statements = policy["Statement"].as_array().unwrap().iter().filter(|s| s["Effect"] == "Allow");
        statements.flat_map(|s| s["Action"].as_array().unwrap()).map(|action| action.as_str().unwrap()).collect()
    }

    #[test]
    fn what_is_allowed_is_not_denied_again_with_session_tags_and_keys_of_the_customers_own() {
        let reach = Reach {
            store: Some(("keep", "ci")),
            exports: vec![("bills", "cur")],
            members: Some("leanlake-scan"),
            athena: None,
        };
        let policy = scan(&READS.concat(), &reach);
        let statements = policy["Statement"].as_array().unwrap();
        let spared = statements.iter().find(|s| s["Sid"] == "NeverChangeAnything").unwrap()["NotAction"].to_string();
        for action in ["sts:AssumeRole", "sts:TagSession", "kms:Decrypt", "kms:GenerateDataKey"] {
            assert!(allowed(&policy).contains(action) && spared.contains(action), "{action}");
        }
        let keys = |sid: &str| statements.iter().find(|s| s["Sid"] == sid).unwrap()["Action"].as_array().unwrap().len();
        assert_eq!((keys("KeyExport1"), keys("KeyStore")), (1, 2), "an export is only read");
    }

    /// What a call that looks begins with, and what one that changes something begins with. `BatchGet` gets.
    const LOOKS: [&str; 7] = ["BatchGet", "Describe", "Get", "Head", "List", "Lookup", "View"];
    const CHANGES: [&str; 31] = [
        "Abort",
        "Add",
        "Apply",
        "Associate",
        "Attach",
        "Authorize",
        "Batch",
        "Cancel",
        "Complete",
        "Copy",
        "Create",
        "Delete",
        "Detach",
        "Disable",
        "Enable",
        "Import",
        "Invoke",
        "Modify",
        "Purchase",
        "Put",
        "Register",
        "Remove",
        "Reset",
        "Restore",
        "Resume",
        "Run",
        "Start",
        "Stop",
        "Tag",
        "Untag",
        "Update",
    ];
    /// Calls that are let through though their name says that they change something, each with its reason; none.
    const EXCEPTIONS: [&str; 0] = [];

    fn only_looks(name: &str) -> bool {
        let verb = name.split(':').nth(1).unwrap_or_default();
        let looks = LOOKS.iter().any(|look| verb.starts_with(look));
        let changes = CHANGES.iter().any(|change| verb.starts_with(change) && !verb.starts_with("BatchGet"));
        (looks && !changes) || EXCEPTIONS.contains(&name)
    }

    #[test]
    fn the_scanning_role_may_only_look() {
        let policy = scan(&READS.concat(), &Reach::default());
        assert!(allowed(&policy).into_iter().all(only_looks), "{:?}", allowed(&policy));
        for read in READS.concat() {
            assert!(only_looks(read.operation) && only_looks(read.action), "{} as {}", read.operation, read.action);
        }
        for operation in CALLS.iter().chain(EXPORTS).chain(IDENTITY) {
            assert!(only_looks(operation), "{operation}");
        }
        for change in ["athena:StartQueryExecution", "s3:PutObject", "glue:BatchDeleteTable", "s3:SelectObjectContent"]
        {
            assert!(!only_looks(change), "{change}");
        }
    }

    #[test]
    fn in_another_partition_every_arn_is_of_it() {
        let reach = Reach {
            store: Some(("keep", "arn:aws:x")),
            exports: vec![("bills", "")],
            members: Some("/p/scan"),
            athena: None,
        };
        let text = in_partition(scan(&READS.concat(), &reach), "aws-us-gov").to_string();
        assert_eq!(text.matches("arn:aws:").count(), text.matches("keep/arn:aws:x").count(), "a prefix is no ARN");
        for arn in ["arn:aws-us-gov:iam::*:role/p/scan", "arn:aws-us-gov:s3:::bills/*", "arn:aws-us-gov:s3:::keep\""] {
            assert!(text.contains(arn), "{arn} in {text}");
        }
        assert!(in_partition(apply(WRITES, None), "aws-cn").to_string().contains("arn:aws-cn:s3:::*"));
    }

    #[test]
    fn the_applying_role_changes_lifecycle_configurations_and_nothing_else() {
        let policy = apply(WRITES, None);
        let looks = ["s3:GetBucketTagging", "s3:GetLifecycleConfiguration"];
        assert_eq!(allowed(&policy), BTreeSet::from([looks[0], looks[1], "s3:PutLifecycleConfiguration"]));
    }

    fn statement<'a>(policy: &'a Value, sid: &str) -> &'a Value {
        policy["Statement"].as_array().unwrap().iter().find(|s| s["Sid"] == sid).unwrap()
    }

    #[test]
    fn what_is_missing_is_allowed_action_by_action_and_nothing_is_denied() {
        let policy = missing(["s3:GetBucketTagging", "ce:GetCostAndUsage", "s3:GetBucketTagging"]);
        assert_eq!(allowed(&policy), BTreeSet::from(["ce:GetCostAndUsage", "s3:GetBucketTagging"]));
        assert_eq!(policy["Statement"].as_array().unwrap().len(), 2);
        assert!(!policy.to_string().contains("Deny") && !policy.to_string().contains(":*\""));
    }

    #[test]
    fn a_store_in_s3_is_the_one_place_where_objects_may_be_written() {
        let policy = scan(&READS.concat(), &Reach { store: Some(("keep", "lake")), ..Reach::default() });
        assert_eq!(statement(&policy, "NeverTouchObjects")["NotResource"], "arn:aws:s3:::keep/lake/*");
        assert!(allowed(&policy).contains("s3:PutObject"));
    }

    #[test]
    fn objects_are_read_under_the_exports_and_the_store_and_nowhere_else() {
        let alone = scan(&READS.concat(), &Reach::default());
        assert_eq!(statement(&alone, "NeverReadObjects")["Resource"], "*");
        let exports = vec![("bills", "cur2"), ("lens", "")];
        let policy = scan(&READS.concat(), &Reach { store: Some(("keep", "lake")), exports, ..Reach::default() });
        let spared = json!(["arn:aws:s3:::bills/cur2/*", "arn:aws:s3:::lens/*", "arn:aws:s3:::keep/lake/*"]);
        assert_eq!(statement(&policy, "NeverReadObjects")["NotResource"], spared);
        assert_eq!(statement(&policy, "NeverTouchObjects")["NotResource"], "arn:aws:s3:::keep/lake/*");
    }

    /// What is not a look is denied whatever else is attached: the pattern of each allowed action stands in the list,
    /// and no pattern matches a change.
    #[test]
    fn a_scanning_role_is_denied_every_change_even_as_administrator() {
        let policy = scan(&READS.concat(), &Reach { members: Some("leanlake-scan"), ..Reach::default() });
        let spared = &statement(&policy, "NeverChangeAnything")["NotAction"];
        let spared: Vec<&str> = spared.as_array().unwrap().iter().map(|action| action.as_str().unwrap()).collect();
        let matches = |action: &str| {
            spared.iter().any(|p| *p == action || p.strip_suffix('*').is_some_and(|p| action.starts_with(p)))
        };
        assert!(allowed(&policy).into_iter().all(matches));
        for change in
            ["s3:PutObject", "s3:PutLifecycleConfiguration", "glue:DeleteTable", "iam:CreateUser", "ce:CreateReport"]
        {
            assert!(!matches(change), "{change}");
        }
    }

    /// IAM quotas: the inline policies of a role may have 10,240 characters, white space not counted.
    #[test]
    fn a_role_has_room_for_the_policy() {
        let exports = vec![("a-bucket-with-quite-a-long-name-for-bills", "cur2/leanlake"); 3];
        let reach = Reach {
            store: Some(("leanlake-store-of-platform", "lake")),
            exports,
            members: Some("leanlake-scan"),
            athena: None,
        };
        assert!(scan(&READS.concat(), &reach).to_string().len() < 10_240);
    }

    #[test]
    fn athena_may_make_and_drop_tables_of_ours_in_the_database_that_was_named_and_nothing_else() {
        let athena = OnAthena { database: "scratch", workgroup: "finops", results: ("answers", "lake") };
        let plain = scan(&READS.concat(), &Reach::default());
        let policy = scan(&READS.concat(), &Reach { athena: Some(athena), ..Reach::default() });
        for action in OnAthena::actions() {
            assert!(allowed(&policy).contains(action), "{action}");
        }
        for action in ["glue:CreateTable", "athena:StartQueryExecution", "s3:PutObject"] {
            assert!(!allowed(&plain).contains(action), "{action}: only where Athena was asked for");
        }
        let tables = &statement(&policy, "RollUpTables")["Resource"];
        assert_eq!(tables[2], "arn:aws:glue:*:*:table/scratch/leanlake_*");
        assert_eq!(statement(&policy, "RollUpOnAthena")["Resource"], "arn:aws:athena:*:*:workgroup/finops");
        assert_eq!(statement(&policy, "NeverTouchObjects")["NotResource"], "arn:aws:s3:::answers/lake/*");
        let spared = statement(&policy, "NeverChangeAnything")["NotAction"].to_string();
        assert!(
            spared.contains("glue:CreateTable") && !spared.contains("glue:*") && !spared.contains("glue:UpdateTable")
        );
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
        for (name, policy) in
            [("scan.json", scan(&READS.concat(), &Reach::default())), ("apply.json", apply(WRITES, None))]
        {
            let (page, text) = (folder.join(name), format!("{policy:#}\n"));
            if std::env::var("LEANLAKE_UPDATE").is_ok() {
                std::fs::write(&page, &text).unwrap();
            }
            assert_eq!(std::fs::read_to_string(&page).unwrap_or_default(), text, "docs/iam/{name} is stale");
        }
    }
}
