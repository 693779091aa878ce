//! Data Exports: which exports there are, and where they are delivered.

use serde_json::json;

use super::{Answer, Request};

/// An export into a bucket.
pub struct Export {
    pub name: String,
    pub bucket: String,
    pub prefix: String,
    /// The table that its query reads.
    pub table: &'static str,
}

pub(super) fn answer(request: &Request, exports: &[Export]) -> Answer {
    let arn = |export: &Export| format!("arn:aws:bcm-data-exports:us-east-1:111122223333:export/{}", export.name);
    match request.operation.as_str() {
        "bcm-data-exports:ListExports" => {
            let reference = |export| {
                json!({
                    "ExportArn": arn(export), "ExportName": export.name, "ExportStatus": {"StatusCode": "HEALTHY"}
                })
            };
            Answer::json(&json!({"Exports": exports.iter().map(reference).collect::<Vec<_>>()}))
        }
        "bcm-data-exports:GetExport" => {
            let asked = request.json()["ExportArn"].as_str().unwrap_or_default().to_owned();
            let Some(export) = exports.iter().find(|export| arn(export) == asked) else {
                return request.refuse(400, "ResourceNotFoundException", "there is no such export");
            };
            let output = json!({
                "OutputType": "CUSTOM", "Format": "TEXT_OR_CSV", "Compression": "GZIP", "Overwrite": "OVERWRITE_REPORT"
            });
            let to = json!({
                "S3Bucket": export.bucket, "S3Prefix": export.prefix, "S3Region": "eu-west-1",
                "S3OutputConfigurations": output
            });
            Answer::json(&json!({"Export": {
                "ExportArn": asked, "Name": export.name,
                "DataQuery": {"QueryStatement": format!("SELECT bill_bill_type FROM {}", export.table)},
                "DestinationConfigurations": {"S3Destination": to},
                "RefreshCadence": {"Frequency": "SYNCHRONOUS"}
            }}))
        }
        _ => request.refuse(501, "NotImplemented", "the tests' server does not play this operation"),
    }
}
