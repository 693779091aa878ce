//! S3: objects of a bucket: put (also only where there is none), read whole or in part, listed by page, deleted.

use std::collections::BTreeMap;
use std::fmt::Write;

use super::answer::escape;
use super::{Answer, Request};

const XMLNS: &str = "xmlns=\"http://s3.amazonaws.com/doc/2006-03-01/\"";
const WRITTEN: &str = "2026-11-20T00:00:00.000Z";

/// Objects by key.
#[derive(Clone, Debug, Default)]
pub struct Objects(pub BTreeMap<String, Vec<u8>>);

impl Objects {
    pub(super) fn answer(&mut self, request: &Request, bucket: &str, key: &str, page: usize) -> Answer {
        match request.operation.as_str() {
            "s3:PutObject" => self.put(request, key),
            "s3:GetObject" => self.get(request, key),
            "s3:HeadObject" => match self.0.get(key) {
                Some(bytes) => Answer::new(200, "binary/octet-stream", bytes.clone()),
                None => Answer::new(404, "application/xml", ""),
            },
            "s3:DeleteObject" => {
                self.0.remove(key);
                Answer::new(204, "application/xml", "")
            }
            _ => self.list(request, bucket, page),
        }
    }

    fn put(&mut self, request: &Request, key: &str) -> Answer {
        let only_new = request.headers.get("if-none-match").is_some_and(|etag| etag == "*");
        if only_new && self.0.contains_key(key) {
            let message = "At least one of the pre-conditions you specified did not hold";
            return request.refuse(412, "PreconditionFailed", message);
        }
        let chunked = request.headers.get("content-encoding").is_some_and(|coding| coding.contains("aws-chunked"));
        let Some(body) = (if chunked { unchunked(&request.body) } else { Some(request.body.clone()) }) else {
            return request.refuse(400, "IncompleteBody", "The request body terminated unexpectedly");
        };
        self.0.insert(key.to_owned(), body);
        Answer::new(200, "application/xml", "").header("etag", "\"e\"")
    }

    fn get(&self, request: &Request, key: &str) -> Answer {
        let Some(bytes) = self.0.get(key) else {
            return request.refuse(404, "NoSuchKey", "The specified key does not exist.");
        };
        let whole = || Answer::new(200, "binary/octet-stream", bytes.clone());
        let Some(range) = request.headers.get("range") else { return dated(whole()) };
        let Some((from, to)) = bounds(range, bytes.len()) else {
            return request.refuse(416, "InvalidRange", "The requested range is not satisfiable");
        };
        let part = Answer::new(206, "binary/octet-stream", bytes[from..to].to_vec());
        dated(part.header("content-range", &format!("bytes {from}-{}/{}", to - 1, bytes.len())))
    }

    fn list(&self, request: &Request, bucket: &str, page: usize) -> Answer {
        let asked = |name: &str| request.query.get(name).map_or("", String::as_str);
        let (prefix, delimiter) = (asked("prefix"), asked("delimiter"));
        let after = asked("continuation-token").strip_prefix("after:").unwrap_or_default();
        // A key, or the folder that stands for all keys below it; each counts as one.
        let mut found: Vec<(String, Option<usize>)> = Vec::new();
        for (key, bytes) in self.0.iter().filter(|(key, _)| key.starts_with(prefix)) {
            let folder = key[prefix.len()..].split_once(delimiter).filter(|_| !delimiter.is_empty());
            found.push(match folder {
                Some((folder, _)) => (format!("{prefix}{folder}{delimiter}"), None),
                None => (key.clone(), Some(bytes.len())),
            });
        }
        found.dedup();
        found.retain(|(name, _)| name.as_str() > after);
        let most = request.limit("max-keys", page).min(page);
        let mut xml = String::new();
        for (name, size) in found.iter().take(most) {
            let name = escape(name);
            let _ = match size {
                None => write!(xml, "<CommonPrefixes><Prefix>{name}</Prefix></CommonPrefixes>"),
                Some(size) => write!(
                    xml,
                    "<Contents><Key>{name}</Key><LastModified>{WRITTEN}</LastModified><Size>{size}</Size></Contents>"
                ),
            };
        }
        let more = found.len() > most;
        if let Some((last, _)) = found.get(most.wrapping_sub(1)).filter(|_| more) {
            let _ = write!(xml, "<NextContinuationToken>after:{}</NextContinuationToken>", escape(last));
        }
        Answer::xml(format!(
            "<ListBucketResult {XMLNS}><Name>{bucket}</Name><IsTruncated>{more}</IsTruncated>{xml}</ListBucketResult>"
        ))
    }
}

fn dated(answer: Answer) -> Answer {
    answer.header("last-modified", "Fri, 20 Nov 2026 00:00:00 GMT").header("etag", "\"e\"")
}

/// Returns where `bytes=0-99`, `bytes=5-` or `bytes=-8` begins and ends in `length` bytes.
fn bounds(range: &str, length: usize) -> Option<(usize, usize)> {
    let (first, last) = range.strip_prefix("bytes=")?.split_once('-')?;
    let (from, to) = match (first.parse::<usize>().ok(), last.parse::<usize>().ok()) {
        (None, Some(suffix)) => (length.saturating_sub(suffix), length),
        (Some(from), to) => (from, to.map_or(length, |to| to.saturating_add(1)).min(length)),
        (None, None) => return None,
    };
    (from < to).then_some((from, to))
}

/// Takes the frames of `aws-chunked` off: `<hex length>[;signature]`, the bytes, and trailers after the empty frame.
fn unchunked(mut body: &[u8]) -> Option<Vec<u8>> {
    let mut out = Vec::new();
    loop {
        let end = body.windows(2).position(|two| two == b"\r\n")?;
        let head = std::str::from_utf8(&body[..end]).ok()?;
        let length = usize::from_str_radix(head.split(';').next()?, 16).ok()?;
        if length == 0 {
            return Some(out);
        }
        out.extend_from_slice(body.get(end + 2..end + 2 + length)?);
        body = body.get(end + 4 + length..)?;
    }
}
