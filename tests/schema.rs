//! The JSON that is printed is the JSON that `docs/schema` promises, checked by a validator of the keywords used there.

use std::path::Path;

use serde_json::{Map, Value};

use crate::support::World;

/// Keywords that say nothing about a value.
const SILENT: [&str; 7] = ["$schema", "$defs", "title", "description", "default", "format", "pattern"];

/// A published schema.
struct Schema(Value);

impl Schema {
    fn published(name: &str) -> Self {
        let file = Path::new(env!("CARGO_MANIFEST_DIR")).join("docs/schema").join(name);
        Schema(serde_json::from_str(&std::fs::read_to_string(file).unwrap()).unwrap())
    }

    /// Returns what is wrong with a document; each complaint begins with its place.
    fn complaints(&self, document: &Value) -> Vec<String> {
        self.check(&self.0, document, "$")
    }

    fn check(&self, schema: &Value, value: &Value, at: &str) -> Vec<String> {
        let Some(schema) = schema.as_object() else {
            return if schema == &Value::Bool(false) { vec![format!("{at}: nothing may stand here")] } else { vec![] };
        };
        let mut found = Vec::new();
        for (keyword, said) in schema {
            found.extend(match keyword.as_str() {
                "$ref" => self.check(self.definition(said), value, at),
                "type" => wrong(is_of_type(said, value), at, said),
                "const" => wrong(said == value, at, said),
                "minimum" => wrong(value.as_f64().is_none_or(|number| number >= said.as_f64().unwrap()), at, said),
                "minItems" => wrong(length(value).is_none_or(|items| items >= said.as_u64().unwrap()), at, said),
                "maxItems" => wrong(length(value).is_none_or(|items| items <= said.as_u64().unwrap()), at, said),
                "required" => missing(said, value, at),
                "properties" => self.properties(said, schema, value, at),
                "items" => self.items(said, value, at),
                "prefixItems" => self.prefix_items(said, value, at),
                "anyOf" | "oneOf" => self.one_of(said, value, at),
                "additionalProperties" => vec![],
                silent if SILENT.contains(&silent) => vec![],
                other => panic!("the schema uses `{other}`, which this test does not check"),
            });
        }
        found
    }

    fn definition(&self, reference: &Value) -> &Value {
        let path = reference.as_str().unwrap().trim_start_matches('#');
        self.0.pointer(path).unwrap_or_else(|| panic!("{reference} is not in the schema"))
    }

    /// Stricter than JSON Schema: a property that nobody declared is a complaint, or the page would miss it.
    fn properties(&self, said: &Value, schema: &Map<String, Value>, value: &Value, at: &str) -> Vec<String> {
        let (Some(declared), Some(object)) = (said.as_object(), value.as_object()) else { return vec![] };
        let check = |(name, value): (&String, &Value)| {
            let at = format!("{at}.{name}");
            match declared.get(name).or_else(|| schema.get("additionalProperties")) {
                Some(schema) => self.check(schema, value, &at),
                None => vec![format!("{at}: the schema does not know it")],
            }
        };
        object.iter().flat_map(check).collect()
    }

    fn items(&self, said: &Value, value: &Value, at: &str) -> Vec<String> {
        let items = value.as_array().into_iter().flatten().enumerate();
        items.flat_map(|(place, item)| self.check(said, item, &format!("{at}[{place}]"))).collect()
    }

    fn prefix_items(&self, said: &Value, value: &Value, at: &str) -> Vec<String> {
        let pairs = said.as_array().unwrap().iter().zip(value.as_array().into_iter().flatten());
        pairs.flat_map(|(schema, item)| self.check(schema, item, at)).collect()
    }

    fn one_of(&self, said: &Value, value: &Value, at: &str) -> Vec<String> {
        let each = said.as_array().unwrap().iter().map(|schema| self.check(schema, value, at));
        let closest = each.min_by_key(Vec::len).unwrap();
        closest.into_iter().map(|complaint| format!("{complaint} (the closest of several forms)")).collect()
    }
}

fn wrong(fits: bool, at: &str, said: &Value) -> Vec<String> {
    if fits { vec![] } else { vec![format!("{at}: is not {said}")] }
}

fn length(value: &Value) -> Option<u64> {
    value.as_array().map(|items| items.len() as u64)
}

fn missing(said: &Value, value: &Value, at: &str) -> Vec<String> {
    let Some(object) = value.as_object() else { return vec![] };
    let names = said.as_array().unwrap().iter().map(|name| name.as_str().unwrap());
    names.filter(|name| !object.contains_key(*name)).map(|name| format!("{at}: lacks `{name}`")).collect()
}

fn is_of_type(said: &Value, value: &Value) -> bool {
    match said {
        Value::Array(types) => types.iter().any(|said| is_of_type(said, value)),
        said => match said.as_str().unwrap() {
            "null" => value.is_null(),
            "boolean" => value.is_boolean(),
            "string" => value.is_string(),
            "integer" => value.is_i64() || value.is_u64(),
            "number" => value.is_number(),
            "array" => value.is_array(),
            "object" => value.is_object(),
            other => panic!("`{other}` is no type of JSON"),
        },
    }
}

/// Expects a document to be what its published schema says.
#[track_caller]
pub fn fits(schema: &str, document: &Value) {
    let complaints = Schema::published(schema).complaints(document);
    assert!(complaints.is_empty(), "{schema}: {:#?}", &complaints[..complaints.len().min(12)]);
}

#[test]
fn findings_report_and_plan_are_what_their_schemas_say() {
    let world = World::new();
    fits("findings.json", &world.run(&["findings", "--demo", "--format", "json"]).ends_with(0).json());
    fits("report.json", &world.run(&["report", "--demo", "--format", "json"]).ends_with(0).json());
    world.run(&["plan", "--demo", "--out", "plan.json"]).ends_with(0);
    let plan = std::fs::read_to_string(world.path("plan.json")).unwrap();
    let plan: Value = serde_json::from_str(&plan).unwrap();
    assert!(!plan["steps"].as_array().unwrap().is_empty() && !plan["skips"].as_array().unwrap().is_empty());
    fits("plan.json", &plan);
}

#[test]
fn a_document_that_is_not_as_promised_is_noticed() {
    let world = World::new();
    let document = world.run(&["findings", "--demo", "--format", "json"]).ends_with(0).json();
    let schema = Schema::published("findings.json");
    let spoilt = |pointer: &str, value: Value| {
        let mut document = document.clone();
        *document.pointer_mut(pointer).unwrap() = value;
        schema.complaints(&document)
    };
    assert_eq!(spoilt("/generated_at", 5.into()), ["$.generated_at: is not \"string\""]);
    assert!(!spoilt("/findings/0/saving", "cheap".into()).is_empty());
    assert!(!spoilt("/findings/0/verdict/kind", "wonderful".into()).is_empty());
    let mut more = document.clone();
    more["surprise"] = true.into();
    assert_eq!(schema.complaints(&more), ["$.surprise: the schema does not know it"]);
    let mut less = document.clone();
    less.as_object_mut().unwrap().remove("totals");
    assert_eq!(schema.complaints(&less), ["$: lacks `totals`"]);
}
