//! Sizes of a sample of incomplete uploads, oldest first, until the budget of requests is spent.
//!
//! A size is written only when all parts of the upload were listed: half a sum is not a size.

use std::collections::BTreeMap;

use aws_sdk_s3::Client;

use super::uploads::Upload;
use crate::aws::collect::ask::ask;
use crate::aws::collect::outcome::{End, Outcome};
use crate::aws::collect::{Failed, Read, Scope, Trouble};

/// Sizes of uploads.
pub const PARTS: Read =
    Read::columns("s3:ListParts", "s3:ListMultipartUploadParts", "multipart_uploads", &["bytes", "parts"]);

/// What the parts of one upload add up to.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Size {
    /// Their bytes.
    pub bytes: i64,
    /// Their number.
    pub parts: i64,
}

/// What the sample gave for one upload.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Sampled {
    /// All of its parts were listed.
    Size(Size),
    /// It was completed or aborted since it was listed.
    Gone,
    /// Its parts were not listed, for this reason.
    Not(Failed),
}

/// Returns what was found out about each of `uploads`, which must be oldest first.
pub async fn sample(scope: &Scope, clients: &BTreeMap<String, Client>, uploads: &[Upload]) -> Vec<Sampled> {
    let mut denied: BTreeMap<&str, Failed> = BTreeMap::new();
    let mut found = Vec::with_capacity(uploads.len());
    for upload in uploads {
        let known = denied.get(upload.bucket.as_str()).cloned();
        let sampled = match (known, clients.get(&upload.region)) {
            (Some(failed), _) => Sampled::Not(failed),
            (None, Some(client)) => size(scope, client, upload).await,
            (None, None) => Sampled::Not(Failed::cancelled()),
        };
        if let Sampled::Not(failed) = &sampled
            && failed.trouble == Trouble::Denied
        {
            denied.insert(&upload.bucket, failed.clone());
        }
        found.push(sampled);
    }
    found
}

async fn size(scope: &Scope, client: &Client, upload: &Upload) -> Sampled {
    let mut size = Size::default();
    let mut marker = None;
    loop {
        match scope.left.list_parts.take(1).await {
            Ok(taken) => taken.used(1),
            Err(spent) => return Sampled::Not(spent),
        }
        let call = client.list_parts().bucket(&upload.bucket).key(&upload.key).upload_id(&upload.id);
        let call = call.expected_bucket_owner(&scope.account_id).set_part_number_marker(marker.take());
        let page = match ask(scope, call.send()).await {
            Ok(page) => page,
            Err(failed) if failed.code.as_deref() == Some("NoSuchUpload") => return Sampled::Gone,
            Err(failed) => return Sampled::Not(failed),
        };
        size.parts += i64::try_from(page.parts().len()).unwrap_or(i64::MAX);
        size.bytes += page.parts().iter().filter_map(aws_sdk_s3::types::Part::size).sum::<i64>();
        if page.is_truncated() != Some(true) {
            return Sampled::Size(size);
        }
        marker = page.next_part_number_marker;
    }
}

/// Returns how the sample of each bucket ended. Buckets without uploads have nothing to sample and are whole.
pub fn outcomes(uploads: &[Upload], found: &[Sampled]) -> Vec<Outcome> {
    let mut by_bucket: BTreeMap<(&str, &str), Vec<&Sampled>> = BTreeMap::new();
    for (upload, sampled) in uploads.iter().zip(found) {
        by_bucket.entry((&upload.region, &upload.bucket)).or_default().push(sampled);
    }
    let outcome = |((region, bucket), sampled): ((&str, &str), Vec<&Sampled>)| Outcome {
        resource: bucket.to_owned(),
        region: Some(region.to_owned()),
        end: end(&sampled),
    };
    by_bucket.into_iter().map(outcome).collect()
}

fn end(sampled: &[&Sampled]) -> End {
    let failure = sampled.iter().find_map(|s| if let Sampled::Not(failed) = s { Some(failed.clone()) } else { None });
    let seen = sampled.iter().filter(|s| !matches!(s, Sampled::Not(_))).count();
    match failure {
        None => End::Whole,
        Some(failed) if seen == 0 && !matches!(failed.trouble, Trouble::OverBudget | Trouble::OverTime) => {
            End::Failed(failed)
        }
        Some(failed) => End::Cut(failed, seen, Some(sampled.len())),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn upload(bucket: &str, id: &str) -> Upload {
        Upload {
            initiated: None,
            bucket: bucket.into(),
            region: "us-east-1".into(),
            key: "k".into(),
            id: id.into(),
            class: None,
        }
    }

    #[test]
    fn a_bucket_is_whole_only_when_every_upload_was_sized_or_is_gone() {
        let budget = Failed { trouble: Trouble::OverBudget, code: None, reason: "spent".into() };
        let uploads = [upload("a", "1"), upload("a", "2"), upload("b", "3"), upload("b", "4")];
        let found = [
            Sampled::Size(Size { bytes: 5, parts: 1 }),
            Sampled::Gone,
            Sampled::Size(Size::default()),
            Sampled::Not(budget.clone()),
        ];
        let ends: Vec<_> = outcomes(&uploads, &found).into_iter().map(|o| (o.resource, o.end)).collect();
        assert_eq!(ends, [("a".into(), End::Whole), ("b".into(), End::Cut(budget, 1, Some(2)))]);
    }
}
