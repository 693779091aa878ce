//! The shape of the crate: which module may use which, and which path may name which crate or call.
//!
//! Reads `src/` line by line with strings, comments and unit tests taken out. It must never need a list of files.

use std::collections::BTreeSet;
use std::fs;
use std::path::{Path, PathBuf};

/// Each module and the modules it may use. `lib` and `main` may name any.
const MAY_USE: &[(&str, &[&str])] = &[
    ("error", &[]),
    ("model", &[]),
    ("store", &["model"]),
    ("prices", &["model"]),
    ("lifecycle", &["model"]),
    ("engine", &["model", "store", "prices"]),
    ("rollup", &["model", "store", "prices", "engine"]),
    ("analysis", &["model", "store", "prices", "engine"]),
    ("forecast", &["model", "store", "prices", "engine"]),
    ("policy", &["model", "store", "prices", "engine", "rollup", "analysis", "forecast"]),
    ("portfolio", &["model", "store", "prices", "engine", "rollup", "analysis", "forecast", "policy"]),
    (
        "plan",
        &["model", "store", "prices", "lifecycle", "engine", "rollup", "analysis", "forecast", "policy", "portfolio"],
    ),
    (
        "report",
        &["model", "store", "prices", "engine", "rollup", "analysis", "forecast", "policy", "portfolio", "plan"],
    ),
    ("tui", &["model", "store", "prices", "engine", "rollup", "analysis", "forecast", "policy", "portfolio", "plan"]),
    (
        "apply",
        &[
            "model",
            "store",
            "prices",
            "lifecycle",
            "engine",
            "rollup",
            "analysis",
            "forecast",
            "policy",
            "portfolio",
            "plan",
        ],
    ),
    ("aws", &["model", "store", "prices", "lifecycle", "engine", "rollup", "apply"]),
    ("demo", &["model", "store"]),
    ("term", &["model", "error"]),
    ("config", &["model", "error"]),
    (
        "cmd",
        &[
            "model",
            "store",
            "prices",
            "lifecycle",
            "engine",
            "rollup",
            "analysis",
            "forecast",
            "policy",
            "portfolio",
            "plan",
            "report",
            "tui",
            "apply",
            "aws",
            "demo",
            "term",
            "config",
            "error",
        ],
    ),
];

/// Words that only some paths may name.
struct OnlyHere {
    rule: &'static str,
    /// Found at the start of a word; what ends in a letter, digit or `_` must end the word too.
    needles: &'static [&'static str],
    /// Paths under `src/` that the rule looks at; empty for all.
    within: &'static [&'static str],
    /// Paths under `src/` where the words may stand.
    allowed: &'static [&'static str],
}

const ONLY_HERE: &[OnlyHere] = &[
    OnlyHere {
        rule: "only `aws/` names the SDK",
        needles: &["aws_sdk_*", "aws_config", "aws_credential_types", "aws_smithy_*", "aws_types"],
        within: &[],
        allowed: &["aws/"],
    },
    OnlyHere {
        rule: "only `aws/act/` names a call that changes an account",
        needles: &[
            ".put_bucket_*",
            ".delete_bucket_*",
            ".create_*",
            ".update_*",
            ".start_*",
            ".abort_multipart_upload",
        ],
        within: &["aws/"],
        allowed: &["aws/act/"],
    },
    OnlyHere {
        rule: "only `engine/` names datafusion",
        needles: &["datafusion", "datafusion_*"],
        within: &[],
        allowed: &["engine/"],
    },
    OnlyHere {
        rule: "only `store/`, `apply/journal.rs`, `policy/file.rs`, `config.rs` and `cmd/` touch files",
        needles: &["fs::", "fs;", "File::open", "File::create", "OpenOptions", "tempfile"],
        within: &[],
        allowed: &["store/", "apply/journal.rs", "policy/file.rs", "config.rs", "cmd/"],
    },
    OnlyHere {
        rule: "only `term.rs` prints",
        needles: &["println!", "eprintln!", "print!", "eprint!", "dbg!", "stdout()", "stderr()"],
        within: &[],
        allowed: &["term.rs"],
    },
    OnlyHere {
        rule: "only `cmd/` and `aws/` read the clock",
        needles: &["Utc::now", "Local::now", "SystemTime::now", "Instant::now"],
        within: &[],
        allowed: &["cmd/", "aws/"],
    },
    OnlyHere {
        rule: "nothing depends on the order of a hash table",
        needles: &["HashMap", "HashSet"],
        within: &[],
        allowed: &["aws/"],
    },
    OnlyHere {
        rule: "only `cmd/` knows the command line",
        needles: &["clap"],
        within: &[],
        allowed: &["cmd/", "main.rs"],
    },
];

/// Lines that a file may have before its unit tests.
const MAX_LINES: usize = 400;

#[test]
fn modules_use_only_what_stands_left_of_them_and_names_stay_where_they_belong() {
    let breaches: Vec<String> = sources().iter().flat_map(|(path, text)| breaches(path, text)).collect();
    assert!(breaches.is_empty(), "the shape is broken:\n{}", breaches.join("\n"));
}

#[test]
fn every_module_stands_in_the_table() {
    let known: BTreeSet<&str> = MAY_USE.iter().map(|(module, _)| *module).collect();
    let unknown: BTreeSet<String> = sources()
        .iter()
        .map(|(path, _)| module_of(path))
        .filter(|m| !known.contains(m.as_str()) && !is_root(m))
        .collect();
    assert!(unknown.is_empty(), "say in `MAY_USE` what these modules may use: {unknown:?}");
}

#[test]
fn each_kind_of_breach_is_caught_with_its_line_and_rule() {
    let caught = |path: &str, text: &str| breaches(path, &format!("//! Doc.\n{text}")).join("\n");
    for (path, text, rule) in [
        ("store/parts.rs", "use crate::engine::Engine;", "src/store/parts.rs:2: `store` may not use `engine`"),
        ("store/parts.rs", "use crate::{model::Row, engine::Engine};", "`store` may not use `engine`"),
        ("store/parts.rs", "use crate::{\n    model::{Row, Cell},\n    cmd,\n};", ":4: `store` may not use `cmd`"),
        ("store/parts.rs", "use super::super::aws::scan;", "`store` may not use `aws`"),
        ("store/mod.rs", "use super::aws::scan;", "`store` may not use `aws`"),
        ("report/weekly.rs", "fn f() { crate::tui::draw() }", "`report` may not use `tui`"),
        ("report/weekly.rs", "use leanlake::cmd;", "`report` may not use `cmd`"),
        ("cmd/scan.rs", "use aws_sdk_s3::Client;", "only `aws/` names the SDK"),
        ("aws/collect/s3.rs", "client.put_bucket_lifecycle_configuration();", "only `aws/act/` names a call"),
        ("policy/formula.rs", "use datafusion::sql::sqlparser;", "only `engine/` names datafusion"),
        ("plan/emit.rs", "std::fs::write(path, text)?;", "touch files"),
        ("plan/emit.rs", "use std::fs;", "touch files"),
        ("cmd/scan.rs", "println!(\"{total}\");", "only `term.rs` prints"),
        ("forecast/spend.rs", "let today = Utc::now();", "read the clock"),
        ("portfolio/decide.rs", "use std::collections::HashMap;", "order of a hash table"),
        ("report/mod.rs", "use clap::Parser;", "only `cmd/` knows the command line"),
    ] {
        let found = caught(path, text);
        assert!(found.contains(rule), "`{text}` in {path} should break “{rule}”, found: {found:?}");
    }
    assert_eq!(caught("aws/collect/glue.rs", "table.create_time(); crawl.start_time();"), "", "fields that say when");
    assert!(caught("aws/collect/glue.rs", "client.start_job_run();").contains("only `aws/act/` names a call"));
    assert!(breaches("model/row.rs", "use std::fmt;").join("").contains("opens with `//!`"));
    let long = "fn f() {}\n".repeat(MAX_LINES + 1);
    assert!(caught("model/row.rs", &long).contains("lines before its tests"));
}

#[test]
fn text_comments_and_unit_tests_break_no_rule() {
    let innocent = r##"//! Doc.
use crate::model::Row;
use super::super::model::Cell;
// use crate::cmd; println!()
/* Utc::now /* nested */ HashMap */
const A: &str = "println!(\"crate::cmd\")";
const B: &str = r#"std::fs "quoted" HashMap"#;
const C: char = '"'; const D: &[u8] = b"HashMap"; fn f<'a>(x: &'a str) -> &'a str { x }
fn snapshots_println() { reprint!(); my_aws_config; }
#[cfg(test)]
mod tests {
    use crate::cmd;
    fn f() { let _ = std::fs::read("{"); }
}
"##;
    assert_eq!(breaches("store/parts.rs", innocent), Vec::<String>::new());
}

/// Returns every breach in one file as `src/path:line: rule`.
fn breaches(path: &str, text: &str) -> Vec<String> {
    let code = without_tests(&code_only(text));
    let mut found = uses(path, &code);
    found.extend(ONLY_HERE.iter().flat_map(|only| named(path, &code, only)));
    if !text.starts_with("//!") {
        found.push(format!("src/{path}:1: a file opens with `//!`: what it is and what it must never do"));
    }
    let lines = before_tests(text);
    if lines > MAX_LINES {
        found.push(format!(
            "src/{path}:{lines}: {lines} lines before its tests, more than {MAX_LINES}; split it by noun"
        ));
    }
    found
}

fn uses(path: &str, code: &str) -> Vec<String> {
    let module = module_of(path);
    let Some((_, may)) = MAY_USE.iter().find(|(name, _)| *name == module) else { return Vec::new() };
    used_modules(path, code)
        .into_iter()
        .filter(|(_, used)| *used != module && !may.contains(&used.as_str()))
        .map(|(line, used)| format!("src/{path}:{line}: `{module}` may not use `{used}` (it may use {may:?})"))
        .collect()
}

/// Returns the top-level modules that `code` names, with their lines, in `crate::…`, `leanlake::…` and `super::…` paths.
fn used_modules(path: &str, code: &str) -> Vec<(usize, String)> {
    let up_to_root = "super::".repeat(depth(path));
    let mut starts: Vec<usize> = Vec::new();
    for root in ["crate::", "leanlake::", up_to_root.as_str()] {
        starts.extend(code.match_indices(root).filter(|(at, _)| starts_word(code, *at)).map(|(at, _)| at + root.len()));
    }
    starts
        .into_iter()
        .flat_map(|start| first_names(code, start))
        .filter(|(_, name)| MAY_USE.iter().any(|(module, _)| module == name))
        .map(|(at, name)| (line_of(code, at), name))
        .collect()
}

/// Returns the first name of the path at `start`, or of each path in the group that stands there.
fn first_names(code: &str, start: usize) -> Vec<(usize, String)> {
    let name_at = |at: usize| {
        let rest = &code[at..];
        let skipped = rest.len() - rest.trim_start().len();
        let name: String = rest.trim_start().chars().take_while(|c| c.is_alphanumeric() || *c == '_').collect();
        (at + skipped, name)
    };
    if !code[start..].starts_with('{') {
        return vec![name_at(start)];
    }
    let (mut nesting, mut names) = (0, Vec::new());
    for (offset, c) in code[start..].char_indices() {
        match c {
            '{' if nesting == 0 => names.push(name_at(start + offset + 1)),
            ',' if nesting == 1 => names.push(name_at(start + offset + 1)),
            _ => {}
        }
        nesting += i32::from(c == '{') - i32::from(c == '}');
        if nesting == 0 {
            break;
        }
    }
    names
}

fn named(path: &str, code: &str, only: &OnlyHere) -> Vec<String> {
    let under = |roots: &[&str]| roots.iter().any(|root| path.starts_with(root));
    if under(only.allowed) || (!only.within.is_empty() && !under(only.within)) {
        return Vec::new();
    }
    let hit = |needle: &str| {
        let (word, open) = needle.strip_suffix('*').map_or((needle, false), |word| (word, true));
        let whole = |at: usize| if open { !says_when(code, at) } else { ends_word(code, at + word.len()) };
        let at = |(at, _): &(usize, &str)| starts_word(code, *at) && whole(*at);
        code.match_indices(word).filter(at).map(|(at, _)| line_of(code, at)).collect::<Vec<_>>()
    };
    let breach = |line: usize, needle: &str| format!("src/{path}:{line}: `{needle}`: {}", only.rule);
    only.needles.iter().flat_map(|needle| hit(needle).into_iter().map(move |line| breach(line, needle))).collect()
}

/// `.create_time` is no call that creates: it says when something was made.
fn says_when(code: &str, at: usize) -> bool {
    let word = code[at..].trim_start_matches('.');
    word[..word.find(|c| !is_word(c)).unwrap_or(word.len())].ends_with("_time")
}

fn is_word(c: char) -> bool {
    c.is_alphanumeric() || c == '_'
}

fn starts_word(code: &str, at: usize) -> bool {
    !code[at..].starts_with(is_word) || !code[..at].ends_with(is_word)
}

fn ends_word(code: &str, end: usize) -> bool {
    !code[..end].ends_with(is_word) || !code[end..].starts_with(is_word)
}

fn line_of(code: &str, at: usize) -> usize {
    code[..at].matches('\n').count() + 1
}

/// Returns the top-level module that a path under `src/` belongs to.
fn module_of(path: &str) -> String {
    path.split('/').next().unwrap().trim_end_matches(".rs").to_owned()
}

fn is_root(module: &str) -> bool {
    ["lib", "main"].contains(&module)
}

/// Returns how many `super::` lead from the file to the root of the crate.
fn depth(path: &str) -> usize {
    path.split('/').count() - usize::from(path.ends_with("/mod.rs"))
}

fn before_tests(text: &str) -> usize {
    text.lines().take_while(|line| line.trim() != "#[cfg(test)]").count()
}

/// Returns `text` with comments, string and character literals blanked, line for line.
fn code_only(text: &str) -> String {
    let chars: Vec<char> = text.chars().collect();
    let (mut out, mut at) = (String::new(), 0);
    while at < chars.len() {
        let end = literal_end(&chars, at);
        if end == at {
            out.push(chars[at]);
            at += 1;
        } else {
            out.extend(chars[at..end].iter().map(|c| if *c == '\n' { '\n' } else { ' ' }));
            at = end;
        }
    }
    out
}

/// Returns the end of the comment or literal that begins at `at`, or `at` when none does.
fn literal_end(chars: &[char], at: usize) -> usize {
    let starts = |word: &str| word.chars().enumerate().all(|(i, c)| chars.get(at + i) == Some(&c));
    let after_word = at > 0 && is_word(chars[at - 1]);
    if starts("//") {
        return chars[at..].iter().position(|c| *c == '\n').map_or(chars.len(), |n| at + n);
    }
    if starts("/*") {
        return block_comment_end(chars, at);
    }
    if starts("r\"") || starts("r#") && !after_word {
        let hashes = chars[at + 1..].iter().take_while(|c| **c == '#').count();
        return if chars.get(at + 1 + hashes) == Some(&'"') { raw_end(chars, at, hashes) } else { at };
    }
    if starts("\"") { quoted_end(chars, at, '"') } else { char_end(chars, at) }
}

fn block_comment_end(chars: &[char], start: usize) -> usize {
    let (mut nesting, mut at) = (0, start);
    while at + 1 < chars.len() {
        match (chars[at], chars[at + 1]) {
            ('/', '*') => nesting += 1,
            ('*', '/') => nesting -= 1,
            _ => {
                at += 1;
                continue;
            }
        }
        at += 2;
        if nesting == 0 {
            return at;
        }
    }
    chars.len()
}

fn raw_end(chars: &[char], at: usize, hashes: usize) -> usize {
    let closes =
        |i: usize| chars[i] == '"' && chars[i + 1..].iter().take(hashes).filter(|c| **c == '#').count() == hashes;
    (at + hashes + 2..chars.len()).find(|i| closes(*i)).map_or(chars.len(), |i| i + 1 + hashes)
}

fn quoted_end(chars: &[char], at: usize, quote: char) -> usize {
    let mut i = at + 1;
    while i < chars.len() && chars[i] != quote {
        i += if chars[i] == '\\' { 2 } else { 1 };
    }
    (i + 1).min(chars.len())
}

/// A character literal, told from a lifetime by its closing quote.
fn char_end(chars: &[char], at: usize) -> usize {
    match (chars[at], chars.get(at + 1), chars.get(at + 2)) {
        ('\'', Some('\\'), _) => quoted_end(chars, at, '\''),
        ('\'', Some(_), Some('\'')) => at + 3,
        _ => at,
    }
}

/// Returns `code` with what stands under `#[cfg(test)]` blanked, line for line.
fn without_tests(code: &str) -> String {
    let mut out = code.to_owned();
    while let Some(start) = out.find("#[cfg(test)]") {
        let end = item_end(&out, start);
        let blank: String = out[start..end].chars().map(|c| if c == '\n' { '\n' } else { ' ' }).collect();
        out.replace_range(start..end, &blank);
    }
    out
}

fn item_end(code: &str, start: usize) -> usize {
    let mut nesting = 0;
    for (offset, c) in code[start..].char_indices() {
        nesting += i32::from(c == '{') - i32::from(c == '}');
        if nesting == 0 && [';', '}'].contains(&c) {
            return start + offset + 1;
        }
    }
    code.len()
}

/// Returns every source file but those of unit tests: its path under `src/` and its text.
fn sources() -> Vec<(String, String)> {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("src");
    let mut files = Vec::new();
    walk(&root, &mut files);
    files.sort();
    files
        .into_iter()
        .filter(|path| !path.ends_with("tests.rs"))
        .map(|path| {
            (path.strip_prefix(&root).unwrap().to_string_lossy().into_owned(), fs::read_to_string(&path).unwrap())
        })
        .collect()
}

fn walk(folder: &Path, files: &mut Vec<PathBuf>) {
    for entry in fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() {
            walk(&path, files);
        } else if path.extension().is_some_and(|ext| ext == "rs") {
            files.push(path);
        }
    }
}
