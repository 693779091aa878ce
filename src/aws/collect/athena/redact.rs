//! SQL without its literals and comments. Pure.
//!
//! What cannot be read with certainty is not kept: a text is stored only when every tokeniser that could be right
//! agrees on where its literals are.

use crate::engine::sql::dialect::Dialect;
use crate::engine::sql::tokenizer::{Token, Tokenizer, Word};

/// Stands for a text literal.
const TEXT: &str = "'?'";
/// Stands for a number.
const NUMBER: &str = "0";
/// Stands for double-quoted text that may be a literal.
const QUOTED: &str = "\"?\"";
/// Stands for what a parameter fills.
const PARAMETER: &str = "?";

/// What double-quoted text is in a statement.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Quoted {
    /// A name, as in Trino. Only a query that ran proves it: its names were all found.
    Name,
    /// Perhaps a literal, as in Hive's DDL, or in a query that failed because somebody took it for one.
    PerhapsLiteral,
}

/// Trino's tokens: a backslash is a character like any other.
#[derive(Debug)]
struct Trino;

/// Hive's tokens: a backslash escapes, double quotes are for literals.
#[derive(Debug)]
struct Hive;

impl Dialect for Trino {
    fn is_delimited_identifier_start(&self, c: char) -> bool {
        c == '"' || c == '`'
    }

    fn is_identifier_start(&self, c: char) -> bool {
        starts_name(c)
    }

    fn is_identifier_part(&self, c: char) -> bool {
        continues_name(c)
    }

    fn supports_unicode_string_literal(&self) -> bool {
        true
    }

    fn supports_numeric_literal_underscores(&self) -> bool {
        true
    }
}

impl Dialect for Hive {
    fn is_delimited_identifier_start(&self, c: char) -> bool {
        c == '`'
    }

    fn is_identifier_start(&self, c: char) -> bool {
        starts_name(c)
    }

    fn is_identifier_part(&self, c: char) -> bool {
        continues_name(c)
    }

    fn supports_string_literal_backslash_escape(&self) -> bool {
        true
    }
}

fn starts_name(c: char) -> bool {
    c.is_alphabetic() || c == '_'
}

fn continues_name(c: char) -> bool {
    c.is_alphanumeric() || c == '_' || c == '$' || c == '@'
}

/// Returns `sql` with every literal replaced and every comment gone; `None` when it cannot be read with certainty.
pub fn redact(sql: &str, quoted: Quoted) -> Option<String> {
    let trino = with(&Trino, sql, quoted)?;
    match quoted {
        Quoted::Name => Some(trino),
        // DDL is Hive's in one statement and Trino's in the next (CREATE VIEW): where the two readings differ, neither
        // is safe.
        Quoted::PerhapsLiteral => (with(&Hive, sql, quoted)? == trino).then_some(trino),
    }
}

/// Returns the tokens of `sql` as Trino reads them; `None` when it cannot.
pub fn tokens(sql: &str) -> Option<Vec<Token>> {
    Tokenizer::new(&Trino, sql).with_unescape(false).tokenize().ok()
}

fn with(dialect: &dyn Dialect, sql: &str, quoted: Quoted) -> Option<String> {
    let tokens = Tokenizer::new(dialect, sql).with_unescape(false).tokenize().ok()?;
    let mut text = Redacted::default();
    for token in &tokens {
        text.push(token, quoted)?;
    }
    Some(text.out.trim_end().to_owned())
}

/// The text so far.
#[derive(Default)]
struct Redacted {
    out: String,
    after_number: bool,
}

impl Redacted {
    fn push(&mut self, token: &Token, quoted: Quoted) -> Option<()> {
        let after_number = std::mem::replace(&mut self.after_number, matches!(token, Token::Number(..)));
        match token {
            Token::Whitespace(_) => self.space(),
            // `12ab` is one word to whoever wrote it: what follows a number without a space goes with it.
            Token::Word(_) | Token::Number(..) if after_number => self.after_number = true,
            Token::Number(..) => self.number(),
            Token::Word(word) => self.out.push_str(&name(word, quoted)?),
            Token::Placeholder(_) | Token::Question => self.out.push_str(PARAMETER),
            Token::DoubleQuotedString(_) => self.out.push_str(QUOTED),
            token if is_text(token) => self.out.push_str(TEXT),
            token => self.out.push_str(&mark(token)?),
        }
        Some(())
    }

    /// Any run of blanks and comments is one blank: `1-/**/-1` must not become a comment.
    fn space(&mut self) {
        if !self.out.is_empty() && !self.out.ends_with(' ') {
            self.out.push(' ');
        }
    }

    fn number(&mut self) {
        if self.out.ends_with(continues_name) {
            self.out.push(' ');
        }
        self.out.push_str(NUMBER);
    }
}

/// Returns a name as written, or its placeholder; `None` for a quote that neither engine has.
fn name(word: &Word, quoted: Quoted) -> Option<String> {
    match (word.quote_style, quoted) {
        (None | Some('`'), _) | (Some('"'), Quoted::Name) => Some(word.to_string()),
        (Some('"'), Quoted::PerhapsLiteral) => Some(QUOTED.to_owned()),
        _ => None,
    }
}

/// Literals between quotes. The kinds that no engine of Athena has are here too: leaving one out would leak it.
fn is_text(token: &Token) -> bool {
    matches!(
        token,
        Token::SingleQuotedString(_)
            | Token::TripleSingleQuotedString(_)
            | Token::TripleDoubleQuotedString(_)
            | Token::DollarQuotedString(_)
            | Token::SingleQuotedByteStringLiteral(_)
            | Token::DoubleQuotedByteStringLiteral(_)
            | Token::TripleSingleQuotedByteStringLiteral(_)
            | Token::TripleDoubleQuotedByteStringLiteral(_)
            | Token::SingleQuotedRawStringLiteral(_)
            | Token::DoubleQuotedRawStringLiteral(_)
            | Token::TripleSingleQuotedRawStringLiteral(_)
            | Token::TripleDoubleQuotedRawStringLiteral(_)
            | Token::NationalStringLiteral(_)
            | Token::QuoteDelimitedStringLiteral(_)
            | Token::NationalQuoteDelimitedStringLiteral(_)
            | Token::EscapedStringLiteral(_)
            | Token::UnicodeStringLiteral(_)
            | Token::HexStringLiteral(_)
    )
}

/// Returns an operator or a bracket as written; `None` for anything that is more than punctuation.
fn mark(token: &Token) -> Option<String> {
    let written = token.to_string();
    (!matches!(token, Token::Char(_) | Token::Backslash) && written.chars().all(|c| c.is_ascii_punctuation()))
        .then_some(written)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::engine::sql::dialect::GenericDialect;
    use crate::engine::sql::parser::Parser;

    fn query(sql: &str) -> String {
        redact(sql, Quoted::Name).unwrap()
    }

    #[test]
    fn literals_and_comments_go_and_names_stay() {
        let sql = "SELECT \"a b\", 1.5e3 x -- by joe@x.com\nFROM t /* secret */ WHERE d = DATE '2026-01-01' AND n IN (1, -2, 0x1F)";
        let kept = "SELECT \"a b\", 0 x FROM t WHERE d = DATE '?' AND n IN (0, -0, '?')";
        assert_eq!(query(sql), kept);
    }

    #[test]
    fn every_kind_of_literal_that_trino_has_goes() {
        for literal in ["'it''s'", "U&'\\0041'", "X'CAFE'", "1_000_000", "123456", ".75", "1E9", "'\\'", "x'0a'"] {
            let text = query(&format!("select {literal} from t"));
            assert!(text == "select '?' from t" || text == "select 0 from t", "{literal}: {text}");
        }
    }

    #[test]
    fn a_backslash_before_a_quote_hides_nothing() {
        let sql = "ALTER TABLE t SET TBLPROPERTIES ('a\\'b' = 'c', 'd' = 'it\\'s secret')";
        assert_eq!(redact(sql, Quoted::PerhapsLiteral), None, "two readings, neither safe");
        let sql = "select '\\' as a, 'secret' as b";
        assert_eq!(query(sql), "select '?' as a, '?' as b", "in Trino the backslash is the literal");
    }

    #[test]
    fn double_quoted_text_is_a_literal_in_ddl_and_in_what_never_ran() {
        let ddl = "CREATE EXTERNAL TABLE `t` (a int COMMENT \"jane doe\") LOCATION \"s3://secret/\"";
        let kept = "CREATE EXTERNAL TABLE `t` (a int COMMENT \"?\") LOCATION \"?\"";
        assert_eq!(redact(ddl, Quoted::PerhapsLiteral).as_deref(), Some(kept));
        let view = "CREATE VIEW v AS SELECT \"name\" FROM t WHERE x = 'secret'";
        let kept = "CREATE VIEW v AS SELECT \"?\" FROM t WHERE x = '?'";
        assert_eq!(redact(view, Quoted::PerhapsLiteral).as_deref(), Some(kept));
    }

    #[test]
    fn what_cannot_be_tokenised_is_not_kept() {
        for sql in ["select 'open", "select \"open", "select /* open", "select \u{1f4a3}", "select a \\ b"] {
            assert_eq!(redact(sql, Quoted::Name), None, "{sql}");
        }
    }

    #[test]
    fn parameters_stay_parameters() {
        assert_eq!(query("EXECUTE q USING 'x', 5"), "EXECUTE q USING '?', 0");
        assert_eq!(query("select * from t where a = ? and b > ?"), "select * from t where a = ? and b > ?");
    }

    #[test]
    fn two_signs_with_a_comment_between_do_not_become_a_comment() {
        assert_eq!(query("select 1 -/**/- 2 as x"), "select 0 - - 0 as x");
    }

    #[test]
    fn real_queries_still_parse_after_redaction() {
        for sql in [
            "with d as (select date_trunc('day', ts) as day, sum(b) as b from \"logs\".\"2024\" where dt >= '2026-01-01' group by 1) select day, b from d order by day desc limit 100",
            "select cast(x as decimal(10, 2)), interval '7' day from t where a like '%joe%' and b between 1 and 2",
            "select count(*) from a join b on a.id = b.id where array[1, 2][1] = 1 having count(*) > 10",
        ] {
            let text = query(sql);
            Parser::parse_sql(&GenericDialect {}, &text).unwrap_or_else(|e| panic!("{text}: {e}"));
        }
    }

    /// A literal of a recognisable kind, as SQL and as what must not be seen.
    fn literal() -> impl Strategy<Value = (String, String)> {
        prop_oneof![
            "[a-zA-Z@ .\\\\\"/*;-]{0,12}".prop_map(|s| (format!("'zq{s}'"), format!("zq{s}"))),
            (100_000_u64..u64::MAX).prop_map(|n| (n.to_string(), n.to_string())),
            (100_000_u32..u32::MAX, 10_000_u32..u32::MAX).prop_map(|(a, b)| (format!("{a}.{b}e7"), b.to_string())),
            "[0-9A-F]{8,16}".prop_map(|h| (format!("X'{h}'"), h)),
            "[a-z ]{0,9}".prop_map(|s| (format!("/* zq{s} */ 1"), format!("zq{s}"))),
            "[a-z '\"]{0,9}".prop_map(|s| (format!("1 -- zq{s}\n"), format!("zq{s}"))),
        ]
    }

    proptest! {
        #[test]
        fn no_literal_of_any_query_is_in_the_stored_text(
            literals in prop::collection::vec(literal(), 1..6),
            shape in prop::sample::select(vec!["+", ",", " || ", " and x = ", ") or (y <", "\n, \"col\" = "]),
        ) {
            let list: Vec<_> = literals.iter().map(|(sql, _)| sql.as_str()).collect();
            let sql = format!("select ({}) from t where z = {}", list.join(shape), list[0]);
            for quoted in [Quoted::Name, Quoted::PerhapsLiteral] {
                let Some(text) = redact(&sql, quoted) else { continue };
                for (_, secret) in &literals {
                    prop_assert!(!text.contains(secret.as_str()), "{sql} -> {text}");
                }
                prop_assert!(tokens(&text).is_some(), "{text}");
                prop_assert_eq!(redact(&text, quoted), Some(text), "redacting twice changes nothing");
            }
        }

        #[test]
        fn no_text_whatever_makes_it_fail(sql in "\\PC{0,60}") {
            if let Some(text) = redact(&sql, Quoted::Name) {
                prop_assert!(tokens(&text).is_some(), "{sql} -> {text}");
            }
        }
    }
}
