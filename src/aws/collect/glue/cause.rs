//! The category of an error. Its text may hold literals of the account's data and is never kept.

/// Glue's own categories by words that stand in messages which do not name one, first match first.
const WORDS: &[(&str, &[&str])] = &[
    (
        "OUT_OF_MEMORY_ERROR",
        &["outofmemory", "out of memory", "exceeding memory limits", "exit status: 137", "exit code 137"],
    ),
    ("DISK_NO_SPACE_ERROR", &["no space left"]),
    ("THROTTLING_ERROR", &["throttl", "rate exceeded", "slowdown", "slow down"]),
    ("PERMISSION_ERROR", &["accessdenied", "access denied", "not authorized", "forbidden"]),
    ("CONCURRENCY_ERROR", &["concurrent runs exceeded", "concurrentrunsexceeded"]),
    ("CAPACITY_ERROR", &["resource unavailable", "resources unavailable", "insufficient capacity", "max limit"]),
    ("TIMEOUT_ERROR", &["timed out", "timeout"]),
    ("SYNTAX_ERROR", &["syntaxerror", "indentationerror", "parseexception"]),
    ("IMPORT_ERROR", &["importerror", "modulenotfounderror", "no module named"]),
    ("RESOURCE_NOT_FOUND_ERROR", &["nosuchbucket", "nosuchkey", "not found", "does not exist", "entitynotfound"]),
    ("CONNECTION_ERROR", &["connection refused", "unable to connect", "connection reset"]),
];

/// What nothing says the category of.
const OTHER: &str = "UNCLASSIFIED_ERROR";
/// Longest name of a category.
const LONGEST: usize = 60;

/// Returns the category of an error message; `None` for an empty one.
pub fn category(message: &str) -> Option<String> {
    let message = message.trim();
    if message.is_empty() {
        return None;
    }
    let named = message.strip_prefix("Error Category:").and_then(|rest| rest.split(';').next()).map(str::trim);
    if let Some(named) = named.filter(|named| is_category(named)) {
        return Some(named.to_owned());
    }
    let text = message.to_lowercase();
    let found = WORDS.iter().find(|(_, words)| words.iter().any(|word| text.contains(word)));
    Some(found.map_or(OTHER, |(category, _)| category).to_owned())
}

fn is_category(name: &str) -> bool {
    name.len() <= LONGEST && name.ends_with("_ERROR") && name.chars().all(|c| c.is_ascii_uppercase() || c == '_')
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn glues_own_category_is_taken_and_the_text_is_not() {
        let said = "Error Category: QUERY_ERROR; Failed Line Number: 12; AnalysisException: column 'jane@example.org'";
        assert_eq!(category(said).as_deref(), Some("QUERY_ERROR"));
        assert_eq!(category("Error Category: jane@example.org; boom").as_deref(), Some("UNCLASSIFIED_ERROR"));
    }

    #[test]
    fn a_message_without_a_category_gets_the_one_that_its_words_mean() {
        assert_eq!(category("Command failed with exit code 137").as_deref(), Some("OUT_OF_MEMORY_ERROR"));
        assert_eq!(category("S3: Access Denied (Service: Amazon S3)").as_deref(), Some("PERMISSION_ERROR"));
        assert_eq!(category("KeyError: 'customer 4711'").as_deref(), Some("UNCLASSIFIED_ERROR"));
        assert_eq!(category(" "), None);
    }
}
