//! The JSON Schema of a policy file, for editors.

use super::format::PolicyFile;

/// Returns the JSON Schema of a policy file, as published in the docs.
pub fn schema() -> String {
    format!("{:#}\n", schemars::schema_for!(PolicyFile).to_value())
}
