//! Policy files from disk: read within limits, never outside the folder that was named.

use std::fs;
use std::io::Read;
use std::path::{Path, PathBuf};

use super::PolicyError;
use super::format::PolicyFile;

/// Size of the largest policy file, in bytes.
pub const MAX_BYTES: u64 = 256 * 1024;
/// Folders below the one that was named.
const MAX_DEPTH: usize = 4;

/// Returns what `yaml` says.
///
/// # Errors
/// Not YAML, too large, a key that is not known, a value of another kind; with line and column.
pub(super) fn read(path: &str, yaml: &str) -> Result<PolicyFile, PolicyError> {
    let wrong = |line, column, what: String| PolicyError::File { path: path.to_owned(), line, column, what };
    if yaml.len() as u64 > MAX_BYTES {
        return Err(wrong(1, 1, format!("the file is larger than {} KiB", MAX_BYTES / 1024)));
    }
    serde_saphyr::from_str_with_options(yaml, limits()).map_err(|error| {
        let (line, column) = error.location().map_or((1, 1), |at| (as_usize(at.line()), as_usize(at.column())));
        let plain = serde_saphyr::render_options! { snippets: serde_saphyr::SnippetMode::Off };
        wrong(line, column, without_position(&error.without_snippet().render_with_options(plain)))
    })
}

fn as_usize(number: u64) -> usize {
    usize::try_from(number).unwrap_or(usize::MAX)
}

/// The position stands before the message already.
fn without_position(message: &str) -> String {
    let end = message.rfind(" at line ").unwrap_or(message.len());
    message[..end].trim_end_matches([' ', ',']).to_owned()
}

/// No anchors, aliases or merges; one document; what a policy can need and no more.
fn limits() -> serde_saphyr::Options {
    serde_saphyr::options! {
        budget: serde_saphyr::budget! {
            max_events: 20_000,
            max_nodes: 20_000,
            max_depth: 24,
            flow_nesting_limit: 16,
            max_documents: 1,
            max_anchors: 0,
            max_aliases: 0,
            max_merge_keys: 0,
            max_total_scalar_bytes: 256 * 1024,
            max_total_comment_bytes: 256 * 1024,
        },
        strict_booleans: true,
        with_snippet: false,
    }
}

/// Returns the policy files of a folder as (path, text), sorted by path.
///
/// # Errors
/// The folder cannot be read, or holds a symbolic link or a file that is too large.
pub(super) fn folder(folder: &Path) -> Result<Vec<(String, String)>, PolicyError> {
    let mut files = Vec::new();
    walk(folder, 0, &mut files)?;
    files.sort();
    files.into_iter().map(|path| Ok((path.display().to_string(), text(&path)?))).collect()
}

fn refused(path: &Path, what: impl Into<String>) -> PolicyError {
    PolicyError::Folder { path: path.display().to_string(), what: what.into() }
}

fn walk(folder: &Path, depth: usize, files: &mut Vec<PathBuf>) -> Result<(), PolicyError> {
    if depth > MAX_DEPTH {
        return Err(refused(folder, format!("policies are not looked for more than {MAX_DEPTH} folders deep")));
    }
    let entries = fs::read_dir(folder).map_err(|error| refused(folder, error.to_string()))?;
    for entry in entries {
        let path = entry.map_err(|error| refused(folder, error.to_string()))?.path();
        let kind = path.symlink_metadata().map_err(|error| refused(&path, error.to_string()))?.file_type();
        if kind.is_symlink() {
            return Err(refused(&path, "symbolic links are not followed: copy the file into the folder"));
        }
        if kind.is_dir() {
            walk(&path, depth + 1, files)?;
        } else if path.extension().is_some_and(|end| end == "yaml") {
            files.push(path);
        }
    }
    Ok(())
}

/// Reads no more than the limit, whatever the size was when it was asked for.
fn text(path: &Path) -> Result<String, PolicyError> {
    let failed = |error: std::io::Error| refused(path, error.to_string());
    let mut text = String::new();
    fs::File::open(path).map_err(failed)?.take(MAX_BYTES + 1).read_to_string(&mut text).map_err(failed)?;
    if text.len() as u64 > MAX_BYTES {
        return Err(refused(path, format!("the file is larger than {} KiB", MAX_BYTES / 1024)));
    }
    Ok(text)
}
