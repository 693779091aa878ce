//! The filter of the findings: words that must all be there, `!word` that must not, `field:word` for one field.

use crate::model::{Finding, Untrusted};

/// A parsed filter. An empty one keeps everything.
pub struct Filter(Vec<Term>);

struct Term {
    field: Option<Field>,
    word: String,
    wanted: bool,
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Field {
    Policy,
    Resource,
    Region,
    Account,
    Owner,
    Verdict,
    Status,
}

const FIELDS: [(&str, Field); 7] = [
    ("policy", Field::Policy),
    ("resource", Field::Resource),
    ("region", Field::Region),
    ("account", Field::Account),
    ("owner", Field::Owner),
    ("verdict", Field::Verdict),
    ("status", Field::Status),
];

impl Filter {
    /// Reads a filter as it is being typed; there are no wrong ones.
    pub fn parse(text: &str) -> Self {
        Filter(text.split_whitespace().map(Term::parse).collect())
    }

    /// Returns true when `finding` passes.
    pub fn keeps(&self, finding: &Finding) -> bool {
        self.0.iter().all(|term| term.matches(finding) == term.wanted)
    }
}

impl Term {
    fn parse(text: &str) -> Self {
        let (wanted, rest) = text.strip_prefix('!').map_or((true, text), |rest| (false, rest));
        let named = rest.split_once(':').and_then(|(name, word)| {
            let field = FIELDS.iter().find(|(known, _)| *known == name.to_lowercase())?;
            Some((field.1, word))
        });
        let (field, word) = named.map_or((None, rest), |(field, word)| (Some(field), word));
        Term { field, word: word.to_lowercase(), wanted }
    }

    fn matches(&self, finding: &Finding) -> bool {
        FIELDS
            .iter()
            .filter(|(_, field)| self.field.is_none_or(|wanted| wanted == *field))
            .any(|(_, field)| field.of(finding).to_lowercase().contains(&self.word))
    }
}

impl Field {
    fn of(self, finding: &Finding) -> &str {
        match self {
            Field::Policy => &finding.policy,
            Field::Resource => finding.resource.raw(),
            Field::Region => &finding.region,
            Field::Account => &finding.account_id,
            Field::Owner => finding.owner.as_ref().map_or("", Untrusted::raw),
            Field::Verdict => finding.verdict.as_str(),
            Field::Status => finding.status.as_str(),
        }
    }
}
