//! Where variables are found, and where results go.

use std::borrow::Cow;

use halsonav_domain::Timestamp;
use halsonav_expression::calendar;
use serde_json::{Map, Value, json};

use super::Rejection;
use super::incident::Failure;
use super::run::Run;
use crate::Instance;
use crate::graph::Mapping;

/// What expressions see at one item: `over`, then its locals, then outwards to the process.
pub(super) struct Env<'e> {
    instance: &'e Instance,
    at: u64,
    over: &'e [&'e Map<String, Value>],
    now: Timestamp,
}

impl halsonav_expression::Scope for Env<'_> {
    fn get(&self, name: &str) -> Option<Cow<'_, Value>> {
        if name == "clock" {
            return Some(Cow::Owned(clock(self.now)));
        }
        let over = self.over.iter().find_map(|map| Map::get(map, name));
        over.or_else(|| self.instance.variable(self.at, name))
            .map(Cow::Borrowed)
    }
}

/// The variable `clock` of every expression: now in Sweden.
fn clock(now: Timestamp) -> Value {
    let local = now.to_zoned(calendar::stockholm().clone());
    let now = local.strftime("%Y-%m-%dT%H:%M:%S%:z").to_string();
    json!({ "now": now, "today": local.date().to_string() })
}

/// The object, or none for null.
pub(super) fn object(variables: &Value) -> Result<Option<&Map<String, Value>>, Rejection> {
    match variables {
        Value::Null => Ok(None),
        Value::Object(map) => Ok(Some(map)),
        _ => Err(Rejection::NotAnObject),
    }
}

/// As [`object`], for variables that were checked.
pub(super) fn members(variables: &Value) -> Map<String, Value> {
    variables.as_object().cloned().unwrap_or_default()
}

/// Sets `a.b.c` in `map`, keeping what else `a` holds. A member that is not a context is replaced.
fn set_path(map: &mut Map<String, Value>, path: &str, value: Value) {
    match path.split_once('.') {
        None => {
            map.insert(path.to_owned(), value);
        }
        Some((head, tail)) => {
            let member = map.entry(head).or_insert(Value::Null);
            if !member.is_object() {
                *member = Value::Object(Map::new());
            }
            if let Value::Object(inner) = member {
                set_path(inner, tail, value);
            }
        }
    }
}

impl Instance {
    /// The nearest variable of this name, from the item outwards. A process sees no further.
    pub(super) fn variable(&self, mut at: u64, name: &str) -> Option<&Value> {
        loop {
            let item = self.items.get(&at)?;
            if let Some(value) = item.variables.get(name) {
                return Some(value);
            }
            item.node?;
            at = item.parent;
        }
    }

    /// Every variable the item sees.
    pub(super) fn visible(&self, mut at: u64) -> Map<String, Value> {
        let mut seen: Map<String, Value> = Map::new();
        while let Some(item) = self.items.get(&at) {
            if seen.is_empty() {
                seen.clone_from(&item.variables);
            } else {
                for (name, value) in &item.variables {
                    if !seen.contains_key(name) {
                        seen.insert(name.clone(), value.clone());
                    }
                }
            }
            if item.node.is_none() {
                break;
            }
            at = item.parent;
        }
        seen
    }

    /// Each variable goes to the nearest scope that has one of its name, else to the process.
    pub(super) fn merge(&mut self, from: u64, variables: Map<String, Value>) {
        for (name, value) in variables {
            let mut at = from;
            while let Some(item) = self.items.get_mut(&at) {
                if item.node.is_none() {
                    item.variables.insert(name, value);
                    break;
                }
                if let Some(known) = item.variables.get_mut(&name) {
                    *known = value;
                    break;
                }
                at = item.parent;
            }
        }
    }
}

impl Run<'_> {
    pub(super) fn env<'e>(&'e self, at: u64, over: &'e [&'e Map<String, Value>]) -> Env<'e> {
        Env {
            instance: self.instance,
            at,
            over,
            now: self.now,
        }
    }

    /// Evaluates the input mappings into the item's locals; each sees those before it.
    pub(super) fn inputs(&mut self, key: u64, mappings: &[Mapping]) -> Result<(), Failure> {
        if mappings.is_empty() {
            return Ok(());
        }
        let mut locals = Map::new();
        for mapping in mappings {
            let value = mapping.source.value(&self.env(key, &[&locals]))?;
            set_path(&mut locals, &mapping.target, value);
        }
        if let Some(item) = self.item(key) {
            item.variables.append(&mut locals);
        }
        Ok(())
    }

    /// Evaluates the output mappings over the result. A path into a context that exists outside
    /// keeps the context's other members.
    pub(super) fn outputs(
        &self,
        key: u64,
        mappings: &[Mapping],
        result: &Map<String, Value>,
    ) -> Result<Map<String, Value>, Failure> {
        let parent = self.instance.items.get(&key).map_or(0, |item| item.parent);
        let mut document = Map::new();
        for mapping in mappings {
            let value = mapping.source.value(&self.env(key, &[&document, result]))?;
            if let Some((head, _)) = mapping.target.split_once('.')
                && !document.contains_key(head)
                && let Some(known) = self.instance.variable(parent, head)
            {
                document.insert(head.to_owned(), known.clone());
            }
            set_path(&mut document, &mapping.target, value);
        }
        Ok(document)
    }
}
