//! Walks every policy of the crate: what must be true of each, whatever it says.

use std::collections::BTreeSet;
use std::path::Path;

use super::*;
use crate::model::{Money, Row};
use crate::prices::{Payer, PriceBook, RateCard};

fn library() -> Library {
    Library::built_in().unwrap()
}

fn parse(yaml: &str) -> Result<Policy, PolicyError> {
    Policy::parse("policies/s3/s3-thing.yaml", yaml, &PriceBook::embedded().unwrap())
}

/// A policy that is right, for tests that break it.
fn thing() -> String {
    skeleton("s3-thing")
}

fn mistake(yaml: &str) -> String {
    parse(yaml).unwrap_err().to_string()
}

#[tokio::test]
async fn every_query_plans_and_gives_the_columns_that_its_formulas_read() {
    library().check().await.unwrap();
}

#[tokio::test]
async fn every_policy_passes_its_own_tests_with_each_read_denied_in_turn() {
    let library = library();
    let mut denied = 0;
    for policy in library.policies() {
        let mut kinds = BTreeSet::new();
        for report in test(&library, policy).await.unwrap() {
            assert!(report.failures.is_empty(), "{}: {}: {:#?}", report.policy, report.name, report.failures);
            kinds.insert(report.kind);
            denied += report.denied;
        }
        let all = BTreeSet::from([Kind::Finding, Kind::Clean, Kind::Unknown]);
        assert_eq!(kinds, all, "{} needs a finding, a clean and an unknown case", policy.id());
    }
    assert!(denied >= 10, "reads were denied {denied} times");
}

#[test]
fn every_policy_says_what_a_tired_engineer_needs() {
    for policy in library().policies() {
        let (id, file) = (policy.id(), &policy.file);
        assert!(policy.path.ends_with(&format!("policies/{}/{id}.yaml", policy.service())), "{}", policy.path);
        for text in [&file.what, &file.why, &file.safety] {
            assert!(text.trim().ends_with('.') && text.len() > 60, "{id}: {text}");
        }
        assert!(!file.title.ends_with('.') && file.title.len() < 80, "{id}: the title is a short statement");
        assert!(!["Check", "Ensure"].iter().any(|word| file.title.starts_with(word)), "{id}: {}", file.title);
        assert!(!file.basis.is_empty() && !file.references.is_empty() && file.effect.is_some(), "{id}");
        for link in &file.references {
            assert!(link.starts_with("https://docs.aws.amazon.com/"), "{id}: {link}");
        }
        assert!(!policy.yaml.contains('\u{2014}'), "{id}: plain punctuation");
    }
}

#[tokio::test]
async fn the_skeleton_of_a_new_policy_loads_and_passes_its_own_tests() {
    let policy = parse(&thing()).unwrap();
    let mut library = library();
    library.add(policy.clone()).unwrap();
    library.check().await.unwrap();
    for report in test(&library, &policy).await.unwrap() {
        assert!(report.failures.is_empty(), "{}: {:?}", report.name, report.failures);
    }
}

#[tokio::test]
async fn a_policy_that_was_never_tried_with_its_reads_denied_fails_its_tests() {
    let failures = async |yaml: &str| -> Vec<String> {
        let policy = parse(yaml).unwrap();
        let mut library = library();
        library.add(policy.clone()).unwrap();
        test(&library, &policy).await.unwrap().into_iter().flat_map(|report| report.failures).collect()
    };
    let (whole, finds) = (thing(), "      buckets: [{ bucket: lake, region: us-east-1, incomplete_bytes: 100 GiB }]\n");
    assert!(failures(&whole).await.is_empty());
    let first = whole.find("  - name: 100 GiB").unwrap();
    let rest = whole.find("  - name: a bucket with nothing").unwrap();
    let blind = failures(&format!("{}{}", &whole[..first], &whole[rest..])).await;
    assert!(blind[0].contains("fills what `lens:export` gives of `buckets`"), "{blind:?}");
    assert!(blind[1].contains("computes `pools`"), "{blind:?}");
    let handed = failures(&whole.replace(finds, &format!("{finds}      pools: []\n"))).await;
    assert!(handed.len() == 1 && handed[0].contains("computes `pools`"), "{handed:?}");
}

#[test]
fn a_mistake_is_shown_at_its_line_and_column() {
    let unknown_key = mistake(&thing().replace("effort: low", "efort: low"));
    assert!(
        unknown_key.starts_with("policies/s3/s3-thing.yaml:7:1: ") && unknown_key.contains("efort"),
        "{unknown_key}"
    );
    let grammar = mistake(&thing().replace("  group by b.account_id", "  groupp by b.account_id"));
    assert!(grammar.starts_with("policies/s3/s3-thing.yaml:19:3: "), "{grammar}");
    let units = mistake(&thing().replace("saving: \"gib(incomplete_bytes) * ", "saving: \"incomplete_bytes * "));
    assert!(units.contains(":20:10: this must come out as USD per month"), "{units}");
    let item = mistake(&thing().replace("rate('s3.storage.standard'", "rate('s3.storage.stanard'"));
    assert!(item.contains("no item `s3.storage.stanard`"), "{item}");
    let name = mistake(&thing().replace("id: s3-thing", "id: s3-other"));
    assert!(name.contains(":1:5: the id must be the file's name"), "{name}");
    let unused = mistake(&thing().replace(">= $min_bytes", ">= 1"));
    assert!(unused.contains("parameter `min_bytes` is not used"), "{unused}");
    let clock = mistake(&thing().replace(">= $min_bytes", ">= $min_bytes and now() > b.creation_date"));
    assert!(clock.contains(":18:") && clock.contains("`now` reads the clock: write `$as_of`"), "{clock}");
}

#[tokio::test]
async fn a_wrong_column_or_table_is_found_when_loading_and_shown_in_the_file() {
    for (right, wrong, place) in [
        ("b.incomplete_bytes is null", "b.incomplete_byte is null", ":18:11: "),
        ("left join pools", "left join pool", ":17:13: "),
        ("max(p.scope) as pool_id", "max(p.scope) as pool", ":15:3: the query must give a column `pool_id`"),
    ] {
        let mut library = library();
        library.add(parse(&thing().replace(right, wrong)).unwrap()).unwrap();
        let message = library.check().await.unwrap_err().to_string();
        assert!(message.contains(place), "{wrong}: {message}");
    }
}

#[test]
fn an_anchor_bomb_and_a_huge_file_are_refused() {
    let bomb = thing().replace("what: ", "what: &a ").replace("why: Why", "why: *a #");
    assert!(parse(&bomb).is_err());
    let deep = format!("{}\nx: {}", thing(), "[".repeat(2000));
    assert!(parse(&deep).is_err());
    let huge = format!("{}\n#{}", thing(), "x".repeat(300 * 1024));
    assert!(mistake(&huge).contains("larger than 256 KiB"));
}

#[test]
fn a_folder_adds_policies_and_replaces_those_of_the_same_id_with_a_notice() {
    let folder = tempfile::tempdir().unwrap();
    std::fs::create_dir(folder.path().join("s3")).unwrap();
    std::fs::write(folder.path().join("s3/s3-thing.yaml"), thing()).unwrap();
    let own = skeleton("s3-abandoned-uploads");
    std::fs::write(folder.path().join("s3-abandoned-uploads.yaml"), own).unwrap();
    let library = Library::with_folders(&[folder.path().to_owned()]).unwrap();
    assert!(library.find("s3-thing").is_some());
    assert_eq!(library.find("s3-abandoned-uploads").unwrap().file.title, "The bucket is as it should be");
    assert_eq!(library.notices().len(), 1);
    assert!(library.notices()[0].contains("replaces policies/s3/s3-abandoned-uploads.yaml"), "{:?}", library.notices());
}

#[cfg(unix)]
#[test]
fn a_link_in_a_folder_of_policies_is_refused() {
    let folder = tempfile::tempdir().unwrap();
    std::os::unix::fs::symlink("/etc/passwd", folder.path().join("s3-thing.yaml")).unwrap();
    let error = Library::with_folders(&[folder.path().to_owned()]).unwrap_err();
    assert!(error.to_string().contains("symbolic links are not followed"), "{error}");
    assert!(Library::with_folders(&[Path::new("/no/such/folder").to_owned()]).is_err());
}

/// An engine over a bucket `lake` with one old upload of 40 GiB, twice when asked.
fn lake(tags: &str) -> (crate::engine::Engine, RateCard) {
    use crate::store::tables::{scan::COVERAGE, storage};
    let engine = crate::engine::Engine::new().unwrap();
    let place = || Row::new().with("account_id", "111122223333").with("region", "us-east-1").with("bucket", "lake");
    engine.register(&storage::BUCKETS, &[place().with("abort_rule", false).with("tags", tags)]).unwrap();
    let initiated: chrono::DateTime<chrono::Utc> = "2026-10-01T00:00:00Z".parse().unwrap();
    let upload =
        place().with("key", "k").with("upload_id", "u").with("initiated", initiated).with("bytes", 40_i64 << 30);
    engine.register(&storage::MULTIPART_UPLOADS, &[upload]).unwrap();
    let gap = |table: &str, read: &str, resource: Option<&str>| {
        Row::new()
            .with("table_name", table)
            .with("account_id", "111122223333")
            .with("read", read)
            .with("resource", resource)
            .with("state", "missing")
            .with("reason", "AccessDenied")
    };
    let gaps = [
        gap("multipart_uploads", "s3:ListParts", Some("lake")),
        gap("multipart_uploads", "s3:ListParts", Some("other")),
        gap("athena_workgroups", "athena:GetWorkGroup", None),
    ];
    engine.register(&COVERAGE, &gaps).unwrap();
    (engine, RateCard::new(PriceBook::embedded().unwrap(), Vec::new(), Payer::Unknown))
}

async fn findings(tags: &str, keys: &[&str]) -> Evaluation {
    let (engine, card) = lake(tags);
    let keys: Vec<String> = keys.iter().map(|key| (*key).to_owned()).collect();
    let as_of = "2026-11-15T00:00:00Z".parse().unwrap();
    evaluate(&library(), &engine, &card, as_of, &keys).await.unwrap()
}

#[tokio::test]
async fn a_finding_carries_its_owner_action_trace_and_the_gaps_that_touch_it() {
    let found = findings(r#"{"Team":"ingest","owner":"ana"}"#, &["owner", "team"]).await;
    let finding = found.findings.iter().find(|finding| finding.policy == "s3-abandoned-uploads").unwrap();
    assert_eq!(finding.owner, Some("ana".into()));
    assert_eq!(finding.saving.known().unwrap().low, Money::new("0.84".parse().unwrap()));
    let crate::model::Action::PutLifecycleRule(rule) = finding.action.as_ref().unwrap();
    assert_eq!((rule.bucket.raw(), rule.abort_incomplete_multipart_days), ("lake", Some(7)));
    assert_eq!(finding.evidence["uploads"], serde_json::json!(1));
    let low = &finding.trace[0];
    assert_eq!((low.of.as_str(), low.numbers.as_str()), ("saving.low", "40 GiB × $0.021 per GB-month"));
    assert!(low.rates[0].contains("list price of"), "{:?}", low.rates);
    let touching: Vec<&str> = finding.gaps.iter().map(|gap| gap.read.as_str()).collect();
    assert_eq!(touching, ["s3:ListParts"], "the other bucket's gap and Athena's do not touch it");
    assert_eq!(found.gaps["s3-abandoned-uploads"].len(), 2);
    assert_eq!(found.gaps["s3-noncurrent-kept"].len(), 2, "pools stand on uploads");
}

#[tokio::test]
async fn the_first_of_the_owner_tags_counts_and_ids_stay() {
    let found = findings(r#"{"Team":"ingest"}"#, &["owner", "team"]).await;
    let again = findings("{}", &[]).await;
    assert_eq!(found.findings[0].owner, Some("ingest".into()));
    assert_eq!(again.findings[0].owner, None);
    assert_eq!(found.findings[0].id, again.findings[0].id);
    assert_eq!(found.findings[0].id.0.len(), 14);
    let uploads = found.findings.iter().find(|finding| finding.policy == "s3-abandoned-uploads").unwrap();
    assert_eq!(uploads.id.0, "f-lzcho77gzacd", "an id is a contract: people write it into tickets");
}

#[tokio::test]
async fn two_rows_about_one_resource_are_an_error() {
    let yaml =
        thing().replace("  from buckets b\n", "  from (select * from buckets union all select * from buckets) b\n");
    let yaml = yaml
        .replace("  group by b.account_id, b.region, b.bucket, b.incomplete_bytes\n", "")
        .replace("max(p.scope)", "p.scope");
    let mut library = library();
    library.add(parse(&yaml).unwrap()).unwrap();
    let (engine, card) = lake("{}");
    let as_of = "2026-11-15T00:00:00Z".parse().unwrap();
    let error = evaluate(&library.only("s3-thing"), &engine, &card, as_of, &[]).await.unwrap_err();
    assert!(error.to_string().contains("returned two rows about `lake`"), "{error}");
}

#[tokio::test]
async fn a_cost_without_a_high_end_leaves_the_net_unknown() {
    let likely = "low: \"0\", expected: \"gib(incomplete_bytes) * rate('s3.storage.standard')\"";
    let not_known = format!("{likely}, high: \"gib(most_bytes) * rate('s3.storage.standard')\"");
    for running in [likely, &not_known] {
        let yaml = thing().replace("effect:", &format!("running: {{ {running} }}\neffect:"));
        let yaml =
            yaml.replace("max(p.scope) as pool_id", "max(p.scope) as pool_id, max(b.object_count) as most_bytes");
        let mut library = library();
        library.add(parse(&yaml).unwrap()).unwrap();
        let engine = crate::engine::Engine::new().unwrap();
        let lake = Row::new().with("account_id", "1").with("region", "us-east-1").with("bucket", "lake");
        let lake = lake.with("incomplete_bytes", 40_i64 << 30);
        engine.register(&crate::store::tables::storage::BUCKETS, &[lake]).unwrap();
        let card = RateCard::new(PriceBook::embedded().unwrap(), Vec::new(), Payer::Unknown);
        let as_of = "2026-11-15T00:00:00Z".parse().unwrap();
        let finding = &evaluate(&library.only("s3-thing"), &engine, &card, as_of, &[]).await.unwrap().findings[0];
        let why = crate::model::Estimate::Unknown("running cost: nothing bounds it".to_owned());
        assert_eq!(finding.net_saving_12m, why, "{running}");
        assert!(finding.saving.known().is_some() && finding.curve.is_empty() && finding.payback_days.is_none());
    }
}

#[test]
fn the_published_schema_knows_every_key_of_every_policy() {
    let schema: serde_json::Value = serde_json::from_str(&schema()).unwrap();
    assert_eq!(schema["additionalProperties"], serde_json::json!(false));
    let known: Vec<&String> = schema["properties"].as_object().unwrap().keys().collect();
    for policy in library().policies() {
        let yaml: serde_json::Value = serde_saphyr::from_str(&policy.yaml).unwrap();
        let keys = yaml.as_object().unwrap().keys();
        assert!(keys.into_iter().all(|key| known.contains(&key)), "{}", policy.id());
    }
}
