//! A role around a policy, as infrastructure code: for one account, or as a template for a stack set over many.
//!
//! Who may assume it and under which external id are parameters of the template, never text in it.

use serde_json::{Value, json};

use super::with_arns;

/// One of leanlake's two roles.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Role {
    /// Reads, changes nothing.
    Scan,
    /// Carries out plans.
    Apply,
}

impl Role {
    /// Returns its name where nobody chooses another.
    pub const fn name(self) -> &'static str {
        match self {
            Role::Scan => "leanlake-scan",
            Role::Apply => "leanlake-apply",
        }
    }

    const fn duty(self) -> &'static str {
        match self {
            Role::Scan => "reads what an AWS data lake costs; denied every change and every look into objects",
            Role::Apply => "carries out the steps of reviewed leanlake plans",
        }
    }
}

/// Returns a CloudFormation template that makes the role, in whichever partition it is used. A service-managed stack set
/// makes it in every account.
pub fn cloudformation(role: Role, policy: &Value) -> Value {
    let here = |rest: &str| json!({"Fn::Sub": format!("arn:${{AWS::Partition}}:{}", rest.replace("${", "${!"))});
    let policy = with_arns(policy.clone(), &here);
    json!({
        "AWSTemplateFormatVersion": "2010-09-09",
        "Description": format!("leanlake: the role that {}.", role.duty()),
        "Parameters": {
            "RoleName": {"Type": "String", "Default": role.name()},
            "TrustedPrincipal": {
                "Type": "String",
                "Description": "ARN of the role or user that may assume this one, or an account id.",
            },
            "ExternalId": {"Type": "String", "Default": "", "Description": "Empty for none."},
        },
        "Conditions": {"HasExternalId": {"Fn::Not": [{"Fn::Equals": [{"Ref": "ExternalId"}, ""]}]}},
        "Resources": {"Role": {"Type": "AWS::IAM::Role", "Properties": {
            "RoleName": {"Ref": "RoleName"},
            "Description": format!("leanlake: {}", role.duty()),
            "MaxSessionDuration": 14400,
            "AssumeRolePolicyDocument": {"Version": "2012-10-17", "Statement": [{
                "Effect": "Allow",
                "Principal": {"AWS": {"Ref": "TrustedPrincipal"}},
                "Action": ["sts:AssumeRole", "sts:TagSession"],
                "Condition": {"Fn::If": [
                    "HasExternalId",
                    {"StringEquals": {"sts:ExternalId": {"Ref": "ExternalId"}}},
                    {"Ref": "AWS::NoValue"},
                ]},
            }]},
            "Policies": [{"PolicyName": role.name(), "PolicyDocument": policy}],
        }}},
        "Outputs": {"RoleArn": {"Value": {"Fn::GetAtt": ["Role", "Arn"]}}},
    })
}

/// Returns a Terraform module of one file that makes the role, in whichever partition it is used.
pub fn terraform(role: Role, policy: &Value) -> String {
    let label = role.name().replace('-', "_");
    format!(
        r#"# The role that {duty}.

variable "role_name" {{
  type    = string
  default = "{name}"
}}

variable "trusted_principal" {{
  type        = string
  description = "ARN of the role or user that may assume this one, or an account id."
}}

variable "external_id" {{
  type    = string
  default = null
}}

data "aws_partition" "current" {{}}

data "aws_iam_policy_document" "trust" {{
  statement {{
    actions = ["sts:AssumeRole", "sts:TagSession"]
    principals {{
      type        = "AWS"
      identifiers = [var.trusted_principal]
    }}
    dynamic "condition" {{
      for_each = var.external_id == null ? [] : [var.external_id]
      content {{
        test     = "StringEquals"
        variable = "sts:ExternalId"
        values   = [condition.value]
      }}
    }}
  }}
}}

resource "aws_iam_role" "{label}" {{
  name                 = var.role_name
  assume_role_policy   = data.aws_iam_policy_document.trust.json
  max_session_duration = 14400
}}

resource "aws_iam_role_policy" "{label}" {{
  name   = "{name}"
  role   = aws_iam_role.{label}.id
  policy = jsonencode({policy})
}}

output "role_arn" {{
  value = aws_iam_role.{label}.arn
}}
"#,
        duty = role.duty(),
        name = role.name(),
        policy = hcl(policy),
    )
}

/// A JSON document is an HCL expression once templates in its strings are escaped. The one template that is meant stands
/// where an ARN names its partition.
fn hcl(document: &Value) -> String {
    let text = format!("{document:#}").replace("${", "$${").replace("%{", "%%{");
    text.replace("\"arn:aws:", "\"arn:${data.aws_partition.current.partition}:")
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::aws::collect::READS;
    use crate::aws::iam::{Reach, scan};

    #[test]
    fn a_stack_set_gets_the_policy_and_asks_who_may_assume_the_role() {
        let policy = scan(&READS.concat(), &Reach::default());
        let template = cloudformation(Role::Scan, &policy);
        let properties = &template["Resources"]["Role"]["Properties"];
        let document = &properties["Policies"][0]["PolicyDocument"];
        let statements = |of: &Value| of["Statement"].as_array().map(Vec::len);
        assert_eq!(statements(document), statements(&policy));
        let parameter = &template["Parameters"]["TrustedPrincipal"];
        assert!(parameter.get("Default").is_none(), "nobody is trusted unless named");
    }

    #[test]
    fn both_forms_leave_the_partition_to_where_they_are_used() {
        let reach = Reach { exports: vec![("bills", "${x}")], members: Some("/p/leanlake-scan"), ..Reach::default() };
        let policy = scan(&READS.concat(), &reach);
        let template = cloudformation(Role::Scan, &policy).to_string();
        for arn in ["arn:${AWS::Partition}:iam::*:role/p/leanlake-scan", "arn:${AWS::Partition}:s3:::bills/${!x}/*"] {
            assert!(template.contains(&json!({"Fn::Sub": arn}).to_string()), "{arn} in {template}");
        }
        let file = terraform(Role::Scan, &policy);
        assert!(file.contains("data \"aws_partition\" \"current\" {}"), "{file}");
        let here = "\"arn:${data.aws_partition.current.partition}";
        for arn in [":iam::*:role/p/leanlake-scan\"", ":s3:::bills/$${x}/*\""] {
            assert!(file.contains(&format!("{here}{arn}")), "{arn} in {file}");
        }
        assert!(!template.contains("arn:aws:") && !file.contains("arn:aws:"));
    }

    #[test]
    fn text_in_a_policy_is_no_template_in_terraform() {
        let policy = scan(
            &READS.concat(),
            &Reach { exports: vec![("b", "${file(\"/etc/passwd\")}%{if x}")], ..Reach::default() },
        );
        let file = terraform(Role::Scan, &policy);
        assert!(file.contains("$${file(") && file.contains("%%{if x}"), "{file}");
        assert!(file.contains("resource \"aws_iam_role_policy\" \"leanlake_scan\""));
    }
}
