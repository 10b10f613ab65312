//! The pillar and the facts as a program sees them: tables that cannot be changed, whose reads are
//! logged, and that know the keys nearest to a missing one.

#![expect(unsafe_code, reason = "the derive macros of starlark write `unsafe impl ProvidesStaticType`")]

use super::encoders::wrong;
use super::log::Log;
use super::sealed::Sealed;
use crate::pillar::gate;
use crate::problem::{escaped, nearest};
use crate::script::Given;
use crate::script::{HIDDEN, unknown_fact};
use allocative::Allocative;
use starlark::environment::{Methods, MethodsBuilder};
use starlark::eval::{Arguments, Evaluator};
use starlark::values::dict::{AllocDict, DictRef};
use starlark::values::list::{AllocList, ListRef};
use starlark::values::tuple::TupleRef;
use starlark::values::{
    Heap, NoSerialize, ProvidesStaticType, StarlarkPagablePanic, StarlarkValue, UnpackValue, Value,
    starlark_value,
};
use starlark::{starlark_module, starlark_simple_value};
use std::collections::BTreeMap;
use std::fmt;
use std::sync::Arc;

/// The facts that are known without the host's Engine.
const KNOWN: [&str; 4] = ["name", "groups", "group_hosts", "id"];

/// A table of a tree.
#[derive(Clone, Debug, ProvidesStaticType, NoSerialize, StarlarkPagablePanic, Allocative)]
pub(super) struct Branch {
    #[allocative(skip)]
    tree: Arc<Tree>,
    path: Vec<String>,
}

starlark_simple_value!(Branch);

/// A whole tree.
#[derive(Debug)]
struct Tree {
    /// Its name in programs: `pillar`, `host`, `grains`.
    name: &'static str,
    root: Given,
    /// Facts of the Engine are not known yet.
    lacks_facts: bool,
    log: Log,
}

static EMPTY: BTreeMap<String, Given> = BTreeMap::new();

impl Branch {
    /// A whole tree; `lacks_facts` where only what the inventory says of a host is known.
    pub(super) fn root(name: &'static str, root: &Given, lacks_facts: bool, log: &Log) -> Self {
        let tree = Tree { name, root: root.clone(), lacks_facts, log: log.clone() };
        Self { tree: Arc::new(tree), path: Vec::new() }
    }

    /// All that is in it.
    pub(super) fn table(&self) -> &BTreeMap<String, Given> {
        self.below(&self.path)
    }

    /// All of it is looked at.
    pub(super) fn whole(&self) -> starlark::Result<&BTreeMap<String, Given>> {
        if self.path.is_empty() && self.tree.lacks_facts {
            return Err(self.lacks());
        }
        Ok(self.table())
    }

    fn lacks(&self) -> starlark::Error {
        self.tree.log.entries().needs_facts = true;
        wrong(format!("the facts of {} are not known", self.tree.name))
    }

    pub(super) fn log(&self) -> &Log {
        &self.tree.log
    }

    /// Its keys from the root.
    pub(super) fn path(&self) -> &[String] {
        &self.path
    }

    /// Whether reads of it are causes of a change.
    pub(super) fn is_pillar(&self) -> bool {
        self.tree.name == "pillar"
    }

    /// The name in programs of a value below it.
    pub(super) fn called(&self, path: &[String]) -> String {
        let parts = std::iter::once(self.tree.name).chain(path.iter().map(String::as_str));
        parts.collect::<Vec<_>>().join(".")
    }

    /// The name of the first secret in it.
    pub(super) fn first_secret(&self) -> Option<String> {
        fn find(given: &Given, path: &mut Vec<String>) -> bool {
            match given {
                Given::Secret(_) => true,
                Given::Table(table) => table.iter().any(|(key, item)| {
                    path.push(key.clone());
                    let found = find(item, path);
                    if !found {
                        path.pop();
                    }
                    found
                }),
                Given::List(items) => items.iter().any(|item| find(item, path)),
                _ => false,
            }
        }
        let mut path = self.path.clone();
        let found = self.table().iter().any(|(key, item)| {
            path.push(key.clone());
            let found = find(item, &mut path);
            if !found {
                path.pop();
            }
            found
        });
        found.then(|| self.called(&path))
    }

    /// A value below it.
    fn value<'v>(&self, path: Vec<String>, given: &Given, heap: Heap<'v>) -> Value<'v> {
        let table = matches!(given, Given::Table(_) | Given::Secret(_));
        if self.is_pillar() && !table {
            self.tree.log.read(&path);
        }
        match given {
            Given::Text(text) => heap.alloc(text.as_str()),
            Given::Integer(number) => heap.alloc(*number),
            Given::Float(bits) => heap.alloc(f64::from_bits(*bits)),
            Given::Boolean(truth) => Value::new_bool(*truth),
            Given::List(items) => {
                let items = items.iter().map(|item| self.value(path.clone(), item, heap));
                heap.alloc(AllocList(items.collect::<Vec<_>>()))
            }
            // Below a list it has no path of its own.
            Given::Table(table) if !std::ptr::eq(table, self.below(&path)) => {
                let entries =
                    table.iter().map(|(key, item)| (key.as_str(), self.value(path.clone(), item, heap)));
                heap.alloc(AllocDict(entries.collect::<Vec<_>>()))
            }
            Given::Table(_) => heap.alloc(Self { tree: Arc::clone(&self.tree), path }),
            Given::Secret(number) => {
                let called = self.called(&path);
                self.tree.log.secret(*number, &called);
                heap.alloc(Sealed::secret(*number, called, &self.tree.log))
            }
        }
    }

    fn below(&self, path: &[String]) -> &BTreeMap<String, Given> {
        let found = path.iter().try_fold(&self.tree.root, |given, key| match given {
            Given::Table(table) => table.get(key),
            _ => None,
        });
        match found {
            Some(Given::Table(table)) => table,
            _ => &EMPTY,
        }
    }

    /// The value of a key, if it is there.
    fn child<'v>(&self, key: &str, heap: Heap<'v>) -> starlark::Result<Option<Value<'v>>> {
        let at_root = self.path.is_empty();
        if at_root && self.is_pillar() && key == HIDDEN {
            return Err(wrong(
                "`registries` is not visible to states: credentials are sent only to registries",
            ));
        }
        match self.table().get(key) {
            Some(given) => {
                let mut path = self.path.clone();
                path.push(key.to_owned());
                Ok(Some(self.value(path, given, heap)))
            }
            None if at_root && self.tree.lacks_facts && !KNOWN.contains(&key) => Err(self.lacks()),
            None => Ok(None),
        }
    }

    /// The value at a path.
    pub(super) fn at_path<'v>(&self, path: &[String], heap: Heap<'v>) -> starlark::Result<Option<Value<'v>>> {
        let Some((last, before)) = path.split_last() else { return Ok(None) };
        let mut here = self.clone();
        for key in before {
            if here.child(key, heap)?.is_none() {
                return Ok(None);
            }
            here.path.push(key.clone());
        }
        here.child(last, heap)
    }

    /// A fact that no host has is an error also where a default is given: it is never another.
    fn must_be_a_fact(&self, path: &[String]) -> starlark::Result<()> {
        match path.first() {
            Some(key) if self.path.is_empty() && !self.is_pillar() && !self.table().contains_key(key) => {
                Err(self.missing(key))
            }
            _ => Ok(()),
        }
    }

    fn missing(&self, key: &str) -> starlark::Error {
        let mut path = self.path.clone();
        let known: Vec<&str> = self.table().keys().map(String::as_str).collect();
        self.tree.log.entries().hint = Some(match nearest(key, known) {
            _ if self.path.is_empty() && !self.is_pillar() => {
                unknown_fact(self.tree.name, key, self.table().keys().map(String::as_str))
            }
            Some(near) => {
                path.push(near.to_owned());
                format!("did you mean `{}`?", escaped(&self.called(&path)))
            }
            None => {
                path.push(key.to_owned());
                gate::no_version(&self.called(&path))
                    .unwrap_or_else(|| "write `.get(\"a:b\", default)` where it may be missing".to_owned())
            }
        });
        path = self.path.clone();
        path.push(key.to_owned());
        wrong(format!("`{}` does not exist", escaped(&self.called(&path))))
    }
}

/// A key of a path: `"a:b"`, or `["a", "b"]` where a key has a colon.
pub(super) fn path_of(value: Value) -> starlark::Result<Vec<String>> {
    let items = ListRef::from_value(value)
        .map(ListRef::content)
        .or(TupleRef::from_value(value).map(TupleRef::content));
    let not_text = || wrong("a key is text: \"a:b\", or [\"a\", \"b\"] where a key holds a colon");
    match (value.unpack_str(), items) {
        (Some(text), _) => Ok(text.split(':').map(str::to_owned).collect()),
        (None, Some(items)) => {
            items.iter().map(|item| item.unpack_str().map(str::to_owned).ok_or_else(not_text)).collect()
        }
        (None, None) => Err(not_text()),
    }
}

/// As Python prints a dict; a secret in it counts as asked for.
impl fmt::Display for Branch {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if let Some(secret) = self.first_secret() {
            self.tree.log.peek(&secret);
        }
        fn shown(given: &Given, out: &mut String) {
            match given {
                Given::Text(text) => out.push_str(&format!("{text:?}")),
                Given::Integer(number) => out.push_str(&number.to_string()),
                Given::Float(bits) => out.push_str(&f64::from_bits(*bits).to_string()),
                Given::Boolean(truth) => out.push_str(if *truth { "True" } else { "False" }),
                Given::Secret(_) => out.push_str("(sealed)"),
                Given::List(items) => {
                    out.push('[');
                    for (index, item) in items.iter().enumerate() {
                        out.push_str(if index > 0 { ", " } else { "" });
                        shown(item, out);
                    }
                    out.push(']');
                }
                Given::Table(table) => entries(table, out),
            }
        }
        fn entries(table: &BTreeMap<String, Given>, out: &mut String) {
            out.push('{');
            for (index, (key, item)) in table.iter().enumerate() {
                out.push_str(if index > 0 { ", " } else { "" });
                out.push_str(&format!("{key:?}: "));
                shown(item, out);
            }
            out.push('}');
        }
        let mut out = String::new();
        entries(self.table(), &mut out);
        f.write_str(&out)
    }
}

/// Whether a value is what a part of the pillar is; no secret is in either.
fn same(given: &Given, value: Value) -> bool {
    match given {
        Given::Text(text) => value.unpack_str() == Some(text),
        Given::Integer(number) => i64::unpack_value(value).ok().flatten() == Some(*number),
        Given::Float(bits) => {
            let number = starlark::values::float::UnpackFloat::unpack_value(value).ok().flatten();
            number.is_some_and(|number| number.0.to_bits() == *bits)
        }
        Given::Boolean(truth) => value.unpack_bool() == Some(*truth),
        Given::List(items) => ListRef::from_value(value).is_some_and(|list| {
            list.len() == items.len()
                && items.iter().zip(list.content()).all(|(item, value)| same(item, *value))
        }),
        Given::Table(table) => same_table(table, value),
        Given::Secret(_) => false,
    }
}

fn same_table(table: &BTreeMap<String, Given>, value: Value) -> bool {
    if let Some(branch) = Branch::from_value(value) {
        return branch.table() == table;
    }
    DictRef::from_value(value).is_some_and(|dict| {
        dict.len() == table.len()
            && table.iter().all(|(key, item)| dict.get_str(key).is_some_and(|value| same(item, value)))
    })
}

#[starlark_value(type = "dict")]
impl<'v> StarlarkValue<'v> for Branch {
    fn at(&self, index: Value<'v>, heap: Heap<'v>) -> starlark::Result<Value<'v>> {
        let key = index.unpack_str().ok_or_else(|| wrong("a key of a table is text"))?;
        self.child(key, heap)?.ok_or_else(|| self.missing(key))
    }

    fn is_in(&self, other: Value<'v>) -> starlark::Result<bool> {
        let key = other.unpack_str().ok_or_else(|| wrong("a key of a table is text"))?;
        if self.path.is_empty() && self.tree.lacks_facts && !KNOWN.contains(&key) {
            return Err(self.lacks());
        }
        Ok(self.table().contains_key(key))
    }

    fn length(&self) -> starlark::Result<i32> {
        Ok(i32::try_from(self.whole()?.len()).unwrap_or(i32::MAX))
    }

    fn to_bool(&self) -> bool {
        !self.table().is_empty()
    }

    fn iterate_collect(&self, heap: Heap<'v>) -> starlark::Result<Vec<Value<'v>>> {
        Ok(self.whole()?.keys().map(|key| heap.alloc(key.as_str())).collect())
    }

    fn equals(&self, other: Value<'v>) -> starlark::Result<bool> {
        if let Some(secret) = self.first_secret() {
            self.tree.log.peek(&secret);
            return Err(wrong(format!("this looks into the secret `{secret}`")));
        }
        Ok(same_table(self.whole()?, other))
    }

    fn bit_or(&self, other: Value<'v>, heap: Heap<'v>) -> starlark::Result<Value<'v>> {
        let mut all = self.entries(heap)?;
        if let Some(branch) = Self::from_value(other) {
            all.extend(branch.entries(heap)?);
        } else if let Some(dict) = DictRef::from_value(other) {
            all.extend(dict.iter());
        } else {
            return Err(wrong(format!("a dict cannot be joined with a {}", other.get_type())));
        }
        Ok(heap.alloc(AllocDict(all)))
    }

    fn get_methods() -> Option<&'static Methods> {
        Some(METHODS.methods())
    }
}

impl Branch {
    /// Its entries, those of them that are tables as they are.
    pub(super) fn entries<'v>(&self, heap: Heap<'v>) -> starlark::Result<Vec<(Value<'v>, Value<'v>)>> {
        let mut all = Vec::new();
        for key in self.whole()?.keys() {
            if let Some(value) = self.child(key, heap)? {
                all.push((heap.alloc(key.as_str()), value));
            }
        }
        Ok(all)
    }

    fn get<'v>(
        &self,
        key: Value<'v>,
        default: Option<Value<'v>>,
        heap: Heap<'v>,
    ) -> starlark::Result<Value<'v>> {
        // A key that holds a colon is found whole first.
        if let Some(key) = key.unpack_str()
            && self.table().contains_key(key)
            && let Some(value) = self.child(key, heap)?
        {
            return Ok(value);
        }
        let path = path_of(key)?;
        let found = self.at_path(&path, heap)?;
        if found.is_none() {
            self.must_be_a_fact(&path)?;
        }
        Ok(found.or(default).unwrap_or_else(Value::new_none))
    }
}

#[starlark_module]
#[allow(clippy::needless_pass_by_value, reason = "the macro wants values")]
fn methods(builder: &mut MethodsBuilder) {
    /// The value at `"a:b"`, or another if there is none.
    fn get<'v>(
        this: &Branch,
        #[starlark(require = pos)] key: Value<'v>,
        default: Option<Value<'v>>,
        heap: Heap<'v>,
    ) -> starlark::Result<Value<'v>> {
        this.get(key, default, heap)
    }

    /// Whether there is a value at `"a:b"`; says nothing else about a secret.
    fn has<'v>(
        this: &Branch,
        #[starlark(require = pos)] key: Value<'v>,
        heap: Heap<'v>,
    ) -> starlark::Result<bool> {
        Ok(this.at_path(&path_of(key)?, heap)?.is_some())
    }

    fn keys<'v>(this: &Branch, heap: Heap<'v>) -> starlark::Result<Value<'v>> {
        let keys: Vec<&str> = this.whole()?.keys().map(String::as_str).collect();
        Ok(heap.alloc(AllocList(keys)))
    }

    fn values<'v>(this: &Branch, heap: Heap<'v>) -> starlark::Result<Value<'v>> {
        let values: Vec<Value> = this.entries(heap)?.into_iter().map(|(_, value)| value).collect();
        Ok(heap.alloc(AllocList(values)))
    }

    fn items<'v>(this: &Branch, heap: Heap<'v>) -> starlark::Result<Value<'v>> {
        Ok(heap.alloc(AllocList(this.entries(heap)?)))
    }
}

starlark::methods_static!(METHODS = methods);

/// `__salt__`: the functions of Salt that only look at values.
#[derive(Debug, ProvidesStaticType, NoSerialize, StarlarkPagablePanic, Allocative)]
pub(super) struct Salt {
    pub(super) pillar: Branch,
    pub(super) grains: Branch,
}

starlark_simple_value!(Salt);

impl fmt::Display for Salt {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("__salt__")
    }
}

#[starlark_value(type = "dict")]
impl<'v> StarlarkValue<'v> for Salt {
    fn at(&self, index: Value<'v>, heap: Heap<'v>) -> starlark::Result<Value<'v>> {
        let (branch, optional) = match index.unpack_str() {
            Some("pillar.get") => (&self.pillar, true),
            Some("pillar.item") => (&self.pillar, false),
            Some("grains.get") => (&self.grains, true),
            Some("grains.item") => (&self.grains, false),
            other => {
                let name = escaped(other.unwrap_or_default());
                self.pillar.tree.log.entries().hint = Some(
                    "there are pillar.get and grains.get: a state can read only the pillar and the facts"
                        .to_owned(),
                );
                return Err(wrong(format!("`__salt__` has no `{name}` here")));
            }
        };
        Ok(heap.alloc(Getter { branch: branch.clone(), optional }))
    }
}

/// A function of [`Salt`].
#[derive(Debug, ProvidesStaticType, NoSerialize, StarlarkPagablePanic, Allocative)]
pub(super) struct Getter {
    branch: Branch,
    /// A key that is missing gives the default, or an empty text as in Salt.
    optional: bool,
}

starlark_simple_value!(Getter);

impl fmt::Display for Getter {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}.get", self.branch.tree.name)
    }
}

#[starlark_value(type = "function")]
impl<'v> StarlarkValue<'v> for Getter {
    fn invoke(
        &self,
        _me: Value<'v>,
        args: &Arguments<'v, '_>,
        eval: &mut Evaluator<'v, '_, '_>,
    ) -> starlark::Result<Value<'v>> {
        let heap = eval.heap();
        let given: Vec<Value> = args.positions(heap)?.collect();
        let named = args.names_map()?;
        let mut named_default = None;
        for (name, value) in named {
            match name.as_str() {
                "default" => named_default = Some(value),
                other => return Err(wrong(format!("{self} has no argument `{}`", escaped(other)))),
            }
        }
        let (key, default) = match given.as_slice() {
            [key] => (*key, named_default),
            [key, default] if named_default.is_none() => (*key, Some(*default)),
            _ => {
                return Err(wrong(format!(
                    "{self} is called as {self}(\"a:b\") or {self}(\"a:b\", default)"
                )));
            }
        };
        if self.optional {
            let nothing = default.unwrap_or_else(|| heap.alloc(""));
            return self.branch.get(key, Some(nothing), heap);
        }
        let path = path_of(key)?;
        self.branch.at_path(&path, heap)?.ok_or_else(|| self.branch.missing(&path.join(":")))
    }
}
