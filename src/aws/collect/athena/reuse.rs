//! Whether Athena could answer a query from an earlier result, as far as its text and context tell. Pure.
//!
//! Rules: Athena User Guide, "Reuse query results in Athena". What only the catalog tells (Lake Formation, the table's
//! format) is not looked at. What is doubtful is unknown, never eligible.

use crate::engine::sql::tokenizer::{Token, Word};

use super::redact;

/// The one catalog whose tables are known to be in Glue.
const GLUE_CATALOG: &str = "awsdatacatalog";
/// Functions that give another answer each time.
const CHANGING_CALLS: &[&str] = &["now", "rand", "random", "uuid", "shuffle", "current_timezone"];
/// Words that do so without brackets.
const CHANGING_WORDS: &[&str] =
    &["current_date", "current_time", "current_timestamp", "localtime", "localtimestamp", "tablesample"];
/// Words that end the list of tables after FROM.
const AFTER_TABLES: &[&str] = &[
    "where",
    "group",
    "having",
    "order",
    "limit",
    "offset",
    "fetch",
    "window",
    "union",
    "intersect",
    "except",
    "select",
];

/// What is known of a query before its text is read.
#[derive(Clone, Copy, Debug, Default)]
pub struct Statement<'a> {
    /// `DDL`, `DML` or `UTILITY`.
    pub kind: Option<&'a str>,
    /// `SELECT`, `INSERT`, …
    pub sub_kind: Option<&'a str>,
    /// Effective engine version.
    pub engine: Option<&'a str>,
    /// Catalog of the query context.
    pub catalog: Option<&'a str>,
    /// The text.
    pub text: Option<&'a str>,
}

/// Whether a query could be answered from an earlier result.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Reuse {
    /// Nothing that can be seen stands in the way.
    Eligible,
    /// No, for this reason.
    Not(String),
    /// It cannot be told, for this reason.
    Unknown(String),
}

impl Reuse {
    /// Returns the column `reuse_eligible`.
    pub const fn eligible(&self) -> Option<bool> {
        match self {
            Reuse::Eligible => Some(true),
            Reuse::Not(_) => Some(false),
            Reuse::Unknown(_) => None,
        }
    }

    /// Returns the column `reuse_obstacle`.
    pub fn obstacle(&self) -> Option<&str> {
        match self {
            Reuse::Eligible => None,
            Reuse::Not(why) | Reuse::Unknown(why) => Some(why),
        }
    }
}

/// Returns whether `statement` could be answered from an earlier result.
pub fn reuse(statement: Statement<'_>) -> Reuse {
    let reasons = [of_kind(statement), of_engine(statement), of_text(statement), of_catalog(statement)];
    // A certain "no" says more than a doubt.
    let mut found = reasons.into_iter().flatten().collect::<Vec<_>>();
    found.sort_by_key(|reason| matches!(reason, Reuse::Unknown(_)));
    found.into_iter().next().unwrap_or(Reuse::Eligible)
}

fn of_kind(statement: Statement<'_>) -> Option<Reuse> {
    let not = |what: &str| Some(Reuse::Not(format!("only SELECT can be reused, not {what}")));
    match (statement.kind, statement.sub_kind) {
        (Some("DML"), None | Some("SELECT")) => None,
        (Some("DML" | _), Some(other)) => not(other),
        (Some(kind), None) => not(kind),
        (None, _) => Some(Reuse::Unknown("Athena did not say what kind of statement it is".to_owned())),
    }
}

fn of_engine(statement: Statement<'_>) -> Option<Reuse> {
    let Some(engine) = statement.engine else {
        return Some(Reuse::Unknown("the engine version is not known".to_owned()));
    };
    match engine.rsplit(' ').next().and_then(|number| number.parse::<u32>().ok()) {
        Some(3..) => None,
        Some(_) => Some(Reuse::Not("the engine is older than version 3".to_owned())),
        None => Some(Reuse::Unknown("the engine version is not known".to_owned())),
    }
}

/// Another catalog may be a Lambda function's (federated, never reused) or a Glue one under another name.
fn of_catalog(statement: Statement<'_>) -> Option<Reuse> {
    let catalog = statement.catalog.filter(|name| !name.eq_ignore_ascii_case(GLUE_CATALOG))?;
    let why = if catalog.is_empty() { "the catalog is not known" } else { "the catalog may be federated" };
    Some(Reuse::Unknown(why.to_owned()))
}

fn of_text(statement: Statement<'_>) -> Option<Reuse> {
    let Some(text) = statement.text else { return Some(Reuse::Unknown("the text was not given".to_owned())) };
    let Some(tokens) = redact::tokens(text) else {
        return Some(Reuse::Unknown("the text could not be read as SQL".to_owned()));
    };
    let tokens: Vec<Token> = tokens.into_iter().filter(|token| !matches!(token, Token::Whitespace(_))).collect();
    if let Some(first) = first_word(&tokens)
        && !["select", "with", "execute", "values", "table"].contains(&first.as_str())
    {
        return Some(Reuse::Not(format!("only SELECT can be reused, not {}", first.to_uppercase())));
    }
    if let Some(call) = changing(&tokens) {
        return Some(Reuse::Not(format!("`{call}` gives another answer each time")));
    }
    if limits_without_order(&tokens) {
        return Some(Reuse::Not("LIMIT without ORDER BY may give other rows each time".to_owned()));
    }
    if first_word(&tokens).is_some_and(|first| first == "execute") {
        return Some(Reuse::Unknown("the text of the prepared statement is not in the history".to_owned()));
    }
    other_catalog(&tokens).then(|| Reuse::Unknown("a table of another catalog, which may be federated".to_owned()))
}

/// Returns the first word of a statement, past opening brackets, in lower case.
fn first_word(tokens: &[Token]) -> Option<String> {
    let first = tokens.iter().find(|token| !matches!(token, Token::LParen))?;
    unquoted(first).map(str::to_lowercase)
}

/// Returns a word that is not quoted: a keyword, a function, or a name.
fn unquoted(token: &Token) -> Option<&str> {
    match token {
        Token::Word(Word { value, quote_style: None, .. }) => Some(value),
        _ => None,
    }
}

fn is(token: &Token, word: &str) -> bool {
    unquoted(token).is_some_and(|value| value.eq_ignore_ascii_case(word))
}

/// Returns the first function or word that gives another answer each time.
fn changing(tokens: &[Token]) -> Option<String> {
    let listed = |list: &[&str], word: &str| list.iter().any(|listed| listed.eq_ignore_ascii_case(word));
    let found = tokens.iter().enumerate().find_map(|(at, token)| {
        let word = unquoted(token)?;
        let called = tokens.get(at + 1) == Some(&Token::LParen);
        (listed(CHANGING_WORDS, word) || (called && listed(CHANGING_CALLS, word))).then_some(word)
    });
    found.map(str::to_lowercase)
}

/// Returns true when rows are limited in a scope (one pair of brackets) that does not order them before.
fn limits_without_order(tokens: &[Token]) -> bool {
    let mut ordered = vec![false];
    for pair in tokens.windows(2) {
        let [token, next] = pair else { continue };
        match token {
            Token::LParen => ordered.push(false),
            Token::RParen if ordered.len() > 1 => drop(ordered.pop()),
            _ => {}
        }
        let top = ordered.last_mut();
        let in_order = top.as_ref().is_some_and(|ordered| **ordered);
        if is(token, "order") && is(next, "by") {
            if let Some(ordered) = top {
                *ordered = true;
            }
        } else if limits(token, next) && !in_order {
            return true;
        }
    }
    false
}

/// `limit`, `offset` and `fetch` are names too unless a number or a parameter follows; LIMIT ALL is none.
fn limits(token: &Token, next: &Token) -> bool {
    let counted = matches!(next, Token::Number(..) | Token::Placeholder(_) | Token::Question);
    let first = is(token, "fetch") && (is(next, "first") || is(next, "next"));
    first || (counted && (is(token, "limit") || is(token, "offset")))
}

/// Returns true when a table after FROM or JOIN has three parts and the first is not the Glue catalog.
fn other_catalog(tokens: &[Token]) -> bool {
    let mut lists = vec![false];
    for (at, token) in tokens.iter().enumerate() {
        let names_table =
            is(token, "from") || is(token, "join") || (*token == Token::Comma && lists.last() == Some(&true));
        match token {
            Token::LParen => lists.push(false),
            Token::RParen if lists.len() > 1 => drop(lists.pop()),
            _ => {}
        }
        let Some(in_list) = lists.last_mut() else { continue };
        if is(token, "from") {
            *in_list = true;
        } else if AFTER_TABLES.iter().any(|word| is(token, word)) {
            *in_list = false;
        }
        if names_table && is_foreign(&tokens[at + 1..]) {
            return true;
        }
    }
    false
}

fn is_foreign(table: &[Token]) -> bool {
    match table {
        [Token::Word(catalog), Token::Period, Token::Word(_), Token::Period, Token::Word(_), ..] => {
            !catalog.value.eq_ignore_ascii_case(GLUE_CATALOG)
        }
        _ => false,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn of(text: &str) -> Reuse {
        reuse(Statement {
            kind: Some("DML"),
            sub_kind: Some("SELECT"),
            engine: Some("Athena engine version 3"),
            catalog: Some("AwsDataCatalog"),
            text: Some(text),
        })
    }

    #[test]
    fn a_plain_select_can_be_reused() {
        for text in [
            "select a, count(*) from t where d = date '2026-01-01' group by a",
            "SELECT * FROM t ORDER BY a LIMIT 10",
            "with x as (select 1) (select * from x union all select * from x order by 1 limit 5)",
            "select limit, \"now\", now from t limit all",
            "select row_number() over (partition by a order by b) from awsdatacatalog.db.t",
            "select a.b.c from db.t a, db.u order by 1 offset 3",
        ] {
            assert_eq!(of(text), Reuse::Eligible, "{text}");
        }
    }

    #[test]
    fn what_gives_another_answer_each_time_cannot() {
        for text in [
            "select now()",
            "select * from t where d > CURRENT_DATE - interval '7' day",
            "select rand() from t",
            "select * from t tablesample bernoulli (10)",
            "select * from t limit 10",
            "select * from (select * from t limit 10) order by a limit 5",
            "select row_number() over (order by b) from t limit 10",
            "select * from t fetch first 10 rows only",
            "select * from t limit ?",
        ] {
            assert_eq!(of(text).eligible(), Some(false), "{text}");
        }
    }

    #[test]
    fn only_a_select_can() {
        let kinds =
            [("DDL", "CREATE_TABLE_AS_SELECT"), ("DML", "INSERT"), ("DML", "UNLOAD"), ("UTILITY", "SHOW_TABLES")];
        for (kind, sub_kind) in kinds {
            let statement = Statement { kind: Some(kind), sub_kind: Some(sub_kind), ..Statement::default() };
            let said = reuse(statement);
            assert_eq!(said.eligible(), Some(false));
            assert!(said.obstacle().unwrap().contains(sub_kind));
        }
        let unload = Statement { kind: Some("DML"), engine: Some("Athena engine version 3"), ..Statement::default() };
        let unload = Statement { text: Some("UNLOAD (select 1) TO 's3://x'"), ..unload };
        assert_eq!(reuse(unload).eligible(), Some(false), "the text tells where Athena does not");
    }

    #[test]
    fn an_old_engine_cannot_and_an_unknown_one_is_unknown() {
        let with = |engine| Statement { kind: Some("DML"), engine, text: Some("select 1"), ..Statement::default() };
        assert_eq!(reuse(with(Some("Athena engine version 2"))).eligible(), Some(false));
        assert_eq!(reuse(with(Some("PySpark"))).eligible(), None);
        assert_eq!(reuse(with(None)).eligible(), None);
        assert_eq!(reuse(with(Some("Athena engine version 3"))), Reuse::Eligible);
    }

    #[test]
    fn a_catalog_that_may_be_federated_is_unknown() {
        let text = "select 1";
        let elsewhere = Statement {
            kind: Some("DML"),
            engine: Some("v 3"),
            catalog: Some("mysql"),
            text: Some(text),
            sub_kind: None,
        };
        assert_eq!(reuse(elsewhere).eligible(), None);
        for text in [
            "select * from mysql.db.t",
            "select * from db.t join \"lambda:x\".db.u on t.a = u.a",
            "select * from db.t, mysql.db.u",
            "select * from (select * from mysql.db.t)",
        ] {
            assert_eq!(of(text).eligible(), None, "{text}");
        }
    }

    #[test]
    fn text_that_cannot_be_read_is_unknown() {
        assert_eq!(of("select 'open").eligible(), None);
        assert_eq!(of("execute monthly using 5").eligible(), None);
    }
}
