//! Cost Explorer: rows of charges, and each GetCostAndUsage answer computed from the request.

use std::collections::{BTreeMap, BTreeSet};

use chrono::{Datelike, Days, Months, NaiveDate};
use rust_decimal::Decimal;
use serde_json::{Map, Value, json};

use super::{Answer, Request};

const DIMENSIONS: &[&str] = &[
    "AZ",
    "INSTANCE_TYPE",
    "LEGAL_ENTITY_NAME",
    "INVOICING_ENTITY",
    "LINKED_ACCOUNT",
    "OPERATION",
    "PLATFORM",
    "PURCHASE_TYPE",
    "SERVICE",
    "TENANCY",
    "RECORD_TYPE",
    "USAGE_TYPE",
];

const METRICS: &[&str] = &[
    "AmortizedCost",
    "BlendedCost",
    "NetAmortizedCost",
    "NetUnblendedCost",
    "NormalizedUsageAmount",
    "UnblendedCost",
    "UsageQuantity",
];

/// One charge of one day.
#[derive(Clone, Debug)]
pub struct Charge {
    pub day: NaiveDate,
    pub account: String,
    pub service: String,
    pub usage_type: String,
    pub operation: String,
    pub record_type: String,
    pub unblended: Decimal,
    pub amortized: Decimal,
    pub net_amortized: Decimal,
    pub usage: Decimal,
    pub unit: String,
    /// Cost allocation tags.
    pub tags: BTreeMap<String, String>,
}

impl Charge {
    /// Returns a usage charge of `cost` dollars; amortized alike, net a tenth less.
    pub fn usage(day: NaiveDate, service: &str, usage_type: &str, cost: Decimal, usage: Decimal, unit: &str) -> Self {
        Charge {
            day,
            account: "111122223333".into(),
            service: service.into(),
            usage_type: usage_type.into(),
            operation: "None".into(),
            record_type: "Usage".into(),
            unblended: cost,
            amortized: cost,
            net_amortized: cost * Decimal::new(9, 1),
            usage,
            unit: unit.into(),
            tags: BTreeMap::new(),
        }
    }

    /// The same charge as another record type: `Credit`, `Tax`, ….
    pub fn recorded_as(mut self, record_type: &str) -> Self {
        self.record_type = record_type.into();
        self
    }

    /// The same charge in another account.
    pub fn in_account(mut self, account: &str) -> Self {
        self.account = account.into();
        self
    }

    /// The same charge with a cost allocation tag.
    pub fn tagged(mut self, key: &str, value: &str) -> Self {
        self.tags.insert(key.into(), value.into());
        self
    }

    /// The same charge of another operation.
    pub fn operation(mut self, operation: &str) -> Self {
        self.operation = operation.into();
        self
    }

    /// Returns the key of the charge's group: a dimension's value, or `key$value` of a tag.
    fn group(&self, by: &Value) -> String {
        let key = by["Key"].as_str().unwrap_or_default();
        match by["Type"].as_str() {
            Some("TAG") => format!("{key}${}", self.tags.get(key).map_or("", String::as_str)),
            _ => self.dimension(key).to_owned(),
        }
    }

    fn dimension(&self, key: &str) -> &str {
        match key {
            "LINKED_ACCOUNT" => &self.account,
            "SERVICE" => &self.service,
            "USAGE_TYPE" => &self.usage_type,
            "OPERATION" => &self.operation,
            "RECORD_TYPE" => &self.record_type,
            _ => "NoValue",
        }
    }

    fn metric(&self, name: &str) -> Decimal {
        match name {
            "AmortizedCost" => self.amortized,
            "NetAmortizedCost" | "NetUnblendedCost" => self.net_amortized,
            "UsageQuantity" => self.usage,
            "NormalizedUsageAmount" => Decimal::ZERO,
            _ => self.unblended,
        }
    }
}

/// The bill, and how it is served.
pub struct Ledger {
    pub charges: Vec<Charge>,
    /// Groups on a page.
    pub page: usize,
    /// The code with which net costs are refused; they are shown when there is none.
    pub net_refusal: Option<&'static str>,
    tokens: BTreeMap<String, (Value, usize)>,
}

impl Default for Ledger {
    fn default() -> Self {
        Ledger { charges: Vec::new(), page: 3, net_refusal: None, tokens: BTreeMap::new() }
    }
}

struct Refusal(&'static str, String);

fn invalid(message: impl Into<String>) -> Refusal {
    Refusal("ValidationException", message.into())
}

struct Question {
    start: NaiveDate,
    end: NaiveDate,
    metrics: Vec<String>,
    group_by: Vec<Value>,
    filter: Value,
}

impl Ledger {
    pub(super) fn answer(&mut self, request: &Request, today: NaiveDate) -> Answer {
        if request.operation != "ce:GetCostAndUsage" {
            return request.refuse(400, "UnknownOperationException", "the tests' server does not play this");
        }
        match self.cost_and_usage(&request.json(), today) {
            Ok(body) => Answer::json(&body),
            Err(Refusal(code, message)) => request.refuse(400, code, &message),
        }
    }

    fn cost_and_usage(&mut self, body: &Value, today: NaiveDate) -> Result<Value, Refusal> {
        let question = Question::read(body, today)?;
        if let Some(code) = self.net_refusal.filter(|_| question.metrics.iter().any(|m| m.starts_with("Net"))) {
            return Err(Refusal(code, "net costs are not shown to this account".into()));
        }
        let (same, from) = self.position(body)?;
        let (results, next) = self.page(&question, from, today)?;
        let mut answer = json!({
            "GroupDefinitions": question.group_by,
            "ResultsByTime": results,
            "DimensionValueAttributes": [],
        });
        if let Some(next) = next {
            let token = format!("page-{}-{}", self.tokens.len(), next);
            self.tokens.insert(token.clone(), (same, next));
            answer["NextPageToken"] = json!(token);
        }
        Ok(answer)
    }

    /// Returns the request without its token, and the group at which its page begins.
    fn position(&self, body: &Value) -> Result<(Value, usize), Refusal> {
        let mut same = body.clone();
        let token = same.as_object_mut().and_then(|fields| fields.remove("NextPageToken"));
        let Some(token) = token.as_ref().and_then(Value::as_str) else { return Ok((same, 0)) };
        match self.tokens.get(token) {
            None => Err(Refusal("InvalidNextTokenException", format!("unknown token {token}"))),
            Some((asked, _)) if *asked != same => {
                Err(Refusal("RequestChangedException", "the request changed between pages".into()))
            }
            Some((_, from)) => Ok((same, *from)),
        }
    }

    /// Returns the days of the page that begins at item `from`, and where the next begins.
    fn page(&self, question: &Question, from: usize, today: NaiveDate) -> Result<(Vec<Value>, Option<usize>), Refusal> {
        let items = self.items(question)?;
        let (mut end, mut groups) = (from, 0);
        while let Some((_, group, _)) = items.get(end) {
            groups += usize::from(group.is_some());
            if groups > self.page {
                break;
            }
            end += 1;
        }
        let page = &items[from.min(items.len())..end];
        let results = page.chunk_by(|a, b| a.0 == b.0).map(|items| result(items, today)).collect();
        Ok((results, (end < items.len()).then_some(end)))
    }

    /// Returns the groups of every day in order; a day without any is one item without a group, with the day's total.
    fn items(&self, question: &Question) -> Result<Vec<Item>, Refusal> {
        let mut days: BTreeMap<NaiveDate, BTreeMap<Vec<String>, Vec<&Charge>>> = question
            .start
            .iter_days()
            .take_while(|day| *day < question.end)
            .map(|day| (day, BTreeMap::new()))
            .collect();
        for charge in &self.charges {
            let Some(groups) = days.get_mut(&charge.day) else { continue };
            if question.filter.is_null() || passes(charge, &question.filter)? {
                let keys = question.group_by.iter().map(|by| charge.group(by)).collect();
                groups.entry(keys).or_default().push(charge);
            }
        }
        Ok(days.into_iter().flat_map(|(day, groups)| question.items_of(day, &groups)).collect())
    }
}

type Item = (NaiveDate, Option<Value>, Value);

fn result(items: &[Item], today: NaiveDate) -> Value {
    let (day, _, total) = &items[0];
    json!({
        "TimePeriod": {"Start": day.to_string(), "End": day.checked_add_days(Days::new(1)).unwrap().to_string()},
        "Total": total,
        "Groups": items.iter().filter_map(|(_, group, _)| group.as_ref()).collect::<Vec<_>>(),
        "Estimated": (day.year(), day.month()) == (today.year(), today.month()),
    })
}

impl Question {
    fn read(body: &Value, today: NaiveDate) -> Result<Question, Refusal> {
        let question = Question {
            start: day(&body["TimePeriod"]["Start"])?,
            end: day(&body["TimePeriod"]["End"])?,
            metrics: strings(&body["Metrics"]),
            group_by: body["GroupBy"].as_array().cloned().unwrap_or_default(),
            filter: body["Filter"].clone(),
        };
        question.check(body, today)?;
        if !question.filter.is_null() {
            check_filter(&question.filter)?;
        }
        Ok(question)
    }

    fn items_of(&self, day: NaiveDate, groups: &BTreeMap<Vec<String>, Vec<&Charge>>) -> Vec<Item> {
        if self.group_by.is_empty() {
            let all: Vec<&Charge> = groups.values().flatten().copied().collect();
            return vec![(day, None, amounts(self, &all))];
        }
        if groups.is_empty() {
            return vec![(day, None, json!({}))];
        }
        let group =
            |keys: &Vec<String>, charges: &Vec<&Charge>| json!({"Keys": keys, "Metrics": amounts(self, charges)});
        groups.iter().map(|(keys, charges)| (day, Some(group(keys, charges)), json!({}))).collect()
    }

    fn check(&self, body: &Value, today: NaiveDate) -> Result<(), Refusal> {
        let this_month = today.with_day(1).unwrap();
        if self.start >= self.end {
            return Err(invalid("Start date (and hour) should be before end date (and hour)"));
        }
        if self.start < this_month - Months::new(13) {
            return Err(invalid("start date is too old: data goes back 13 months before the current one"));
        }
        if self.end > this_month + Months::new(1) {
            return Err(invalid("end date past the beginning of next month"));
        }
        if body["Granularity"] != "DAILY" {
            return Err(invalid("the tests' server only knows DAILY"));
        }
        if self.metrics.is_empty() || self.metrics.iter().any(|metric| !METRICS.contains(&metric.as_str())) {
            return Err(invalid(format!("Metrics are invalid: {:?}", self.metrics)));
        }
        self.check_groups(body)
    }

    fn check_groups(&self, body: &Value) -> Result<(), Refusal> {
        if self.group_by.len() > 2 {
            return Err(invalid("the number of groups is more than 2"));
        }
        if self.group_by.iter().enumerate().any(|(at, by)| self.group_by[..at].contains(by)) {
            return Err(invalid("groups are named twice"));
        }
        let known = |by: &Value| match (by["Type"].as_str(), by["Key"].as_str()) {
            (Some("DIMENSION"), Some(key)) => DIMENSIONS.contains(&key),
            (Some("TAG"), Some(key)) => !key.is_empty(),
            _ => false,
        };
        if self.group_by.iter().all(known) {
            Ok(())
        } else {
            Err(invalid(format!("GroupBy is invalid: {}", body["GroupBy"])))
        }
    }
}

fn day(value: &Value) -> Result<NaiveDate, Refusal> {
    let text = value.as_str().unwrap_or_default();
    text.parse().map_err(|_| invalid(format!("`{text}` is not a date of the form yyyy-MM-dd")))
}

fn strings(value: &Value) -> Vec<String> {
    value.as_array().into_iter().flatten().filter_map(Value::as_str).map(str::to_owned).collect()
}

/// One operator a node, two operands or more under And and Or, known dimensions: as AWS wants it.
fn check_filter(node: &Value) -> Result<(), Refusal> {
    let fields: Vec<(&String, &Value)> =
        node.as_object().into_iter().flatten().filter(|(_, value)| !value.is_null()).collect();
    let [(operator, operand)] = fields[..] else { return Err(invalid("Expression has more than one roots")) };
    match operator.as_str() {
        "And" | "Or" => {
            let parts = operand.as_array().map(Vec::as_slice).unwrap_or_default();
            if parts.len() < 2 {
                return Err(invalid(format!("{operator} needs two operands or more")));
            }
            parts.iter().try_for_each(check_filter)
        }
        "Not" => check_filter(operand),
        "Dimensions" => {
            let known = operand["Key"].as_str().is_some_and(|key| DIMENSIONS.contains(&key) || key == "REGION");
            let plain = strings(&operand["MatchOptions"]).iter().all(|option| option == "EQUALS");
            let valued = !strings(&operand["Values"]).is_empty();
            if known && plain && valued { Ok(()) } else { Err(invalid(format!("Dimensions is invalid: {operand}"))) }
        }
        other => Err(invalid(format!("the tests' server has no {other}"))),
    }
}

fn passes(charge: &Charge, node: &Value) -> Result<bool, Refusal> {
    let Some((operator, operand)) = node.as_object().into_iter().flatten().find(|(_, value)| !value.is_null()) else {
        return Err(invalid("empty expression"));
    };
    let each = |operand: &Value| -> Result<Vec<bool>, Refusal> {
        operand.as_array().into_iter().flatten().map(|part| passes(charge, part)).collect()
    };
    Ok(match operator.as_str() {
        "And" => each(operand)?.into_iter().all(|passed| passed),
        "Or" => each(operand)?.into_iter().any(|passed| passed),
        "Not" => !passes(charge, operand)?,
        _ => {
            let key = operand["Key"].as_str().unwrap_or_default();
            strings(&operand["Values"]).iter().any(|value| value == charge.dimension(key))
        }
    })
}

fn amounts(question: &Question, charges: &[&Charge]) -> Value {
    let mut metrics = Map::new();
    for name in &question.metrics {
        let sum: Decimal = charges.iter().map(|charge| charge.metric(name)).sum();
        let units: BTreeSet<&str> = charges.iter().map(|charge| charge.unit.as_str()).collect();
        let unit = match (name.as_str(), units.len()) {
            ("UsageQuantity", 1) => units.first().copied().unwrap_or("N/A"),
            ("UsageQuantity" | "NormalizedUsageAmount", _) => "N/A",
            _ => "USD",
        };
        metrics.insert(name.clone(), json!({"Amount": sum.to_string(), "Unit": unit}));
    }
    Value::Object(metrics)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn on(day: &str) -> NaiveDate {
        day.parse().unwrap()
    }

    fn charge(day: &str, service: &str, usage_type: &str, cents: i64) -> Charge {
        Charge::usage(on(day), service, usage_type, Decimal::new(cents, 2), Decimal::ONE, "GB-Mo")
    }

    fn ledger() -> Ledger {
        let mut ledger = Ledger::default();
        for usage_type in ["a", "b", "c", "d"] {
            ledger.charges.push(charge("2026-11-01", "S3", usage_type, 100));
            ledger.charges.push(charge("2026-11-03", "S3", usage_type, 200));
        }
        ledger.charges.push(charge("2026-11-03", "S3", "a", -50).recorded_as("Credit"));
        ledger
    }

    fn question() -> Value {
        json!({
            "TimePeriod": {"Start": "2026-11-01", "End": "2026-11-04"}, "Granularity": "DAILY",
            "Metrics": ["UnblendedCost", "UsageQuantity"],
            "GroupBy": [{"Type": "DIMENSION", "Key": "SERVICE"}, {"Type": "DIMENSION", "Key": "USAGE_TYPE"}],
        })
    }

    fn code(body: &Value) -> &'static str {
        ledger().cost_and_usage(body, on("2026-11-20")).err().map_or("fine", |Refusal(code, _)| code)
    }

    #[test]
    fn pages_hold_three_groups_and_together_every_one_once() {
        let (mut ledger, mut body) = (ledger(), question());
        let (mut pages, mut groups, mut days) = (Vec::new(), Vec::new(), BTreeSet::new());
        loop {
            let Ok(answer) = ledger.cost_and_usage(&body, on("2026-11-20")) else { panic!("refused") };
            let results = answer["ResultsByTime"].as_array().unwrap().clone();
            pages.push(results.iter().map(|day| day["Groups"].as_array().unwrap().len()).sum::<usize>());
            for day in &results {
                days.insert(day["TimePeriod"]["Start"].to_string());
                groups.extend(day["Groups"].as_array().unwrap().iter().map(ToString::to_string));
            }
            match answer["NextPageToken"].as_str() {
                Some(token) => body["NextPageToken"] = json!(token),
                None => break,
            }
        }
        assert_eq!((pages, groups.len(), days.len()), (vec![3, 3, 2], 8, 3));
        assert!(groups.iter().any(|group| group.contains("\"1.50\"")), "usage and credit of one key are summed");
    }

    #[test]
    fn a_wrong_question_is_refused() {
        let with = |field: &str, value: Value| {
            let mut body = question();
            body[field] = value;
            code(&body).to_owned()
        };
        let dimension = |key: &str| json!({"Dimensions": {"Key": key, "Values": ["x"]}});
        let group = |key: &str| json!({"Type": "DIMENSION", "Key": key});
        assert_eq!(code(&question()), "fine");
        assert_eq!(with("GroupBy", json!([group("SERVICE"), group("USAGE_TYPE"), group("AZ")])), "ValidationException");
        assert_eq!(with("GroupBy", json!([group("REGION")])), "ValidationException");
        assert_eq!(with("Filter", dimension("CHARGE_TYPE")), "ValidationException");
        assert_eq!(with("Filter", json!({"And": [dimension("SERVICE")]})), "ValidationException");
        assert_eq!(with("Filter", json!({"Not": dimension("SERVICE"), "Or": []})), "ValidationException");
        assert_eq!(with("Filter", dimension("SERVICE")), "fine");
        assert_eq!(with("Metrics", json!(["UNBLENDED_COST"])), "ValidationException");
        assert_eq!(with("TimePeriod", json!({"Start": "2026-11-04", "End": "2026-11-04"})), "ValidationException");
        assert_eq!(with("TimePeriod", json!({"Start": "2025-09-30", "End": "2025-10-02"})), "ValidationException");
        assert_eq!(with("NextPageToken", json!("page-9")), "InvalidNextTokenException");
    }

    #[test]
    fn a_token_is_good_for_its_own_question_only() {
        let mut ledger = ledger();
        let Ok(first) = ledger.cost_and_usage(&question(), on("2026-11-20")) else { panic!("refused") };
        let mut other = question();
        other["Metrics"] = json!(["UnblendedCost"]);
        other["NextPageToken"] = first["NextPageToken"].clone();
        let refusal = ledger.cost_and_usage(&other, on("2026-11-20")).err().map(|Refusal(code, _)| code);
        assert_eq!(refusal, Some("RequestChangedException"));
    }

    #[test]
    fn a_filter_takes_out_what_it_names() {
        let mut body = question();
        body["Filter"] = json!({"Not": {"Dimensions": {"Key": "RECORD_TYPE", "Values": ["Credit", "Refund"]}}});
        body["GroupBy"] = json!([]);
        let Ok(answer) = ledger().cost_and_usage(&body, on("2026-11-20")) else { panic!("refused") };
        let totals: Vec<_> = answer["ResultsByTime"]
            .as_array()
            .unwrap()
            .iter()
            .map(|d| d["Total"]["UnblendedCost"]["Amount"].clone())
            .collect();
        assert_eq!(totals, [json!("4.00"), json!("0"), json!("8.00")]);
    }
}
