//! Where a key and its text stand in a YAML file, so that a mistake inside SQL is shown by the file's own lines.

/// Returns the line (from 1) of the key at `path`: a top-level key, then keys below it.
pub(super) fn line_of(yaml: &str, path: &[&str]) -> usize {
    let lines: Vec<&str> = yaml.lines().collect();
    let Some((top, below)) = path.split_first() else { return 1 };
    let is_key = |line: &str, key: &str| line.strip_prefix(key).is_some_and(|rest| rest.starts_with(':'));
    let Some(start) = lines.iter().position(|line| is_key(line, top)) else { return 1 };
    let inside = |line: &str| line.is_empty() || line.starts_with([' ', '#']);
    let end = lines[start + 1..].iter().position(|line| !inside(line)).map_or(lines.len(), |n| start + 1 + n);
    let mut at = start;
    for key in below {
        let found = lines[at..end].iter().position(|line| {
            line.match_indices(key).any(|(i, _)| {
                let before = line[..i].chars().next_back();
                before.is_none_or(|c| !(c.is_alphanumeric() || c == '_')) && is_key(&line[i..], key)
            })
        });
        at += found.unwrap_or(0);
    }
    at + 1
}

/// Returns the file's line and column of a place inside the text at `path` (line and column of that text, from 1).
pub(super) fn inside(yaml: &str, path: &[&str], at: Option<(usize, usize)>) -> (usize, usize) {
    let key_line = line_of(yaml, path);
    let line = yaml.lines().nth(key_line - 1).unwrap_or_default();
    let key = path.last().copied().unwrap_or_default();
    let value_at = line.find(&format!("{key}:")).map_or(0, |at| at + key.len() + 1);
    let value = line.get(value_at..).unwrap_or_default().trim_start();
    let (text_line, text_column) = at.unwrap_or((1, 1));
    if value.starts_with(['|', '>']) {
        let indent = |line: &str| line.len() - line.trim_start().len();
        let first = yaml.lines().skip(key_line).find(|line| !line.trim().is_empty()).map_or(0, indent);
        return (key_line + text_line, first + text_column);
    }
    let quote = usize::from(value.starts_with(['"', '\'']));
    (key_line + text_line - 1, line.len() - value.len() + quote + text_column)
}

#[cfg(test)]
mod tests {
    use super::*;

    const YAML: &str =
        "id: a\nquery: |\n  select x\n  from y\nsaving: { low: \"1\",\n  high: \"2\" }\nramp:\n  - saving: a";

    #[test]
    fn a_place_in_a_block_is_a_place_in_the_file() {
        assert_eq!(inside(YAML, &["query"], Some((2, 6))), (4, 8));
        assert_eq!(inside(YAML, &["saving", "low"], Some((1, 1))), (5, 17));
        assert_eq!(inside(YAML, &["saving", "high"], Some((1, 1))), (6, 10));
        assert_eq!(inside(YAML, &["id"], None), (1, 5));
        assert_eq!(line_of(YAML, &["ramp", "saving"]), 8);
    }
}
