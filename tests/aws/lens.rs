//! S3 Control: Storage Lens configurations, each in its home Region, one on a page.

use super::{Answer, Request};

const XMLNS: &str = "xmlns=\"http://awss3control.amazonaws.com/doc/2018-08-20/\"";

/// One configuration.
#[derive(Clone, Debug)]
pub struct Lens {
    pub home: String,
    pub id: String,
    /// Inside of `StorageLensConfiguration`, `Id` and `IsEnabled` left out.
    pub inside: String,
}

/// Answers from the configurations whose home is the Region that the request was signed for.
pub(super) fn answer(request: &Request, all: &[Lens], account: &str) -> Answer {
    if request.headers.get("x-amz-account-id").is_none_or(|id| id != account) {
        return request.refuse(403, "AccessDenied", "Access Denied");
    }
    let here: Vec<&Lens> = all.iter().filter(|lens| lens.home == request.region).collect();
    match request.operation.as_str() {
        "s3control:ListStorageLensConfigurations" => list(request, &here, account),
        "s3control:GetStorageLensConfiguration" => {
            let id = request.path.rsplit('/').next().unwrap_or_default();
            let Some(lens) = here.iter().find(|lens| lens.id == id) else {
                return request.refuse(404, "NoSuchConfiguration", "The specified configuration does not exist");
            };
            let inside = &lens.inside;
            Answer::xml(format!(
                "<StorageLensConfiguration {XMLNS}><Id>{id}</Id>{inside}<IsEnabled>true</IsEnabled>\
                 </StorageLensConfiguration>"
            ))
        }
        _ => request.refuse(501, "NotImplemented", "the tests' server does not play this operation"),
    }
}

fn list(request: &Request, here: &[&Lens], account: &str) -> Answer {
    let from: usize = match request.query.get("nextToken").map(|token| token.strip_prefix("page-")) {
        None => 0,
        Some(Some(at)) => at.parse().unwrap_or_default(),
        Some(None) => return request.refuse(400, "InvalidToken", "The token is not one of ours"),
    };
    let entry = |lens: &&Lens| {
        let Lens { home, id, .. } = lens;
        format!(
            "<StorageLensConfiguration><Id>{id}</Id><StorageLensArn>arn:aws:s3:{home}:{account}:storage-lens/{id}\
             </StorageLensArn><HomeRegion>{home}</HomeRegion><IsEnabled>true</IsEnabled></StorageLensConfiguration>"
        )
    };
    let entries = here.get(from).map(entry).unwrap_or_default();
    let next = from + 1;
    let token = if next < here.len() { format!("<NextToken>page-{next}</NextToken>") } else { String::new() };
    Answer::xml(format!(
        "<ListStorageLensConfigurationResult {XMLNS}>{token}{entries}</ListStorageLensConfigurationResult>"
    ))
}
