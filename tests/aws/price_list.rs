//! The public price list: offers as CSV, in AWS's shape, for whoever asks.

use std::collections::BTreeMap;
use std::fmt::Write;

use super::{Answer, Request};

/// One price of an offer.
#[derive(Clone, Debug)]
pub struct Line {
    pub sku: String,
    pub usage_type: String,
    pub operation: String,
    pub from: String,
    pub usd: String,
}

impl Line {
    /// Returns the price of a usage type from a quantity on.
    pub fn new(sku: &str, usage_type: &str, from: &str, usd: &str) -> Self {
        let operation = String::new();
        Line { sku: sku.into(), usage_type: usage_type.into(), operation, from: from.into(), usd: usd.into() }
    }
}

/// The files by offer and Region.
#[derive(Default)]
pub struct PriceList(BTreeMap<String, String>);

impl PriceList {
    /// Publishes a file; the one of the same offer and Region is gone.
    pub fn publish(&mut self, offer: &str, region: &str, day: &str, lines: &[Line]) {
        self.0.insert(format!("{offer}/{region}"), file(offer, region, day, lines));
    }

    pub(super) fn answer(&self, request: &Request) -> Answer {
        let file = request.resource.as_ref().and_then(|name| self.0.get(name));
        match file {
            Some(text) => Answer::new(200, "text/csv", text.as_str()),
            // The list lies on S3, which does not say whether a file exists.
            None => Answer::new(403, "application/xml", "<Error><Code>AccessDenied</Code></Error>"),
        }
    }
}

/// Returns the file that `/offers/v1.0/aws/AmazonS3/current/eu-west-1/index.csv` names: `AmazonS3/eu-west-1`.
pub(super) fn named(path: &str) -> Option<String> {
    let (offer, rest) = path.strip_prefix("/offers/v1.0/aws/")?.split_once("/current/")?;
    Some(format!("{offer}/{}", rest.strip_suffix("/index.csv")?))
}

fn file(offer: &str, region: &str, day: &str, lines: &[Line]) -> String {
    let version = format!("{}120000", day.replace('-', ""));
    let mut text = format!(
        "\"FormatVersion\",\"v1.0\"\n\
         \"Disclaimer\",\"This pricing list is for informational purposes only, \"\"as is\"\"\"\n\
         \"Publication Date\",\"{day}T12:00:00Z\"\n\"Version\",\"{version}\"\n\"OfferCode\",\"{offer}\"\n\
         \"SKU\",\"OfferTermCode\",\"RateCode\",\"TermType\",\"PriceDescription\",\"EffectiveDate\",\"StartingRange\",\
         \"EndingRange\",\"Unit\",\"PricePerUnit\",\"Currency\",\"Product Family\",\"serviceCode\",\"Location\",\
         \"Location Type\",\"Group\",\"Group Description\",\"usageType\",\"operation\",\"Region Code\",\"serviceName\"\n"
    );
    for Line { sku, usage_type, operation, from, usd } in lines {
        let _ = writeln!(
            text,
            "\"{sku}\",\"JRTCKXETXF\",\"{sku}.JRTCKXETXF.{from}\",\"OnDemand\",\"${usd} per unit, first tier\",\
             \"{day}\",\"{from}\",\"Inf\",\"Unit\",\"{usd}\",\"USD\",\"Family\",\"{offer}\",\"Somewhere\",\
             \"AWS Region\",\"\",\"\",\"{usage_type}\",\"{operation}\",\"{region}\",\"Service\""
        );
    }
    text
}
