//! The text of a new `leanlake.toml`, from the declarations of its keys: each with its meaning, set only where somebody
//! said so. Pure.

use std::fmt::Write;

use super::Source;
use super::key::{Key, Kind, Value};
use super::{KEYS, Settled};
use crate::model::text::terminal;

/// Characters on a line of a comment.
const WIDTH: usize = 100;

/// Returns the text: `notes` and the meaning of each key as comments. What an option or a variable says is set; every
/// other key is a comment with an example or its default.
pub fn template(notes: &[String], settled: &[Settled], examples: &[(&Key, Value)]) -> String {
    let mut text = String::new();
    for note in notes {
        comment(&mut text, note);
    }
    for key in KEYS {
        text.push('\n');
        comment(&mut text, key.doc);
        let said = settled.iter().find(|said| said.key == *key && is_said(&said.source));
        let line = match said.and_then(|said| said.value.as_ref()) {
            Some(value) => format!("{} = {value}", key.name),
            None => format!("# {} = {}", key.name, example(key, examples)),
        };
        let _ = writeln!(text, "{line}");
    }
    text
}

/// What stands in another file stays there.
fn is_said(source: &Source) -> bool {
    matches!(source, Source::Flag(_) | Source::Variable(_))
}

fn example(key: &Key, examples: &[(&Key, Value)]) -> String {
    let given = examples.iter().find(|(of, _)| of.name == key.name).map(|(_, value)| value.to_string());
    given.or_else(|| key.default.map(str::to_owned)).unwrap_or_else(|| match key.kind {
        Kind::Place => "\"s3://bucket/prefix\"".to_owned(),
        Kind::Accounts => "\"all\"".to_owned(),
        _ => "\"name\"".to_owned(),
    })
}

/// A comment ends with its line, and TOML allows no other control character in it.
fn comment(text: &mut String, said: &str) {
    let mut line = String::from("#");
    for word in terminal(said).split_whitespace() {
        if line.chars().count() + word.chars().count() >= WIDTH && line.len() > 1 {
            let _ = writeln!(text, "{line}");
            "#".clone_into(&mut line);
        }
        let _ = write!(line, " {word}");
    }
    let _ = writeln!(text, "{line}");
}

#[cfg(test)]
mod tests {
    use std::path::Path;

    use super::super::file::parse;
    use super::super::{PROFILE, REGIONS};
    use super::*;

    fn settled() -> Vec<Settled> {
        let said = |key, value, source| Settled { key, value: Some(value), source };
        vec![
            said(&PROFILE, Value::Text("la\"ke".into()), Source::Flag("--profile")),
            said(&REGIONS, Value::Texts(vec!["x-1".into()]), Source::File { path: "u.toml".into(), line: 1 }),
        ]
    }

    #[test]
    fn the_file_is_read_back_with_what_was_said_and_nothing_else() {
        let notes = ["Buckets: evil\nprofile = 'x'\u{7}".to_owned(), String::new()];
        let text = template(&notes, &settled(), &[]);
        let read = parse(&text, Path::new("leanlake.toml"), KEYS).unwrap();
        let said: Vec<_> = read.iter().map(|said| (said.key.name, said.value.clone())).collect();
        assert_eq!(said, [("profile", Some(Value::Text("la\"ke".into())))]);
    }

    #[test]
    fn every_key_that_is_a_comment_can_be_uncommented() {
        let examples = [(&REGIONS, Value::Texts(vec!["eu-west-1".into()]))];
        let text = template(&[], &[], &examples);
        let uncommented: Vec<&str> = text
            .lines()
            .filter_map(|line| line.strip_prefix("# "))
            .filter(|line| KEYS.iter().any(|key| line.starts_with(&format!("{} = ", key.name))))
            .collect();
        assert_eq!(uncommented.len(), KEYS.len());
        let read = parse(&uncommented.join("\n"), Path::new("leanlake.toml"), KEYS).unwrap();
        assert_eq!(read.len(), KEYS.len());
        let regions = read.iter().find(|said| said.key == &REGIONS).unwrap();
        assert_eq!(regions.value, Some(Value::Texts(vec!["eu-west-1".into()])));
    }
}
