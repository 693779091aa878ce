//! Whether an answer is whole. XML that ends early reads like a shorter list, and a list that was cut is not what there
//! is; JSON and CBOR that end early cannot be read at all.
//!
//! Holds one answer in memory, as the SDK does after it. Never looks at objects.

use std::time::Duration;

use aws_smithy_runtime_api::client::orchestrator::HttpResponse;
use aws_smithy_runtime_api::client::result::ConnectorError;
use aws_smithy_types::body::SdkBody;
use aws_smithy_types::byte_stream::ByteStream;
use aws_smithy_types::retry::ErrorKind;

use super::tag::{Call, Role};

/// How long the rest of an answer may take once it has begun.
const REST: Duration = Duration::from_secs(45);

/// Services that answer in XML.
const XML: [&str; 5] = ["ec2", "redshift", "s3", "s3control", "sts"];

/// Why an answer is not taken.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
enum Broken {
    #[error("the answer ended in the middle")]
    Early,
    #[error("the rest of the answer did not come within {} s", REST.as_secs())]
    Late,
}

/// Returns `answer` to `call`, once it is known to be whole.
///
/// # Errors
/// It is not; the call may be tried again.
pub async fn whole(call: &Call, answer: HttpResponse) -> Result<HttpResponse, ConnectorError> {
    if !speaks_xml(call) || !answer.status().is_success() {
        return Ok(answer);
    }
    let (status, mut answer) = (answer.status(), answer);
    let body = std::mem::replace(answer.body_mut(), SdkBody::taken());
    let read = tokio::time::timeout(REST, ByteStream::new(body).collect()).await;
    let bytes = match read {
        Ok(Ok(bytes)) => bytes.into_bytes(),
        Ok(Err(error)) => return Err(ConnectorError::other(error.into(), Some(ErrorKind::TransientError))),
        Err(_) => return Err(ConnectorError::timeout(Broken::Late.into())),
    };
    if !is_whole(&bytes) {
        return Err(ConnectorError::other(Broken::Early.into(), Some(ErrorKind::TransientError)));
    }
    let mut all = HttpResponse::new(status, SdkBody::from(bytes));
    *all.headers_mut() = std::mem::take(answer.headers_mut());
    Ok(all)
}

/// Objects are no answers of an API: they may be large, and they are whole when their length is.
fn speaks_xml(call: &Call) -> bool {
    let facts = matches!(call.role, Role::Reading | Role::Credentials);
    facts && XML.contains(&call.service) && call.operation != "s3:GetObject"
}

/// Returns true when the last tag closes the first one. What is no XML is left to the SDK.
fn is_whole(body: &[u8]) -> bool {
    let body = body.trim_ascii();
    let Some(first) = root(body) else { return !body.starts_with(b"<") || body.is_empty() };
    let closed_at_once = body.ends_with(b"/>") && body.split(|byte| *byte == b'<').count() <= 3;
    let last = body.iter().rposition(|byte| *byte == b'<').map_or(&[][..], |at| &body[at..]);
    let closes = last.strip_prefix(b"</").and_then(|tag| tag.strip_suffix(b">")).map(<[u8]>::trim_ascii);
    closes == Some(first) || closed_at_once
}

/// Returns the name of the first element.
fn root(body: &[u8]) -> Option<&[u8]> {
    let mut rest = body;
    loop {
        let at = rest.iter().position(|byte| *byte == b'<')?;
        rest = &rest[at + 1..];
        if rest.first().is_some_and(|byte| byte.is_ascii_alphabetic() || *byte == b'_') {
            let end = rest.iter().position(|byte| byte.is_ascii_whitespace() || b"/>".contains(byte))?;
            return Some(&rest[..end]);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_part_of_a_document_but_the_whole_is_not_whole() {
        let document = "<?xml version=\"1.0\"?>\n<L xmlns=\"x\"><Name>a</Name><Upload><Key>L</Key></Upload></L>\n";
        let whole: Vec<usize> = (0..=document.len()).filter(|end| is_whole(&document.as_bytes()[..*end])).collect();
        assert_eq!(whole, [0, document.len() - 1, document.len()], "nothing at all is no XML");
    }

    #[tokio::test]
    async fn an_object_is_handed_on_unread() {
        let call = |operation: &str| Call {
            role: Role::Reading,
            service: "s3",
            operation: operation.to_owned(),
            account_id: String::new(),
            region: String::new(),
            units: 1,
        };
        let half = || HttpResponse::new(200.try_into().unwrap(), SdkBody::from("<half>"));
        assert!(whole(&call("s3:GetObject"), half()).await.is_ok());
        assert!(whole(&call("s3:ListBuckets"), half()).await.is_err());
    }

    #[test]
    fn an_element_without_content_and_what_is_no_xml_are_whole() {
        for body in ["<VersioningConfiguration/>", "<?xml version=\"1.0\"?><V xmlns=\"x\" />", "", "{\"a\": 1}", "x"] {
            assert!(is_whole(body.as_bytes()), "{body}");
        }
    }
}
