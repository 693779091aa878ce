//! Text that comes from an account, and the sinks that make it safe to show.
//!
//! Bucket names, keys, tags and SQL are written by people who are not the reader: such text has no
//! `Display`. It leaves through a sink that escapes for the place where it will stand.

use std::borrow::Cow;
use std::fmt::Write;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// Text written by somebody else. JSON carries it as it is; every other place needs a sink.
#[derive(Clone, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize, JsonSchema)]
#[serde(transparent)]
pub struct Untrusted(String);

impl Untrusted {
    /// Wraps text that an account gave.
    pub fn new(text: impl Into<String>) -> Self {
        Untrusted(text.into())
    }

    /// Returns the text as it was read: for keys, comparisons and requests, never for showing.
    pub fn raw(&self) -> &str {
        &self.0
    }

    /// Returns the text for a terminal: controls, bidi overrides and invisible characters as visible codes.
    pub fn terminal(&self) -> String {
        terminal(&self.0)
    }

    /// Returns the text for Markdown, on one line, without markup, mentions, issue links or bare links.
    pub fn markdown(&self) -> String {
        markdown(&self.0)
    }

    /// Returns the text for a CSV cell that a spreadsheet must not take for a formula (OWASP CSV injection).
    pub fn csv(&self) -> Cow<'_, str> {
        csv(&self.0)
    }
}

impl From<&str> for Untrusted {
    fn from(text: &str) -> Self {
        Untrusted(text.to_owned())
    }
}

impl From<String> for Untrusted {
    fn from(text: String) -> Self {
        Untrusted(text)
    }
}

/// Returns `text` with Unicode controls (Cc) and format characters (Cf) shown as `\u{…}`, and with commands to the
/// runner of a CI log broken the same way (see [`commands_at`]).
pub fn terminal(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    let mut commands = commands_at(text).into_iter().peekable();
    for (at, c) in text.char_indices() {
        if c.is_control() || is_format(c) || commands.next_if_eq(&at).is_some() {
            let _ = write!(out, "\\u{{{:x}}}", c as u32);
        } else {
            out.push(c);
        }
    }
    out
}

/// Returns the places in `text` at which a CI runner would begin to read a command: GitHub takes a line that starts
/// with `::` (after blanks, and cells of a table can be wrapped, so any `::` behind a blank counts) and `##[` anywhere,
/// Azure `##vso[` anywhere. Without its first character, none of them is a command.
/// <https://docs.github.com/en/actions/reference/workflows-and-actions/workflow-commands>
fn commands_at(text: &str) -> Vec<usize> {
    if !text.contains("::") && !text.contains("##") {
        return Vec::new();
    }
    let begins = |at: usize| text[..at].chars().next_back().is_none_or(char::is_whitespace);
    let colons = text.match_indices("::").map(|(at, _)| at).filter(|at| begins(*at));
    let hashes = ["##[", "##vso["].into_iter().flat_map(|start| text.match_indices(start)).map(|(at, _)| at);
    let mut found: Vec<usize> = colons.chain(hashes).collect();
    found.sort_unstable();
    found
}

/// Returns text of several lines for a terminal: each line escaped, the line ends kept.
pub fn terminal_lines(text: &str) -> String {
    text.split('\n').map(terminal).collect::<Vec<_>>().join("\n")
}

/// Returns `text` for Markdown: HTML entities for `< > &`, backslashes before markup, and a zero-width
/// space that breaks `@name`, `#123`, `www.` and `://` links.
pub fn markdown(text: &str) -> String {
    let mut out = String::with_capacity(text.len() + 8);
    for c in terminal(text).chars() {
        match c {
            '<' => out.push_str("&lt;"),
            '>' => out.push_str("&gt;"),
            '&' => out.push_str("&amp;"),
            '|' | '`' | '*' | '_' | '[' | ']' | '\\' | '~' => {
                out.push('\\');
                out.push(c);
            }
            '@' | '#' => {
                out.push(c);
                out.push('\u{200b}');
            }
            _ => out.push(c),
        }
    }
    out.replace("://", ":\u{200b}//").replace("www.", "www\u{200b}.")
}

/// Returns `text` for a CSV cell: a leading `= + - @`, tab, carriage return or line feed gets a quote before it, and so
/// does what the runner of a CI log would take for a command (see [`commands_at`]). All else stays as it is: a file is
/// read by machines, and [`terminal_lines`] makes it safe to look at.
pub fn csv(text: &str) -> Cow<'_, str> {
    let mut quotes = commands_at(text);
    if text.starts_with(['=', '+', '-', '@', '\t', '\r', '\n']) {
        quotes.insert(0, 0);
    }
    if quotes.is_empty() {
        return Cow::Borrowed(text);
    }
    let mut out = String::with_capacity(text.len() + quotes.len());
    let mut done = 0;
    for at in quotes {
        // Behind `##` is no command either, and a quote between the two leaves none before it.
        let at = if text[at..].starts_with('#') { at + 1 } else { at };
        out.push_str(&text[done..at]);
        out.push('\'');
        done = at;
    }
    out.push_str(&text[done..]);
    Cow::Owned(out)
}

/// Characters of Unicode category Cf that change how a line reads: bidi controls, joiners, tags, soft hyphen.
fn is_format(c: char) -> bool {
    matches!(c,
        '\u{ad}' | '\u{600}'..='\u{605}' | '\u{61c}' | '\u{6dd}' | '\u{70f}' | '\u{180e}'
        | '\u{200b}'..='\u{200f}' | '\u{2028}'..='\u{202e}' | '\u{2060}'..='\u{206f}'
        | '\u{feff}' | '\u{fff9}'..='\u{fffb}' | '\u{e0000}'..='\u{e007f}')
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_terminal_never_gets_an_escape_sequence_or_a_bidi_override() {
        let nasty = Untrusted::from("lake\u{1b}]52;c;eA==\u{7}\u{202e}drow\u{200b}");
        assert_eq!(nasty.terminal(), "lake\\u{1b}]52;c;eA==\\u{7}\\u{202e}drow\\u{200b}");
    }

    #[test]
    fn lines_stay_lines_and_are_escaped_one_by_one() {
        assert_eq!(terminal_lines("a\u{1b}\n  b\r\n"), "a\\u{1b}\n  b\\u{d}\n");
    }

    #[test]
    fn markdown_text_cannot_start_markup_mentions_or_links() {
        let nasty = Untrusted::from("a|b `c` [d](e) <img> @team #7\nhttps://x www.y.z");
        let safe = nasty.markdown();
        assert!(safe.contains("a\\|b") && safe.contains("\\`c\\`") && safe.contains("\\[d\\](e)"));
        assert!(!safe.contains('<') && !safe.contains("@team") && !safe.contains("#7") && !safe.contains('\n'));
        assert!(!safe.contains("https://") && !safe.contains("www.y"));
    }

    #[test]
    fn no_line_of_a_ci_log_becomes_a_command_of_its_runner() {
        let commands = ["::error::x", "  ::set-output name=a::b", "a\n::add-mask::b", "##[error]x", "a ##vso[task.x]"];
        let is_command =
            |line: &str| line.trim_start().starts_with("::") || line.contains("##[") || line.contains("##vso[");
        for nasty in commands {
            for safe in [terminal(nasty), terminal_lines(nasty), markdown(nasty), csv(nasty).into_owned()] {
                assert!(!safe.lines().any(is_command), "{nasty:?} became {safe:?}");
            }
        }
        assert_eq!(terminal("::error::x"), "\\u{3a}:error::x");
        assert_eq!(csv("::error::x"), "'::error::x");
        for plain in ["arn:aws:s3:::lake", "Node::ra3", "#7 ## [x]"] {
            assert_eq!((terminal(plain).as_str(), csv(plain).as_ref()), (plain, plain));
        }
    }

    #[test]
    fn a_spreadsheet_never_gets_a_formula() {
        for start in ["=", "+", "-", "@", "\t", "\r", "\n"] {
            assert!(Untrusted::new(format!("{start}1+1")).csv().starts_with('\''));
        }
        assert_eq!(Untrusted::from("plain").csv(), "plain");
    }
}
