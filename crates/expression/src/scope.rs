//! Where an expression finds its variables.

use std::borrow::Cow;
use std::collections::{BTreeMap, HashMap};

use serde_json::{Map, Value};

/// Variables by name.
pub trait Scope {
    /// The variable, or `None` if there is none: FEEL then reads null.
    fn get(&self, name: &str) -> Option<Cow<'_, Value>>;
}

impl Scope for Map<String, Value> {
    fn get(&self, name: &str) -> Option<Cow<'_, Value>> {
        Map::get(self, name).map(Cow::Borrowed)
    }
}

/// The members of an object; any other value has no variables.
impl Scope for Value {
    fn get(&self, name: &str) -> Option<Cow<'_, Value>> {
        self.as_object()
            .and_then(|map| map.get(name))
            .map(Cow::Borrowed)
    }
}

impl Scope for BTreeMap<String, Value> {
    fn get(&self, name: &str) -> Option<Cow<'_, Value>> {
        BTreeMap::get(self, name).map(Cow::Borrowed)
    }
}

impl Scope for HashMap<String, Value> {
    fn get(&self, name: &str) -> Option<Cow<'_, Value>> {
        HashMap::get(self, name).map(Cow::Borrowed)
    }
}

/// No variables.
impl Scope for () {
    fn get(&self, _name: &str) -> Option<Cow<'_, Value>> {
        None
    }
}

impl<S: Scope + ?Sized> Scope for &S {
    fn get(&self, name: &str) -> Option<Cow<'_, Value>> {
        (**self).get(name)
    }
}
