//! Exports of the bill that the account has in Data Exports: where they are delivered. Reads no file of theirs.

use std::collections::BTreeSet;

use aws_sdk_bcmdataexports::Client;
use aws_sdk_bcmdataexports::types::ExportReference;

use super::ask::ask;
use super::pages::{Listed, list_pages};
use super::{Failed, Read, Scope, Sink};
use crate::rollup::export::{Lack, lacks_of};
use crate::store::tables::bill::BILL;

/// What this collector calls. The files themselves are read by prefix, under an allowlist of their own.
pub const READS: &[Read] = &[LIST, GET];

const LIST: Read = Read::rows("bcm-data-exports:ListExports", "bcm-data-exports:ListExports", BILL.name);
const GET: Read = Read::rows("bcm-data-exports:GetExport", "bcm-data-exports:GetExport", BILL.name);

/// The tables of Data Exports that are bills, as their queries name them.
const BILLS: &[&str] = &["COST_AND_USAGE_REPORT", "FOCUS_1_"];

/// Where an export of the bill is delivered.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Export {
    /// Its name; text from outside.
    pub name: String,
    /// `s3://bucket/prefix/name`, or what is above it where its prefix has folders without a name; text from outside.
    pub url: String,
    /// What its definition leaves out.
    pub lacks: BTreeSet<Lack>,
    /// The bucket's Region.
    pub region: String,
}

/// What Data Exports told.
#[derive(Debug)]
pub struct Told {
    /// The exports of the bill.
    pub exports: Vec<Export>,
    listed: Listed<ExportReference>,
    refused: Vec<(String, Failed)>,
}

impl Told {
    /// Returns why there may be more exports.
    pub fn failed(self) -> Option<Failed> {
        self.listed.failed.or_else(|| self.refused.into_iter().next().map(|(_, failed)| failed))
    }
}

/// Returns the exports of the bill. What could not be asked is a gap.
pub async fn collect(scope: &Scope, sink: &Sink) -> Vec<Export> {
    let told = find(scope).await;
    sink.cover(told.listed.coverage(&LIST).at(&scope.account_id, None)).await;
    for (name, failed) in &told.refused {
        sink.cover(failed.gap(&GET).at(&scope.account_id, None).of(name.as_str())).await;
    }
    told.exports
}

/// Asks which exports of the bill there are, and where each is delivered.
pub async fn find(scope: &Scope) -> Told {
    let client = scope.data_exports();
    let listed = list_pages(scope, client.list_exports().into_paginator().send(), |page| page.exports).await;
    let (mut exports, mut refused) = (Vec::new(), Vec::new());
    for reference in &listed.found {
        match describe(scope, &client, &reference.export_arn).await {
            Ok(export) => exports.extend(export),
            Err(failed) => refused.push((reference.export_name.clone(), failed)),
        }
    }
    Told { exports, listed, refused }
}

/// Returns where the export is delivered; `None` when it is no bill.
async fn describe(scope: &Scope, client: &Client, arn: &str) -> Result<Option<Export>, Failed> {
    let answer = ask(scope, client.get_export().export_arn(arn).send()).await?;
    let export = answer.export.ok_or_else(|| Failed::left_out("the export"))?;
    let query = export.data_query.as_ref().map(|query| query.query_statement.as_str()).unwrap_or_default();
    let tables = export.data_query.as_ref().and_then(|query| query.table_configurations.as_ref());
    let properties = tables.into_iter().flat_map(|tables| tables.values()).flatten();
    let lacks = lacks_of(query, properties.map(|(name, value)| (name.as_str(), value.as_str())));
    let to = export.destination_configurations.and_then(|to| to.s3_destination);
    let query = query.to_uppercase();
    let is_bill = BILLS.iter().any(|table| query.contains(table));
    Ok(to.filter(|_| is_bill).map(|to| {
        let url = url_of(&to.s3_bucket, &to.s3_prefix, &export.name);
        Export { url, name: export.name, lacks, region: to.s3_region }
    }))
}

/// Returns the folder to look in. A prefix that begins or ends with `/` makes a folder without a name below it, which no
/// address names: then the one above.
fn url_of(bucket: &str, prefix: &str, name: &str) -> String {
    let named: Vec<&str> = prefix.split('/').take_while(|folder| !folder.is_empty()).collect();
    let is_plain = prefix.is_empty() || named.len() == prefix.split('/').count();
    let path = [bucket].into_iter().chain(named).chain(is_plain.then_some(name));
    format!("s3://{}", path.collect::<Vec<_>>().join("/"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_export_is_looked_for_where_its_prefix_puts_it() {
        for (prefix, url) in [
            ("", "s3://b/x"),
            ("cur/all", "s3://b/cur/all/x"),
            ("cur/", "s3://b/cur"),
            ("/cur", "s3://b"),
            ("a//b", "s3://b/a"),
        ] {
            assert_eq!(url_of("b", prefix, "x"), url, "{prefix}");
        }
    }
}
