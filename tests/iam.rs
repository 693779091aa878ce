//! The roles that `iam` prints, from outside: right in every partition, and nobody is asked.

use crate::support::World;

const SCAN: [&str; 6] = ["iam", "scan", "--export", "s3://bills/cur", "--members", "/audit/leanlake-scan"];

fn printed(world: &World, more: &[&str]) -> String {
    let text = world.run(&[&SCAN[..], more].concat()).ends_with(0).stdout;
    assert!(!text.contains("role//"), "{text}");
    text
}

#[test]
fn the_partition_is_the_named_one_or_that_of_the_region() {
    let world = World::new();
    let all_of = |partition: &str, text: &str| {
        let role = format!("\"arn:{partition}:iam::*:role/audit/leanlake-scan\"");
        let bills = format!("\"arn:{partition}:s3:::bills/cur/*\"");
        assert!(text.contains(&role) && text.contains(&bills), "{partition}: {text}");
        assert_eq!(text.matches("\"arn:").count(), text.matches(&format!("\"arn:{partition}:")).count());
    };
    all_of("aws", &printed(&world, &[]));
    all_of("aws-cn", &printed(&world, &["--partition", "aws-cn"]));
    all_of("aws-us-gov", &printed(&world, &["--region", "us-gov-west-1"]));
    let china = World::new().set("AWS_REGION", "cn-north-1");
    all_of("aws-cn", &printed(&china, &[]));
    let apply = china.run(&["iam", "apply"]).ends_with(0).stdout;
    assert!(apply.contains("\"arn:aws-cn:s3:::*\"") && !apply.contains("arn:aws:"), "{apply}");
    let profiled = World::new().without("AWS_REGION");
    profiled.write(".aws/config", "[profile gov]\nregion = us-gov-east-1\n");
    all_of("aws-us-gov", &printed(&profiled, &["--profile", "gov"]));
    assert!(world.aws.calls().is_empty() && china.aws.calls().is_empty() && profiled.aws.calls().is_empty());
    world.run(&["iam", "scan", "--partition", "mars"]).ends_with(64).says("aws-us-gov");
}

#[test]
fn terraform_and_cloudformation_take_the_partition_from_where_they_are_used() {
    let world = World::new();
    let terraform = printed(&world, &["--as", "terraform"]);
    assert!(terraform.contains("data \"aws_partition\" \"current\" {}"), "{terraform}");
    assert!(terraform.contains("\"arn:${data.aws_partition.current.partition}:s3:::bills/cur/*\""), "{terraform}");
    let template = printed(&world, &["--as", "cloudformation"]);
    assert!(template.contains("\"Fn::Sub\": \"arn:${AWS::Partition}:iam::*:role/audit/leanlake-scan\""), "{template}");
    assert!(!terraform.contains("arn:aws:") && !template.contains("arn:aws:"));
}
