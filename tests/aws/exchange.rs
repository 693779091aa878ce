//! A request and its answer, whole, in a form that another program can read.

use std::collections::BTreeMap;

use serde_json::{Value, json};

use super::{Answer, Request};

/// What went over the wire.
#[derive(Clone, Debug)]
pub struct Exchange {
    pub request: Request,
    pub answer: Answer,
}

impl Exchange {
    pub(super) fn of(request: &Request, answer: &Answer) -> Self {
        Exchange { request: request.clone(), answer: answer.clone() }
    }

    /// Returns it as JSON; bodies are hexadecimal, since some are binary.
    pub fn json(&self) -> Value {
        let headers: BTreeMap<_, _> = self.answer.headers.iter().map(|(name, value)| (name, value)).collect();
        json!({
            "operation": self.request.operation,
            "request": {
                "path": self.request.path, "query": self.request.query, "headers": self.request.headers,
                "body": hexadecimal(&self.request.body),
            },
            "answer": {"status": self.answer.status, "headers": headers, "body": hexadecimal(&self.answer.body)},
        })
    }
}

fn hexadecimal(bytes: &[u8]) -> String {
    use std::fmt::Write;
    bytes.iter().fold(String::new(), |mut text, byte| {
        let _ = write!(text, "{byte:02x}");
        text
    })
}
