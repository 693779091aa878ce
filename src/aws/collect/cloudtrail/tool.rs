//! The tool behind a call, from its user agent and what AWS says about it. Pure; keeps one word, not the agent.

/// Words that stand in a user agent, and the tool that they mean. The first that is found counts: a tool names itself
/// before or behind the SDK that it is built on, and forks name what they come from.
const WORDS: &[(&str, &str)] = &[
    ("cloudformation.amazonaws.com", "cloudformation"),
    ("aws-cdk", "cdk"),
    ("pulumi", "pulumi"),
    ("opentofu", "opentofu"),
    ("crossplane", "crossplane"),
    ("upjet", "crossplane"),
    ("terraform", "terraform"),
    ("ansible", "ansible"),
    ("cloudcustodian", "custodian"),
    ("cloud-custodian", "custodian"),
    ("leanlake", "leanlake"),
    ("s3console", "console"),
    ("console.amazonaws.com", "console"),
    ("mozilla/", "console"),
    ("aws-cli", "cli"),
    ("aws-sdk", "sdk"),
    ("boto3", "sdk"),
    ("botocore", "sdk"),
];

/// What a call says about the tool behind it.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Signs<'a> {
    /// `userAgent`.
    pub agent: &'a str,
    /// `userIdentity.invokedBy`: the AWS service that called.
    pub invoked_by: &'a str,
    /// `sourceIPAddress`, which is a name for calls of AWS services.
    pub source: &'a str,
    /// `sessionCredentialFromConsole`.
    pub from_console: bool,
}

/// Returns the word for the tool.
pub fn tool(signs: Signs<'_>) -> &'static str {
    if [signs.agent, signs.invoked_by, signs.source].contains(&"cloudformation.amazonaws.com") {
        return "cloudformation";
    }
    let agent = signs.agent.to_ascii_lowercase();
    let named = WORDS.iter().find(|(word, _)| agent.contains(word)).map(|(_, tool)| *tool);
    match named {
        // The console calls through SDKs of its own.
        Some("sdk" | "cli") | None if signs.from_console => "console",
        Some(tool) => tool,
        None if signs.agent.ends_with(".amazonaws.com") || !signs.invoked_by.is_empty() => "aws_service",
        None => "other",
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn by(agent: &str) -> &'static str {
        tool(Signs { agent, ..Signs::default() })
    }

    #[test]
    fn tools_are_told_by_the_agents_that_they_send() {
        let terraform = "[APN/1.0 HashiCorp/1.0 Terraform/1.11.4 (+https://www.terraform.io) terraform-provider-aws/5.100.0 (+https://registry.terraform.io/providers/hashicorp/aws) aws-sdk-go-v2/1.36.3 os/linux lang/go#1.23.8 api/s3#1.79.3]";
        assert_eq!(by(terraform), "terraform");
        assert_eq!(by("[APN/1.0 Pulumi/1.0 PulumiAWS/6.0 Terraform/1.5 aws-sdk-go-v2/1.3]"), "pulumi");
        assert_eq!(
            by(
                "[aws-cli/2.27.4 md/awscrt#0.26.1 ua/2.1 os/linux#6.8 md/command#s3api.put-bucket-lifecycle-configuration]"
            ),
            "cli"
        );
        assert_eq!(by("[Boto3/1.43.11 md/Botocore#1.43.11 ua/2.1 lang/python#3.11.7]"), "sdk");
        assert_eq!(by("[aws-sdk-rust/1.3 os/linux lang/rust/1.95 app/leanlake]"), "leanlake");
        assert_eq!(by("[S3Console/0.4, aws-internal/3 aws-sdk-java/1.12.750]"), "console");
        assert_eq!(by("cloudformation.amazonaws.com"), "cloudformation");
        assert_eq!(by("config.amazonaws.com"), "aws_service");
        assert_eq!(by("curl/8.5"), "other");
    }

    #[test]
    fn a_console_session_behind_an_sdk_is_the_console() {
        assert_eq!(tool(Signs { agent: "aws-sdk-js/3.1", from_console: true, ..Signs::default() }), "console");
        let stack = Signs { agent: "aws-sdk-java/2", invoked_by: "cloudformation.amazonaws.com", ..Signs::default() };
        assert_eq!(tool(stack), "cloudformation");
    }
}
