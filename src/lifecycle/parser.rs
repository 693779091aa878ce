//! From bytes to a document: where each rule stands, and what it means.
//!
//! Refuses what it could not edit with certainty: no document types, no undefined entities, one root.

use std::collections::BTreeMap;
use std::ops::Range;

use quick_xml::escape::resolve_predefined_entity;
use quick_xml::events::{BytesRef, BytesStart, Event};
use quick_xml::name::ResolveResult;
use quick_xml::reader::NsReader;

use super::LifecycleError;
use super::document::{Document, ROOT, Rule};
use super::element::Element;

const MAX_DEPTH: usize = 32;

/// Returns the refusal of bytes, with the reason.
pub fn unreadable(why: impl Into<String>) -> LifecycleError {
    LifecycleError::Unreadable(why.into())
}

/// An element that is still open, with the byte where it began.
struct Open {
    element: Element,
    start: usize,
}

/// Reads one document.
pub struct Parser<'x> {
    xml: &'x str,
    stack: Vec<Open>,
    root: Option<(String, String)>,
    root_end: Option<Range<usize>>,
    rules: Vec<Rule>,
    others: Vec<Element>,
}

impl<'x> Parser<'x> {
    /// Returns a parser at the start of `xml`.
    pub fn new(xml: &'x str) -> Self {
        Parser { xml, stack: Vec::new(), root: None, root_end: None, rules: Vec::new(), others: Vec::new() }
    }

    /// Returns the document.
    pub fn run(mut self) -> Result<Document, LifecycleError> {
        let mut reader = NsReader::from_str(self.xml);
        loop {
            let start = position(&reader)?;
            let (space, event) = reader.read_resolved_event().map_err(|e| unreadable(e.to_string()))?;
            let space = namespace(&space)?;
            match event {
                Event::Start(tag) => self.open(&tag, space, start)?,
                Event::Empty(tag) => {
                    self.open(&tag, space, start)?;
                    let end = position(&reader)?;
                    self.close(end - 2..end)?;
                }
                Event::End(_) => self.close(start..position(&reader)?)?,
                Event::Text(text) => self.text(&text)?,
                Event::CData(text) => self.text(&text)?,
                Event::GeneralRef(name) => self.reference(&name)?,
                Event::DocType(_) => return Err(unreadable("a document type declaration")),
                Event::Comment(_) | Event::PI(_) | Event::Decl(_) => {}
                Event::Eof => return self.finish(),
            }
        }
    }

    fn open(&mut self, tag: &BytesStart<'_>, space: String, start: usize) -> Result<(), LifecycleError> {
        if self.stack.len() >= MAX_DEPTH {
            return Err(unreadable("elements nested more than 32 deep"));
        }
        let name = tag.local_name().into_inner().to_owned();
        match &self.root {
            None if name == ROOT => {
                let prefix = tag.name().prefix().map_or(String::new(), |p| format!("{}:", p.into_inner()));
                self.root = Some((space, prefix));
                self.stack.push(Open { element: Element { name, ..Element::default() }, start });
                return Ok(());
            }
            None => return Err(unreadable(format!("the root is `{name}`, not `{ROOT}`"))),
            Some(_) if self.stack.is_empty() => return Err(unreadable("a second root")),
            Some((own, _)) => {
                let name = if *own == space { name } else { format!("{{{space}}}{name}") };
                let element = Element { name, attributes: attributes(tag)?, ..Element::default() };
                self.stack.push(Open { element, start });
            }
        }
        Ok(())
    }

    /// Closes the element on top; `tag` is where its end tag stands (the `/>` of an element without content).
    fn close(&mut self, tag: Range<usize>) -> Result<(), LifecycleError> {
        let Some(Open { element, start }) = self.stack.pop() else { return Err(unreadable("an end tag too many")) };
        match self.stack.len() {
            0 => self.root_end = Some(tag),
            1 if element.name == "Rule" => {
                let id = element.text_at(&["ID"]).map(str::to_owned);
                self.rules.push(Rule { id, element, span: start..tag.end });
            }
            1 => self.others.push(element),
            _ => self.append(element),
        }
        Ok(())
    }

    fn append(&mut self, element: Element) {
        if let Some(parent) = self.stack.last_mut() {
            parent.element.children.push(element);
        }
    }

    fn text(&mut self, text: &str) -> Result<(), LifecycleError> {
        match self.stack.len() {
            0 | 1 if text.trim().is_empty() => {}
            0 | 1 => return Err(unreadable("text between the rules")),
            _ => self.push_text(text),
        }
        Ok(())
    }

    fn push_text(&mut self, text: &str) {
        if let Some(open) = self.stack.last_mut() {
            open.element.text.push_str(text);
        }
    }

    fn reference(&mut self, name: &BytesRef<'_>) -> Result<(), LifecycleError> {
        let resolved = match name.resolve_char_ref().map_err(|e| unreadable(e.to_string()))? {
            Some(c) => c.to_string(),
            None => match resolve_predefined_entity(&name.xml10_content()) {
                Some(text) => text.to_owned(),
                None => return Err(unreadable("an entity that XML does not define")),
            },
        };
        if self.stack.len() < 2 {
            return Err(unreadable("text between the rules"));
        }
        self.push_text(&resolved);
        Ok(())
    }

    fn finish(self) -> Result<Document, LifecycleError> {
        match (self.root, self.root_end) {
            (Some((_, prefix)), Some(root_end)) if self.stack.is_empty() => {
                Ok(Document { xml: self.xml.to_owned(), prefix, root_end, rules: self.rules, others: self.others })
            }
            _ => Err(unreadable("it ends before its root does")),
        }
    }
}

fn position(reader: &NsReader<&[u8]>) -> Result<usize, LifecycleError> {
    usize::try_from(reader.buffer_position()).map_err(|_| unreadable("more bytes than memory can hold"))
}

fn namespace(resolved: &ResolveResult<'_>) -> Result<String, LifecycleError> {
    match resolved {
        ResolveResult::Unbound => Ok(String::new()),
        ResolveResult::Bound(space) => Ok(space.into_inner().to_owned()),
        ResolveResult::Unknown(prefix) => Err(unreadable(format!("the prefix `{prefix}` is not declared"))),
    }
}

fn attributes(tag: &BytesStart<'_>) -> Result<BTreeMap<String, String>, LifecycleError> {
    let mut out = BTreeMap::new();
    for attribute in tag.attributes() {
        let attribute = attribute.map_err(|e| unreadable(e.to_string()))?;
        let name = attribute.key.into_inner();
        if name != "xmlns" && !name.starts_with("xmlns:") {
            let value = quick_xml::escape::unescape(&attribute.value).map_err(|e| unreadable(e.to_string()))?;
            out.insert(name.to_owned(), value.into_owned());
        }
    }
    Ok(out)
}
