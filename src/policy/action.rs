//! The action of a policy: a typed change whose arguments are formulas over the row.

use serde_json::{Map, Value as Json};

use super::formula::{Formula, FormulaError, Inputs, Literal, Params, Value};
use crate::model::Action;
use crate::prices::{End, PriceBook};

/// An action with formulas in place of values.
#[derive(Clone, Debug)]
pub(super) struct Template(Node);

#[derive(Clone, Debug)]
enum Node {
    Formula(Formula),
    Plain(Json),
    Map(Vec<(String, Node)>),
}

impl Template {
    /// Returns the template, after a try with made-up values: an action or argument that does not exist is found here.
    pub fn parse(action: &Json, params: &Params, book: &PriceBook) -> Result<Self, FormulaError> {
        let template = Template(node(action, book)?);
        let sample = |formula: &Formula| match formula.params()[..] {
            [name] if formula.text() == format!("${name}") => params.get(name).map(literal),
            _ => Some(Json::from("x")),
        };
        let tried = fill(&template.0, &sample).unwrap_or(Json::Null);
        match serde_json::from_value::<Action>(tried) {
            Ok(_) => Ok(template),
            Err(error) => Err(FormulaError { what: error.to_string(), at: None }),
        }
    }

    /// Returns the action for a row; `None` when an argument is not known.
    pub fn fill(&self, inputs: &Inputs<'_>) -> Option<Action> {
        let computed = |formula: &Formula| formula.compute(inputs, End::Expected).ok().map(|answer| json(answer.value));
        serde_json::from_value(fill(&self.0, &computed)?).ok()
    }

    /// Returns the formulas of the arguments.
    pub fn formulas(&self) -> Vec<&Formula> {
        formulas(&self.0)
    }
}

fn formulas(node: &Node) -> Vec<&Formula> {
    match node {
        Node::Formula(formula) => vec![formula],
        Node::Plain(_) => vec![],
        Node::Map(entries) => entries.iter().flat_map(|(_, below)| formulas(below)).collect(),
    }
}

fn node(action: &Json, book: &PriceBook) -> Result<Node, FormulaError> {
    Ok(match action {
        Json::String(text) => Node::Formula(Formula::parse(text, book)?),
        Json::Object(map) => {
            let entry = |(key, value): (&String, &Json)| Ok((key.clone(), node(value, book)?));
            Node::Map(map.iter().map(entry).collect::<Result<_, FormulaError>>()?)
        }
        other => Node::Plain(other.clone()),
    })
}

fn fill(node: &Node, value: &dyn Fn(&Formula) -> Option<Json>) -> Option<Json> {
    Some(match node {
        Node::Formula(formula) => value(formula)?,
        Node::Plain(json) => json.clone(),
        Node::Map(entries) => {
            let filled = entries.iter().map(|(key, below)| Some((key.clone(), fill(below, value)?)));
            Json::Object(filled.collect::<Option<Map<_, _>>>()?)
        }
    })
}

fn literal(literal: &Literal) -> Json {
    match literal {
        Literal::Flag(flag) => Json::from(*flag),
        Literal::Int(number) => Json::from(*number),
        Literal::Text(text) => Json::from(text.as_str()),
    }
}

/// Whole numbers as numbers, other decimals as text: JSON numbers are floats to many readers.
fn json(value: Value) -> Json {
    match value {
        Value::Number(number) => i64::try_from(number)
            .ok()
            .filter(|_| number.fract().is_zero())
            .map_or_else(|| Json::from(number.to_string()), Json::from),
        Value::Text(text) => Json::from(text.raw()),
        Value::Flag(flag) => Json::from(flag),
        Value::Instant(instant) => Json::from(instant.to_rfc3339()),
    }
}
