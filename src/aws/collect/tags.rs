//! Tags of any service as the JSON object that tables hold.

use std::collections::BTreeMap;

use serde_json::Value;

/// Returns tags as a JSON object, sorted by key; a key without a value has an empty one.
pub fn object<'a>(tags: impl IntoIterator<Item = (Option<&'a str>, Option<&'a str>)>) -> String {
    let tags = tags.into_iter().filter_map(|(key, value)| Some((key?, value.unwrap_or_default())));
    let sorted: BTreeMap<&str, &str> = tags.collect();
    Value::Object(sorted.into_iter().map(|(key, value)| (key.to_owned(), value.into())).collect()).to_string()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn tags_are_sorted_and_a_key_without_a_value_keeps_its_place() {
        assert_eq!(
            object([(Some("b"), Some("\"x\"")), (Some("a"), None), (None, Some("y"))]),
            r#"{"a":"","b":"\"x\""}"#
        );
        assert_eq!(object([]), "{}");
    }
}
