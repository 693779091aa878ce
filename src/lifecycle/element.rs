//! XML elements as a small tree: what a rule *means*, beside the bytes that it is.
//!
//! Order, comments, prefixes and white space between elements do not count in S3's reading of a rule, so two
//! trees are compared by their canonical text. Never used to write a rule back.

use std::collections::BTreeMap;
use std::fmt::Write;

/// One element with its namespace resolved: S3's own have plain names, others are written `{namespace}name`.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Element {
    /// Its name.
    pub name: String,
    /// Its attributes without namespace declarations, by name.
    pub attributes: BTreeMap<String, String>,
    /// Its child elements in the order they were read.
    pub children: Vec<Element>,
    /// Its own character data, entities resolved.
    pub text: String,
}

impl Element {
    /// Returns the first child called `name`.
    pub fn child(&self, name: &str) -> Option<&Element> {
        self.children.iter().find(|child| child.name == name)
    }

    /// Returns the text at the end of a path of child names.
    pub fn text_at(&self, path: &[&str]) -> Option<&str> {
        let end = path.iter().try_fold(self, |element, name| element.child(name))?;
        Some(&end.text)
    }

    /// Returns a text that is equal for two elements exactly when S3 reads them alike.
    pub fn canonical(&self) -> String {
        let mut out = quoted(&self.name);
        for (name, value) in &self.attributes {
            let _ = write!(out, "@{}={}", quoted(name), quoted(value));
        }
        if self.is_empty_filter() {
            return out + "[\"Prefix\":\"\"]";
        }
        if self.children.is_empty() {
            return out + ":" + &quoted(&self.text);
        }
        if !self.text.trim().is_empty() {
            out = out + ":" + &quoted(self.text.trim());
        }
        let mut children: Vec<String> = self.children.iter().map(Element::canonical).collect();
        children.sort_unstable();
        out + "[" + &children.join(",") + "]"
    }

    /// `<Filter/>` and `<Filter><Prefix/></Filter>` both mean every object, and servers turn one into the other.
    fn is_empty_filter(&self) -> bool {
        self.name == "Filter" && self.children.is_empty() && self.text.trim().is_empty()
    }

    /// Returns the leaves as `path: value`, sorted by path, for people. Values are raw text of the account.
    pub fn leaves(&self) -> Vec<(String, String)> {
        let mut out = Vec::new();
        self.collect_leaves("", &mut out);
        out.sort();
        out
    }

    fn collect_leaves(&self, above: &str, out: &mut Vec<(String, String)>) {
        for child in &self.children {
            let path = if above.is_empty() { child.name.clone() } else { format!("{above}/{}", child.name) };
            if child.children.is_empty() {
                out.push((path, child.text.clone()));
            } else {
                child.collect_leaves(&path, out);
            }
        }
    }
}

fn quoted(text: &str) -> String {
    serde_json::Value::from(text).to_string()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn leaf(name: &str, text: &str) -> Element {
        Element { name: name.into(), text: text.into(), ..Element::default() }
    }

    fn node(name: &str, children: Vec<Element>) -> Element {
        Element { name: name.into(), children, ..Element::default() }
    }

    #[test]
    fn order_and_space_between_elements_do_not_count_but_space_in_a_value_does() {
        let one = node("Rule", vec![leaf("ID", "a"), leaf("Status", "Enabled")]);
        let mut two = node("Rule", vec![leaf("Status", "Enabled"), leaf("ID", "a")]);
        two.text = "\n  \n".into();
        assert_eq!(one.canonical(), two.canonical());
        assert_ne!(leaf("Prefix", "a").canonical(), leaf("Prefix", "a ").canonical());
    }

    #[test]
    fn both_ways_to_write_every_object_are_the_same() {
        assert_eq!(node("Filter", vec![]).canonical(), node("Filter", vec![leaf("Prefix", "")]).canonical());
    }

    #[test]
    fn a_value_cannot_pretend_to_be_structure() {
        let one = node("And", vec![leaf("Prefix", "a"), leaf("Prefix", "b")]);
        let two = node("And", vec![leaf("Prefix", "a\",\"Prefix\":\"b")]);
        assert_ne!(one.canonical(), two.canonical());
    }
}
