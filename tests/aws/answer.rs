//! An answer on the wire, and the error form of each protocol.

use std::time::Duration;

use serde_json::{Value, json};

use super::Request;

/// Status, headers and body.
#[derive(Clone, Debug)]
pub struct Answer {
    pub status: u16,
    pub headers: Vec<(String, String)>,
    pub body: Vec<u8>,
    /// The connection ends in the middle of the body.
    pub cut_short: bool,
    /// The pause before each byte of the body.
    pub drip: Option<Duration>,
}

impl Answer {
    pub fn new(status: u16, content_type: &str, body: impl Into<Vec<u8>>) -> Self {
        let headers = vec![("content-type".into(), content_type.into())];
        Answer { status, headers, body: body.into(), cut_short: false, drip: None }
    }

    pub fn json(body: &Value) -> Self {
        Answer::new(200, "application/x-amz-json-1.1", body.to_string())
    }

    pub fn xml(body: impl AsRef<str>) -> Self {
        Answer::new(200, "application/xml", format!("<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n{}", body.as_ref()))
    }

    pub fn cbor(body: &ciborium::Value) -> Self {
        let mut bytes = Vec::new();
        ciborium::into_writer(body, &mut bytes).unwrap();
        Answer::new(200, "application/cbor", bytes).header("smithy-protocol", "rpc-v2-cbor")
    }

    pub fn header(mut self, name: &str, value: &str) -> Self {
        self.headers.push((name.into(), value.into()));
        self
    }
}

impl Request {
    /// Returns an error in the form of the service's protocol.
    pub fn refuse(&self, status: u16, code: &str, message: &str) -> Answer {
        let text = escape(message);
        match self.service() {
            "s3" => Answer { status, ..Answer::xml(s3_error(code, &text)) },
            "ec2" => Answer { status, ..Answer::xml(ec2_error(code, &text)) },
            "sts" | "redshift" | "s3control" => Answer { status, ..Answer::xml(query_error(code, &text)) },
            "cloudwatch" => cbor_error(status, code, message),
            _ => json_error(status, code, message),
        }
    }
}

fn s3_error(code: &str, text: &str) -> String {
    format!("<Error><Code>{code}</Code><Message>{text}</Message><RequestId>R1</RequestId><HostId>h</HostId></Error>")
}

fn ec2_error(code: &str, text: &str) -> String {
    format!(
        "<Response><Errors><Error><Code>{code}</Code><Message>{text}</Message></Error></Errors>\
         <RequestID>r-1</RequestID></Response>"
    )
}

fn query_error(code: &str, text: &str) -> String {
    format!(
        "<ErrorResponse xmlns=\"https://sts.amazonaws.com/doc/2011-06-15/\"><Error><Type>Sender</Type>\
         <Code>{code}</Code><Message>{text}</Message></Error><RequestId>r-1</RequestId></ErrorResponse>"
    )
}

fn json_error(status: u16, code: &str, message: &str) -> Answer {
    let body = json!({"__type": code, "message": message});
    Answer { status, ..Answer::json(&body) }.header("x-amzn-errortype", code)
}

fn cbor_error(status: u16, code: &str, message: &str) -> Answer {
    let text = |text: &str| ciborium::Value::Text(text.into());
    let body = ciborium::Value::Map(vec![
        (text("__type"), text(&format!("com.amazonaws.cloudwatch#{code}"))),
        (text("message"), text(message)),
    ]);
    Answer { status, ..Answer::cbor(&body) }.header("x-amzn-query-error", &format!("{code};Sender"))
}

/// Returns `text` as XML text.
pub fn escape(text: &str) -> String {
    text.replace('&', "&amp;").replace('<', "&lt;").replace('>', "&gt;")
}
