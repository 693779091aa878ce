//! A policy that can be evaluated: parsed, its formulas and units checked, every mistake with the file's line.

use chrono::{DateTime, Utc};

use super::PolicyError;
use super::action::Template;
use super::format::{Amount, PolicyFile};
use super::formula::{Formula, FormulaError, Literal, Params, Unit};
use super::gaps::Reads;
use super::position;
use super::query::Query;
use crate::model::Coverage;
use crate::prices::PriceBook;

/// A policy, ready to be evaluated.
#[derive(Clone, Debug)]
pub struct Policy {
    /// What its file says.
    pub file: PolicyFile,
    /// Where the file was: for messages.
    pub path: String,
    pub(super) yaml: String,
    pub(super) query: Query,
    pub(super) saving: Ends,
    pub(super) one_off: Option<Ends>,
    pub(super) running: Option<Ends>,
    pub(super) ramp: Vec<(u32, Ends)>,
    pub(super) action: Option<Template>,
}

/// The three formulas of a range.
#[derive(Clone, Debug)]
pub(super) struct Ends {
    pub low: Formula,
    pub expected: Formula,
    pub high: Option<Formula>,
}

impl Ends {
    fn all(&self) -> impl Iterator<Item = &Formula> {
        [&self.low, &self.expected].into_iter().chain(&self.high)
    }
}

impl Policy {
    /// Returns the policy's id.
    pub fn id(&self) -> &str {
        &self.file.id
    }

    /// Returns the service that it is about: the first word of its id.
    pub fn service(&self) -> &str {
        self.id().split('-').next().unwrap_or_default()
    }

    /// Returns the parameters at their defaults.
    pub fn params(&self) -> Params {
        self.file.params.iter().map(|(name, param)| (name.clone(), param.default.clone())).collect()
    }

    /// Returns the query with its parameters in.
    pub fn sql(&self, as_of: DateTime<Utc>) -> String {
        self.query.bind(&self.params(), as_of)
    }

    /// Returns the parsed query.
    pub fn query(&self) -> &Query {
        &self.query
    }

    /// Returns true when the answer of the policy depends on what `gap` could not see.
    pub fn depends_on(&self, gap: &Coverage) -> bool {
        Reads::of(self).touches(gap)
    }

    /// Returns every formula of the policy.
    pub(super) fn formulas(&self) -> Vec<&Formula> {
        let ends = [&self.saving].into_iter().chain(&self.one_off).chain(&self.running);
        let mut formulas: Vec<&Formula> =
            ends.chain(self.ramp.iter().map(|(_, ends)| ends)).flat_map(Ends::all).collect();
        formulas.extend(self.action.iter().flat_map(Template::formulas));
        formulas
    }

    /// Returns a mistake at a key of the file.
    pub(super) fn mistake(&self, key: &[&str], what: impl Into<String>) -> PolicyError {
        Reader { path: &self.path, yaml: &self.yaml }.at(key, None, what)
    }

    /// Returns a mistake inside the query: at a line and column of its text.
    pub(super) fn mistake_in_query(&self, at: Option<(usize, usize)>, what: impl Into<String>) -> PolicyError {
        Reader { path: &self.path, yaml: &self.yaml }.at(&["query"], at, what)
    }

    /// Returns the policy that `yaml` holds.
    ///
    /// # Errors
    /// Anything that the file alone shows to be wrong, with line and column. What needs the tables is found by
    /// [`super::Library::check`].
    pub fn parse(path: &str, yaml: &str, book: &PriceBook) -> Result<Self, PolicyError> {
        let reader = Reader { path, yaml };
        let file = super::file::read(path, yaml)?;
        texts(&file, &reader)?;
        params(&file, &reader)?;
        let query = Query::parse(&file.query).map_err(|(what, at)| reader.at(&["query"], at, what))?;
        if let Some((what, at)) = query.lint() {
            return Err(reader.at(&["query"], at, what));
        }
        let per_month = Unit::usd_per_month();
        let amount = |key: &'static str, amount: &Option<Amount>, unit: &Unit| {
            amount.as_ref().map(|amount| reader.ends(&[key], amount, unit, book)).transpose()
        };
        let saving = reader.ends(&["saving"], &file.saving, &per_month, book)?;
        let one_off = amount("one_off", &file.one_off, &Unit::usd())?;
        let running = amount("running", &file.running, &per_month)?;
        let ramp = ramp(&file, &reader, book)?;
        let defaults = file.params.iter().map(|(name, param)| (name.clone(), param.default.clone())).collect();
        let action = file.action.as_ref().map(|action| Template::parse(action, &defaults, book));
        let action = action.transpose().map_err(|e| reader.at(&["action"], None, e.what))?;
        let policy = Policy {
            path: path.to_owned(),
            yaml: yaml.to_owned(),
            file,
            query,
            saving,
            one_off,
            running,
            ramp,
            action,
        };
        policy.parameters_are_used()?;
        Ok(policy)
    }

    fn parameters_are_used(&self) -> Result<(), PolicyError> {
        let mut used = self.query.params();
        used.extend(self.formulas().iter().flat_map(|formula| formula.params()).map(str::to_owned));
        if let Some(name) = used.iter().find(|name| *name != "as_of" && !self.file.params.contains_key(*name)) {
            return Err(self.mistake(&["params"], format!("`${name}` is used and is not a parameter")));
        }
        match self.file.params.keys().find(|name| !used.contains(*name)) {
            Some(name) => Err(self.mistake(&["params", name], format!("parameter `{name}` is not used"))),
            None => Ok(()),
        }
    }
}

/// What reads one file and says where it is wrong.
struct Reader<'a> {
    path: &'a str,
    yaml: &'a str,
}

impl Reader<'_> {
    fn at(&self, key: &[&str], at: Option<(usize, usize)>, what: impl Into<String>) -> PolicyError {
        let (line, column) = position::inside(self.yaml, key, at);
        PolicyError::File { path: self.path.to_owned(), line, column, what: what.into() }
    }

    fn formula(&self, key: &[&str], text: &str, unit: &Unit, book: &PriceBook) -> Result<Formula, PolicyError> {
        let wrong = |error: FormulaError| self.at(key, error.at, error.what);
        let formula = Formula::parse(text, book).map_err(wrong)?;
        if formula.unit().fits(unit) {
            return Ok(formula);
        }
        Err(self.at(key, None, format!("this must come out as {unit}, and comes out as {}", formula.unit())))
    }

    fn ends(&self, key: &[&str], amount: &Amount, unit: &Unit, book: &PriceBook) -> Result<Ends, PolicyError> {
        match amount {
            Amount::One(text) => {
                let one = self.formula(key, text, unit, book)?;
                Ok(Ends { low: one.clone(), expected: one.clone(), high: Some(one) })
            }
            Amount::Ends(ends) => {
                let end = |name: &str, text: &str| self.formula(&[key, &[name]].concat(), text, unit, book);
                let high = ends.high.as_ref().map(|text| end("high", text)).transpose()?;
                Ok(Ends { low: end("low", &ends.low)?, expected: end("expected", &ends.expected)?, high })
            }
        }
    }
}

fn texts(file: &PolicyFile, reader: &Reader<'_>) -> Result<(), PolicyError> {
    let stem = reader.path.rsplit('/').next().unwrap_or_default().trim_end_matches(".yaml");
    if file.id != stem {
        return Err(reader.at(&["id"], None, format!("the id must be the file's name, `{stem}`")));
    }
    if file.id.is_empty() || file.id.contains(|c: char| !c.is_ascii_lowercase() && !c.is_ascii_digit() && c != '-') {
        return Err(reader.at(&["id"], None, "an id has lower-case letters, digits and hyphens only"));
    }
    let texts = [("title", &file.title), ("what", &file.what), ("why", &file.why), ("safety", &file.safety)];
    if let Some((key, _)) = texts.iter().find(|(_, text)| text.trim().is_empty()) {
        return Err(reader.at(&[key], None, format!("`{key}` is empty")));
    }
    if file.action.is_none() && file.instructions.is_none() {
        return Err(reader.at(&["id"], None, "a policy says what to do: it needs `action` or `instructions`"));
    }
    Ok(())
}

/// Text parameters stand in SQL between quotes: nothing in them may end the quote.
fn params(file: &PolicyFile, reader: &Reader<'_>) -> Result<(), PolicyError> {
    let unsafe_text =
        |param: &super::format::Param| matches!(&param.default, Literal::Text(t) if t.contains(['\'', '\\']));
    match file.params.iter().find(|(_, param)| unsafe_text(param)) {
        Some((name, _)) => Err(reader.at(&["params", name], None, "quotes and backslashes are not allowed here")),
        None => Ok(()),
    }
}

fn ramp(file: &PolicyFile, reader: &Reader<'_>, book: &PriceBook) -> Result<Vec<(u32, Ends)>, PolicyError> {
    let mut stages: Vec<(u32, Ends)> = Vec::new();
    for stage in &file.ramp {
        if stages.last().is_some_and(|(day, _)| *day >= stage.until_day) {
            return Err(reader.at(&["ramp"], None, "the days of a ramp must rise"));
        }
        stages.push((stage.until_day, reader.ends(&["ramp"], &stage.saving, &Unit::usd_per_month(), book)?));
    }
    Ok(stages)
}
