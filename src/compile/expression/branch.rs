//! The pillar and the facts as expressions see them: trees whose reads are logged.

use super::log::Log;
use super::opaque::Opaque;
use crate::pillar::{Node, Value as Leaf};
use crate::state::SecretRef;
use minijinja::value::{Enumerator, Object, ObjectRepr, Value};
use minijinja::{Error, ErrorKind, State};
use std::fmt;
use std::sync::Arc;

/// The one table of the pillar that no state sees: credentials are sent only to registries.
const HIDDEN: &str = "registries";

/// Keys beside one that is missing of which the nearest may have been meant.
const NEIGHBOURS: usize = 1000;

/// A table or list of a tree.
pub(super) struct Branch {
    tree: Arc<Tree>,
    path: Vec<Step>,
}

struct Tree {
    /// What expressions call it: `pillar`, `host`, `grains`.
    name: &'static str,
    root: Arc<Node>,
    /// Whether reads count as causes of a change.
    logs_reads: bool,
    log: Log,
}

#[derive(Clone)]
enum Step {
    Key(String),
    Index(usize),
}

impl Branch {
    /// The whole tree.
    pub(super) fn root(name: &'static str, root: Arc<Node>, logs_reads: bool, log: &Log) -> Value {
        let tree = Tree { name, root, logs_reads, log: log.clone() };
        Value::from_object(Self { tree: Arc::new(tree), path: Vec::new() })
    }

    /// The branch in a value, if it is one.
    pub(super) fn of(value: &Value) -> Option<&Self> {
        value.downcast_object_ref::<Self>()
    }

    /// The node of the pillar.
    pub(super) fn node(&self) -> Option<&Node> {
        self.path.iter().try_fold(&*self.tree.root, |node, step| match (step, &node.value) {
            (Step::Key(key), Leaf::Table(table)) => table.get(key),
            (Step::Index(index), Leaf::Array(items)) => items.get(*index),
            _ => None,
        })
    }

    /// Whether a key of this table is kept from states.
    pub(super) fn hides(&self, key: &str) -> bool {
        self.path.is_empty() && self.tree.name == "pillar" && key == HIDDEN
    }

    /// Whether reads of this tree count as causes of a change.
    pub(super) fn logs_reads(&self) -> bool {
        self.tree.logs_reads
    }

    /// `pillar.deploy.nginx`, for display.
    pub(super) fn name(&self) -> String {
        self.name_of(&[])
    }

    fn name_of(&self, more: &[Step]) -> String {
        let mut name = self.tree.name.to_owned();
        for step in self.path.iter().chain(more) {
            match step {
                Step::Key(key) => {
                    name.push('.');
                    name.push_str(&toml_edit::Key::new(key.as_str()).display_repr());
                }
                Step::Index(index) => name.push_str(&format!("[{index}]")),
            }
        }
        name
    }

    fn child(&self, step: Step) -> Option<Value> {
        if let Step::Key(key) = &step
            && self.hides(key)
        {
            self.tree.log.hidden();
            return None;
        }
        let name = self.name_of(std::slice::from_ref(&step));
        let mut path = self.path.clone();
        path.push(step);
        let below = Self { tree: Arc::clone(&self.tree), path };
        let node = below.node()?;
        let value = match &node.value {
            Leaf::Table(_) | Leaf::Array(_) => return Some(Value::from_object(below)),
            Leaf::String(text) | Leaf::Datetime(text) => Value::from(text.as_str()),
            Leaf::Integer(number) => Value::from(*number),
            Leaf::Float(number) => {
                self.tree.log.float(number);
                Value::from(number.value)
            }
            Leaf::Boolean(truth) => Value::from(*truth),
            Leaf::Sealed(sealed) => {
                let secret =
                    SecretRef { origin: sealed.origin.clone(), id: sealed.id.clone(), encoders: Vec::new() };
                Opaque::secret(secret, name, &self.tree.log)
            }
        };
        if self.tree.logs_reads {
            self.tree.log.read(&node.place);
        }
        Some(value)
    }

    fn lookup(&self, key: &str) -> Option<Value> {
        let found = self.child(Step::Key(key.to_owned()));
        if found.is_none() && !self.hides(key) {
            let step = Step::Key(key.to_owned());
            let known = self.keys().take(NEIGHBOURS).cloned().collect();
            self.tree.log.missing(self.name_of(&[step]), key, known);
        }
        found
    }

    fn keys(&self) -> impl Iterator<Item = &String> {
        let table = self.node().and_then(Node::as_table);
        table.into_iter().flat_map(|table| table.keys()).filter(|key| !self.hides(key))
    }

    /// `get("a:b", default)` and `has("a:b")`; a key that holds a colon itself is given as a list.
    fn path_of(argument: &Value) -> Result<Vec<String>, Error> {
        let wrong = || Error::new(ErrorKind::InvalidOperation, "the path is \"a:b\" or [\"a\", \"b\"]");
        if let Some(text) = argument.as_str() {
            return Ok(text.split(':').map(str::to_owned).collect());
        }
        let parts = argument.try_iter()?.map(|part| part.as_str().map(str::to_owned));
        let parts: Option<Vec<String>> = parts.collect();
        parts.filter(|parts| !parts.is_empty()).ok_or_else(wrong)
    }

    fn get(&self, path: &[String]) -> Option<Value> {
        let (last, before) = path.split_last()?;
        let mut here = Self { tree: Arc::clone(&self.tree), path: self.path.clone() };
        for key in before {
            here = match here.lookup(key) {
                Some(value) => {
                    let below = Self::of(&value)?;
                    Self { tree: Arc::clone(&below.tree), path: below.path.clone() }
                }
                None => return None,
            };
        }
        here.lookup(last)
    }

    fn has(&self, path: &[String]) -> bool {
        if path.first().is_some_and(|key| self.hides(key)) {
            self.tree.log.hidden();
            return false;
        }
        self.node().is_some_and(|node| node.at(path.iter().map(String::as_str)).is_some())
    }
}

/// Never the values: they may be printed by an error.
impl fmt::Debug for Branch {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "[{}]", self.name())
    }
}

impl Object for Branch {
    fn repr(self: &Arc<Self>) -> ObjectRepr {
        match self.node().map(|node| &node.value) {
            Some(Leaf::Array(_)) => ObjectRepr::Seq,
            _ => ObjectRepr::Map,
        }
    }

    fn get_value(self: &Arc<Self>, key: &Value) -> Option<Value> {
        match self.repr() {
            ObjectRepr::Seq => self.child(Step::Index(key.as_usize()?)),
            _ => self.lookup(key.as_str()?),
        }
    }

    fn enumerate(self: &Arc<Self>) -> Enumerator {
        match self.node().map(|node| &node.value) {
            Some(Leaf::Array(items)) => Enumerator::Seq(items.len()),
            _ => Enumerator::Values(self.keys().map(|key| Value::from(key.as_str())).collect()),
        }
    }

    fn call_method(
        self: &Arc<Self>,
        _state: &mut State<'_, '_>,
        method: &str,
        args: &[Value],
    ) -> Result<Value, Error> {
        match (method, args) {
            ("get", [path]) => Ok(self.get(&Self::path_of(path)?).unwrap_or_default()),
            ("get", [path, default]) => match self.get(&Self::path_of(path)?) {
                Some(value) => {
                    if let Some(unused) = Opaque::of(default) {
                        unused.excuse();
                    }
                    Ok(value)
                }
                None => Ok(default.clone()),
            },
            ("has", [path]) => Ok(Value::from(self.has(&Self::path_of(path)?))),
            ("get" | "has", _) => Err(Error::new(
                ErrorKind::InvalidOperation,
                "call it as get(\"a:b\"), get(\"a:b\", default) or has(\"a:b\")",
            )),
            _ => Err(Error::from(ErrorKind::UnknownMethod)),
        }
    }
}
