//! `policies new`: writes the skeleton of a policy where there is none. Never overwrites a file.

use std::fs;
use std::io::Write;
use std::path::PathBuf;

use super::super::Context;
use crate::error::{Failure, Kind};
use crate::model::text::terminal;
use crate::policy::{self, Library};

/// Writes the policy below the first `--policies` folder, else below `policies/`.
pub fn run(id: &str, context: &Context) -> Result<(), Failure> {
    let plain = |c: char| c.is_ascii_lowercase() || c.is_ascii_digit() || c == '-';
    let service = id.split_once('-').map(|(service, _)| service).filter(|service| !service.is_empty());
    let Some(service) = service.filter(|_| id.chars().all(plain) && !id.ends_with('-')) else {
        return Err(Failure::new(Kind::Usage, format!("`{}` cannot be a policy's id", terminal(id)))
            .hint("lower-case letters, digits and hyphens, the service first: `s3-my-waste`"));
    };
    if Library::built_in()?.find(id).is_some() {
        return Err(Failure::failed(format!("there is a policy `{id}` already"))
            .hint(format!("`leanlake policies show {id}` prints it")));
    }
    let root = context.global.policies.first().cloned().unwrap_or_else(|| PathBuf::from("policies"));
    let folder = root.join(service);
    let path = folder.join(format!("{id}.yaml"));
    let failed = |error: std::io::Error| {
        Failure::failed(format!("cannot write `{}`: {error}", terminal(&path.display().to_string())))
    };
    fs::create_dir_all(&folder).map_err(failed)?;
    let mut file = fs::File::create_new(&path).map_err(failed)?;
    file.write_all(policy::skeleton(id).as_bytes()).map_err(failed)?;
    context.term.data(&terminal(&path.display().to_string()))?;
    context.term.hint(&format!("`leanlake policies test {id} --policies {}`", terminal(&root.display().to_string())));
    Ok(())
}
