//! A plan for other tools, by the real binary.

use std::os::unix::fs::PermissionsExt;
use std::process::Command;

use serde_json::Value;

use super::lake::Lake;

/// Stands for the AWS CLI: writes down what it is called with.
const AWS: &str =
    "#!/bin/sh\nfor word in \"$@\"; do printf '%s\\n' \"$word\" >>\"$HEARD\"; printf '\\036\\n' >>\"$HEARD\"; done\n";

#[test]
fn the_script_calls_the_aws_cli_with_every_rule_and_a_hostile_name_is_only_text() {
    let lake = Lake::stub();
    let hostile = "a'; touch pwned; echo '$(touch pwned)`touch pwned`\u{202e}";
    {
        let mut account = lake.world.aws.account();
        let bucket = account.s3.by_name.get_mut(&lake.with_rules).unwrap();
        bucket.lifecycle = Some(
            super::lake::THEIRS
                .replace("raw/", hostile)
                .replace("<FutureThing mode='x'><![CDATA[<a>]]></FutureThing>", "")
                .into(),
        );
    }
    let plan = lake.plan();
    let script = lake.world.run(&["plan", "emit", &plan, "--as", "cli"]).ends_with(0).stdout;
    assert!(script.is_ascii());
    let script = lake.world.write("change.sh", &script);
    let aws = lake.world.write("bin/aws", AWS);
    std::fs::set_permissions(&aws, std::fs::Permissions::from_mode(0o755)).unwrap();
    let path = format!("{}:{}", aws.parent().unwrap().display(), std::env::var("PATH").unwrap());
    let heard = lake.world.path("heard");
    let done =
        Command::new("sh").arg(script).env("PATH", path).env("HEARD", &heard).current_dir(lake.world.path("")).status();
    assert!(done.unwrap().success());
    assert!(!lake.world.path("pwned").exists());
    let heard = std::fs::read_to_string(heard).unwrap();
    let words: Vec<&str> = heard.split("\n\u{1e}\n").collect();
    assert_eq!(
        words[..5],
        ["s3api", "put-bucket-lifecycle-configuration", "--region", "us-east-1", "--cli-input-json"]
    );
    let input: Value = serde_json::from_str(words[5]).unwrap();
    let rules = input["LifecycleConfiguration"]["Rules"].as_array().unwrap();
    assert_eq!((rules.len(), &rules[0]["Filter"]["And"]["Prefix"]), (2, &Value::from(hostile)));
    assert_eq!(input["ExpectedBucketOwner"], "111122223333");
}

#[test]
fn a_bucket_whose_rules_a_tool_cannot_say_is_left_out_and_said() {
    let lake = Lake::stub();
    let plan = lake.plan();
    for tool in ["terraform", "cloudformation", "cli"] {
        let run = lake.world.run(&["plan", "emit", &plan, "--as", tool]).ends_with(3);
        let run = run.says("s3://lake-a-rules is left out").says("FutureThing").prints("lake-b-bare");
        assert!(!run.stdout.contains("400"), "{}", run.stdout);
    }
}
