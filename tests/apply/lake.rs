//! Two buckets, one with rules of somebody else and one without any, behind a gate; and somebody who looks at them
//! without leanlake's code.

use std::collections::BTreeMap;
use std::io::Write;
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use chrono::{DateTime, Utc};

use leanlake::lifecycle::{Configuration, Document, Observed};
use leanlake::model::action::LifecycleRule;
use leanlake::model::finding::{Confidence, Finding, FindingId, Level, Pillar, Status, Verdict};
use leanlake::model::{Action, Estimate, Money, Origin, Range};
use leanlake::plan::{self, Facts, Selection};
use serde_json::{Value, json};

use super::gate::{Gate, Hold, forward};
use crate::aws::s3::Bucket;
use crate::support::{World, skip};

/// The rule that a fixed bucket has more.
pub const OURS: &str = "<Rule><ID>leanlake-abort-incomplete-uploads</ID><Filter><Prefix></Prefix></Filter>\
    <Status>Enabled</Status><AbortIncompleteMultipartUpload><DaysAfterInitiation>7</DaysAfterInitiation>\
    </AbortIncompleteMultipartUpload></Rule>";

/// Rules with what leanlake does not know: elements, comments, character data, odd spacing.
pub const THEIRS: &str = "<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n\
    <LifecycleConfiguration xmlns=\"http://s3.amazonaws.com/doc/2006-03-01/\">\n  <Rule>\n    <ID>raw &amp; old</ID>\n\
    <Filter><And><Prefix>raw/</Prefix><Tag><Key>keep</Key><Value>no</Value></Tag>\
    <ObjectSizeGreaterThan>131071</ObjectSizeGreaterThan></And></Filter>\n    <Status>Enabled</Status>\n\
    <Transition><Days>40</Days><StorageClass>STANDARD_IA</StorageClass></Transition>\n\
    <Expiration><Days>400</Days></Expiration><!-- asked for by audit --><FutureThing mode='x'><![CDATA[<a>]]></FutureThing>\n\
    </Rule>\n</LifecycleConfiguration>\n";

const WITNESS: &str = r#"
import sys, json, boto3, botocore.exceptions
order = json.load(sys.stdin)
s3 = boto3.client("s3", endpoint_url=order["s3"], region_name="us-east-1", aws_access_key_id="AKIATESTS",
                  aws_secret_access_key="secret")
for name, rules in order.get("make", {}).items():
    s3.create_bucket(Bucket=name)
    if rules:
        s3.put_bucket_lifecycle_configuration(Bucket=name, LifecycleConfiguration={"Rules": rules},
                                              TransitionDefaultMinimumObjectSize="varies_by_storage_class")
seen = {}
for name in order["see"]:
    try:
        got = s3.get_bucket_lifecycle_configuration(Bucket=name)
        seen[name] = {"rules": {r["ID"]: r for r in got["Rules"]},
                      "setting": got.get("TransitionDefaultMinimumObjectSize")}
    except botocore.exceptions.ClientError as error:
        assert error.response["Error"]["Code"] == "NoSuchLifecycleConfiguration", error
        seen[name] = None
for name in order.get("remove", []):
    s3.delete_bucket(Bucket=name)
json.dump(seen, sys.stdout, default=str)
"#;

enum Witness {
    /// The tests' own S3 keeps documents byte for byte.
    Stub,
    /// boto3 reads what LocalStack has.
    Boto3 { python: String, s3: String },
}

/// The lake of one test.
pub struct Lake {
    pub world: World,
    pub gate: Gate,
    pub with_rules: String,
    pub bare: String,
    witness: Witness,
}

impl Lake {
    /// Returns a lake in the tests' own S3.
    pub fn stub() -> Self {
        Lake::stub_in(World::new())
    }

    fn stub_in(world: World) -> Self {
        let gate = Gate::before(&world.aws.url());
        let lake = Lake::behind(world, gate, "lake", Witness::Stub);
        let theirs = Bucket { minimum_size: Some("varies_by_storage_class".into()), ..Bucket::in_region("us-east-1") };
        lake.world.aws.account().s3.add(&lake.with_rules, theirs.with_lifecycle(THEIRS));
        lake.world.aws.account().s3.add(&lake.bare, Bucket::in_region("us-east-1"));
        lake
    }

    /// Returns a lake in the tests' own S3, with the store there too: journals are objects.
    pub fn stub_with_journal_in_s3() -> Self {
        let world = World::new().set("LEANLAKE_STORE", "s3://keep/lake");
        world.aws.account().s3.add("keep", Bucket::in_region("us-east-1"));
        Lake::stub_in(world)
    }

    /// Returns a lake in LocalStack with boto3 as the witness, or says that the test is skipped.
    pub fn localstack(test: &str, name: &str) -> Option<Self> {
        let s3 = skip::unless_set(test, "LEANLAKE_TEST_S3")?;
        let python = skip::unless_set(test, "LEANLAKE_TEST_PYTHON")?;
        let name = format!("apply-{name}-{}", std::process::id());
        let lake = Lake::behind(World::new(), Gate::before(&s3), &name, Witness::Boto3 { python, s3 });
        let rules = json!([{
            "ID": "raw & old", "Status": "Enabled",
            "Filter": {"And": {"Prefix": "raw/", "Tags": [{"Key": "keep", "Value": "no"}], "ObjectSizeGreaterThan": 131_071}},
            "Transitions": [{"Days": 40, "StorageClass": "STANDARD_IA"}], "Expiration": {"Days": 400},
        }]);
        lake.ask_boto3(&json!({lake.with_rules.as_str(): rules, lake.bare.as_str(): null}), &[]);
        Some(lake)
    }

    fn behind(world: World, gate: Gate, name: &str, witness: Witness) -> Self {
        let world = world.set("AWS_ENDPOINT_URL_S3", &format!("http://{}", gate.host()));
        Lake { world, gate, with_rules: format!("{name}-a-rules"), bare: format!("{name}-b-bare"), witness }
    }

    /// Starts the binary and waits until the gate holds the request that `hold` says.
    #[track_caller]
    pub fn start_and_hold(&self, arguments: &[&str], hold: Hold) -> Child {
        self.gate.arm(Some(hold));
        let child = self.world.start(arguments);
        let deadline = Instant::now() + Duration::from_mins(1);
        while !self.gate.holds() {
            assert!(Instant::now() < deadline, "it never came to {hold:?}");
            std::thread::sleep(Duration::from_millis(2));
        }
        child
    }

    /// Returns the records of every run, as run and file, in their order.
    pub fn records(&self) -> Vec<(String, String)> {
        let account = self.world.aws.account();
        let kept = account.s3.by_name.get("keep").map(|bucket| &bucket.objects.0);
        let paths: Vec<String> = match kept {
            Some(objects) => objects.keys().cloned().collect(),
            None => self.world.files("store/runs").iter().map(|path| path.display().to_string()).collect(),
        };
        let record = |path: &String| {
            let (run, file) = path.rsplit_once("/runs/")?.1.split_once('/')?;
            let number = file.strip_suffix(".json")?;
            number.bytes().all(|b| b.is_ascii_digit()).then(|| (run.to_owned(), file.to_owned()))
        };
        paths.iter().filter_map(record).collect()
    }

    /// Writes a plan that aborts unfinished uploads in both buckets, made from what stands there.
    pub fn plan(&self) -> String {
        self.plan_made(std::time::SystemTime::now().into())
    }

    /// Writes such a plan as if it had been made `at` another time.
    pub fn plan_made(&self, at: DateTime<Utc>) -> String {
        let findings = [Self::found("f-1", &self.with_rules), Self::found("f-2", &self.bare)];
        let looks = [&self.with_rules, &self.bare].map(|bucket| (bucket.clone(), Ok(self.look(bucket))));
        let facts = Facts {
            account_id: "111122223333".into(),
            caller_arn: None,
            origin: Origin::Endpoint { hosts: BTreeMap::from([("s3".to_owned(), self.gate.host())]) },
            snapshot: "made by the test".into(),
            as_of: at,
            created_at: at,
        };
        let plan = plan::build(facts, &findings, &Selection::default(), &looks.into_iter().collect());
        assert_eq!(plan.steps.len(), 2, "{:?}", plan.skips);
        self.world.write("plan.json", &plan.to_json()).display().to_string()
    }

    fn found(id: &str, bucket: &str) -> Finding {
        let saving = Range::exact(Money::ZERO);
        let action = LifecycleRule {
            bucket: bucket.into(),
            abort_incomplete_multipart_days: Some(7),
            noncurrent_expiration_days: None,
            intelligent_tiering_days: None,
        };
        Finding {
            id: FindingId(id.into()),
            policy: "s3-abandoned-uploads".into(),
            title: "The bucket aborts uploads that were never completed".into(),
            pillar: Pillar::Save,
            resource: bucket.into(),
            account_id: "111122223333".into(),
            region: "us-east-1".into(),
            owner: None,
            effect: None,
            saving: Estimate::Known(saving),
            running: Estimate::Known(saving),
            one_off: Estimate::Known(saving),
            curve: vec![],
            net_saving_12m: Estimate::Known(saving),
            payback_days: None,
            basis: vec![],
            confidence: Confidence::Measured,
            unlock: None,
            effort: Level::VeryLow,
            risk: Level::Low,
            reversible: false,
            action: Some(Action::PutLifecycleRule(action)),
            instructions: None,
            evidence: BTreeMap::new(),
            trace: vec![],
            gaps: vec![],
            status: Status::New,
            verdict: Verdict::Recommended { counted: saving, limit: None },
        }
    }

    /// Looks at a bucket over plain HTTP.
    fn look(&self, bucket: &str) -> Observed {
        let request = format!(
            "GET /{bucket}?lifecycle HTTP/1.1\r\nhost: {}\r\nauthorization: AWS4-HMAC-SHA256 \
             Credential=AKIATESTS/20261120/us-east-1/s3/aws4_request, SignedHeaders=host, Signature=0\r\n\r\n",
            self.gate.host()
        );
        let answer = String::from_utf8(forward(request.as_bytes(), &self.gate.host())).unwrap();
        let (head, body) = answer.split_once("\r\n\r\n").unwrap();
        let configuration = if head.starts_with("HTTP/1.1 404") {
            Configuration::default()
        } else {
            let setting = head.lines().find_map(|line| {
                let (name, value) = line.split_once(':')?;
                name.eq_ignore_ascii_case("x-amz-transition-default-minimum-object-size")
                    .then(|| value.trim().to_owned())
            });
            // The body may be chunked; the document is what stands from its first `<` to its last `>`.
            let (start, end) = (body.find('<').unwrap(), body.rfind('>').unwrap() + 1);
            let tail = if body.ends_with(">\n") { end + 1 } else { end };
            Configuration {
                document: Some(Document::parse(&body.as_bytes()[start..tail]).unwrap()),
                small_objects: setting,
            }
        };
        Observed { configuration, tags: Some(BTreeMap::new()) }
    }

    /// Returns what the witness sees in both buckets.
    pub fn see(&self) -> [Value; 2] {
        if let Witness::Boto3 { .. } = self.witness {
            let seen = self.ask_boto3(&json!({}), &[]);
            return [&self.with_rules, &self.bare].map(|bucket| seen[bucket.as_str()].clone());
        }
        let account = self.world.aws.account();
        [&self.with_rules, &self.bare].map(|bucket| {
            let bucket = &account.s3.by_name[bucket.as_str()];
            let document = bucket.lifecycle.as_ref().map(|bytes| String::from_utf8(bytes.clone()).unwrap());
            document.map_or(Value::Null, |document| json!({"document": document, "setting": bucket.minimum_size}))
        })
    }

    fn ask_boto3(&self, make: &Value, remove: &[&str]) -> Value {
        let Witness::Boto3 { python, s3 } = &self.witness else { panic!("no boto3 here") };
        let mut child =
            Command::new(python).args(["-c", WITNESS]).stdin(Stdio::piped()).stdout(Stdio::piped()).spawn().unwrap();
        let order = json!({"s3": s3, "make": make, "see": [self.with_rules, self.bare], "remove": remove});
        child.stdin.take().unwrap().write_all(order.to_string().as_bytes()).unwrap();
        let done = child.wait_with_output().unwrap();
        assert!(done.status.success(), "boto3 could not look");
        serde_json::from_slice(&done.stdout).unwrap()
    }

    /// Returns what both buckets had before anything of ours.
    pub fn foreign() -> [Value; 2] {
        [json!({"document": THEIRS, "setting": "varies_by_storage_class"}), Value::Null]
    }

    /// Expects that both buckets have our rule more than `before`, and nothing else changed.
    #[track_caller]
    pub fn expect_fixed(&self, before: &[Value; 2]) {
        let now = self.see();
        match self.witness {
            Witness::Stub => {
                let theirs = before[0]["document"].as_str().unwrap();
                let with_ours =
                    theirs.replace("</LifecycleConfiguration>", &format!("{OURS}</LifecycleConfiguration>"));
                assert_eq!(now[0], json!({"document": with_ours, "setting": "varies_by_storage_class"}));
                assert!(now[1]["document"].as_str().unwrap().contains(OURS));
            }
            Witness::Boto3 { .. } => {
                let ours = json!({
                    "ID": "leanlake-abort-incomplete-uploads", "Filter": {"Prefix": ""}, "Status": "Enabled",
                    "AbortIncompleteMultipartUpload": {"DaysAfterInitiation": 7},
                });
                let mut expected = before[0].clone();
                expected["rules"]["leanlake-abort-incomplete-uploads"] = ours.clone();
                assert_eq!(now[0], expected);
                assert_eq!(now[1]["rules"], json!({"leanlake-abort-incomplete-uploads": ours}));
            }
        }
    }

    /// Expects that every rule of others is whole, whatever else happened.
    #[track_caller]
    pub fn expect_foreign_rules_whole(&self, before: &[Value; 2]) {
        let now = &self.see()[0];
        assert_eq!(now["setting"], before[0]["setting"]);
        match self.witness {
            Witness::Stub => {
                let document = now["document"].as_str().unwrap().replace(OURS, "");
                assert_eq!(Some(document.as_str()), before[0]["document"].as_str());
            }
            Witness::Boto3 { .. } => assert_eq!(now["rules"]["raw & old"], before[0]["rules"]["raw & old"]),
        }
    }
}

impl Drop for Lake {
    /// Nothing stays behind in an emulator that other tests share.
    fn drop(&mut self) {
        let Witness::Boto3 { .. } = self.witness else { return };
        if !std::thread::panicking() {
            self.ask_boto3(&json!({}), &[&self.with_rules, &self.bare]);
        }
    }
}
