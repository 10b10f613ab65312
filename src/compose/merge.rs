//! Several files of one project: the later ones over the earlier ones, each key by its own rule
//! (compose-go `override`, measured with Compose 2.40.3).

use super::yaml::{Entry, Map, MergeTag, Node, Value};
use crate::problem::{Problem, escaped};

/// How a key of a service is merged. What is not listed: mappings by key, all else is replaced.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Rule {
    Replace,
    /// Pairs by name, as a mapping or a list of `NAME=value`.
    Pairs(char),
    /// A list that grows; what is in both stands once.
    Union,
    /// A list that grows; what is in both is an error.
    Append,
    /// A list that grows by addresses of one name.
    Hosts,
    /// A list with one entry for each target in the container.
    Target,
    Ports,
    /// A list of names, or a mapping of them.
    Named,
    Logging,
}

fn rule(path: &[&str]) -> Option<Rule> {
    let ["services", _, rest @ ..] = path else { return None };
    Some(match rest {
        ["command" | "entrypoint"] | ["healthcheck", "test"] => Rule::Replace,
        ["environment" | "labels" | "sysctls" | "annotations"] | ["deploy", "labels"] => Rule::Pairs('='),
        ["ports"] => Rule::Ports,
        ["volumes" | "devices" | "secrets" | "configs"] => Rule::Target,
        [
            "expose" | "dns" | "dns_search" | "dns_opt" | "tmpfs" | "cap_add" | "cap_drop" | "env_file"
            | "profiles" | "links" | "external_links" | "label_file",
        ] => Rule::Union,
        ["security_opt" | "group_add" | "volumes_from" | "device_cgroup_rules"] => Rule::Append,
        ["extra_hosts"] => Rule::Hosts,
        ["depends_on" | "networks"] => Rule::Named,
        ["logging"] => Rule::Logging,
        _ => return None,
    })
}

/// Lays `over` over `base`.
pub(super) fn merge(base: &mut Node, over: Node, problems: &mut Vec<Problem>) {
    merge_at(base, over, &mut Vec::new(), problems);
}

fn merge_at(base: &mut Node, over: Node, path: &mut Vec<String>, problems: &mut Vec<Problem>) {
    if over.tag == Some(MergeTag::Override) {
        *base = Node { tag: None, ..over };
        return;
    }
    let keys: Vec<&str> = path.iter().map(String::as_str).collect();
    let rule = rule(&keys);
    if over.is_null() {
        // Nothing said leaves what was said; `command:` without a value takes it back.
        if rule == Some(Rule::Replace) {
            *base = over;
        }
        return;
    }
    let short = |base: &Node, over: &Node| base.scalar().is_some() && over.scalar().is_some();
    match rule {
        _ if base.is_null() => *base = over,
        Some(Rule::Replace) => *base = over,
        Some(Rule::Pairs(by)) => by_key(pairs(base, by), pairs(&over, by), base, path, problems),
        Some(Rule::Named) => by_key(named(base), named(&over), base, path, problems),
        Some(_) if short(base, &over) => *base = over,
        Some(Rule::Union) => grow(base, over, |one, other| one.value == other.value),
        Some(Rule::Append) => append(base, over, true, problems),
        Some(Rule::Hosts) => {
            // What is neither is reported where it is read.
            if let (Some(one), Some(other)) = (hosts(base), hosts(&over)) {
                base.value = Value::List(one);
                append(base, Node { value: Value::List(other), ..over }, false, problems);
            }
        }
        Some(Rule::Target) => grow_over(base, over, target),
        Some(Rule::Ports) => grow(base, over, |one, other| port(one) == port(other)),
        Some(Rule::Logging) => {
            let driver =
                |node: &Node| node.map().and_then(|map| map.get("driver")).map(|node| node.value.clone());
            match (driver(base), driver(&over)) {
                (Some(one), Some(other)) if one != other => *base = over,
                _ => maps(base, over, path, problems),
            }
        }
        None => maps(base, over, path, problems),
    }
}

/// Mappings by key; anything else is replaced, lists grow.
fn maps(base: &mut Node, over: Node, path: &mut Vec<String>, problems: &mut Vec<Problem>) {
    match (&mut base.value, over.value) {
        (Value::Map(map), Value::Map(over)) => {
            for entry in over {
                put(map, entry, path, problems);
            }
        }
        (Value::List(items), Value::List(more)) => items.extend(more),
        (_, value) => *base = Node { value, place: over.place, tag: None },
    }
}

fn put(map: &mut Map, entry: Entry, path: &mut Vec<String>, problems: &mut Vec<Problem>) {
    if entry.node.tag == Some(MergeTag::Reset) {
        map.remove(&entry.key);
        return;
    }
    if map.get(&entry.key).is_none() {
        return map.put(entry);
    }
    if let Some(before) = map.iter_mut().find(|before| before.key == entry.key) {
        path.push(entry.key);
        merge_at(&mut before.node, entry.node, path, problems);
        path.pop();
    }
}

/// Takes out what says `!reset` in a file that nothing is merged into.
pub(super) fn without_resets(node: &mut Node) {
    if let Value::Map(map) = &mut node.value {
        let reset = |entry: &&Entry| entry.node.tag == Some(MergeTag::Reset);
        let keys: Vec<String> = map.iter().filter(reset).map(|entry| entry.key.clone()).collect();
        for key in keys {
            map.remove(&key);
        }
        map.iter_mut().for_each(|entry| without_resets(&mut entry.node));
    }
}

fn by_key(
    base: Option<Map>,
    over: Option<Map>,
    node: &mut Node,
    path: &mut Vec<String>,
    problems: &mut Vec<Problem>,
) {
    // What is neither is reported where it is read.
    let (Some(mut base), Some(over)) = (base, over) else { return };
    for entry in over {
        let null = entry.node.is_null() && entry.node.tag.is_none();
        if null && base.get(&entry.key).is_some() && path.last().is_some_and(|key| key != "networks") {
            base.put(entry);
        } else {
            put(&mut base, entry, path, problems);
        }
    }
    node.value = Value::Map(base);
}

/// `NAME=value` lines, or a mapping.
pub(super) fn pairs(node: &Node, by: char) -> Option<Map> {
    if let Some(map) = node.map() {
        return Some(map.clone());
    }
    let mut map = Map::default();
    for item in node.list()? {
        let scalar = item.scalar()?;
        let (key, text) = super::line::split(&scalar.text, by)?;
        let value = match text {
            Some(text) => super::yaml::Scalar { text, plain: false, ..scalar.clone() },
            None => super::yaml::Scalar::written("", true),
        };
        let node = Node { value: Value::Scalar(value), place: item.place.clone(), tag: None };
        map.put(Entry { key, place: item.place.clone(), node });
    }
    Some(map)
}

/// `NAME:ADDRESS` lines of `extra_hosts`, of which a mapping may have several for a name.
pub(super) fn hosts(node: &Node) -> Option<Vec<Node>> {
    let Some(map) = node.map() else { return Some(node.list()?.to_vec()) };
    let mut lines = Vec::new();
    for entry in map.iter() {
        for address in entry.node.list().unwrap_or(std::slice::from_ref(&entry.node)) {
            let address_text = address.scalar()?.text.as_clear()?;
            let scalar = super::yaml::Scalar {
                read: address.scalar()?.read.clone(),
                ..super::yaml::Scalar::written(format!("{}:{address_text}", entry.key), false)
            };
            lines.push(Node { value: Value::Scalar(scalar), place: address.place.clone(), tag: None });
        }
    }
    Some(lines)
}

/// A list of names as a mapping to nothing.
pub(super) fn named(node: &Node) -> Option<Map> {
    if let Some(map) = node.map() {
        return Some(map.clone());
    }
    let mut map = Map::default();
    for item in node.list()? {
        let key = item.scalar()?.text.as_clear()?.to_owned();
        let value = Value::Scalar(super::yaml::Scalar::written("", true));
        let node = Node { value, place: item.place.clone(), tag: None };
        map.put(Entry { key, place: item.place.clone(), node });
    }
    Some(map)
}

/// The items of a list; anything else is one item.
fn items(node: Node) -> Vec<Node> {
    match node.value {
        Value::List(items) => items,
        _ => vec![node],
    }
}

/// Changes the items of a node, which is a list afterwards.
fn with_items(base: &mut Node, change: impl FnOnce(&mut Vec<Node>)) {
    let empty = Node { value: Value::List(Vec::new()), place: base.place.clone(), tag: base.tag };
    let mut items = items(std::mem::replace(base, empty));
    change(&mut items);
    base.value = Value::List(items);
}

fn grow(base: &mut Node, over: Node, same: impl Fn(&Node, &Node) -> bool) {
    with_items(base, |before| {
        for item in items(over) {
            if !before.iter().any(|before| same(before, &item)) {
                before.push(item);
            }
        }
    });
}

fn grow_over(base: &mut Node, over: Node, key: impl Fn(&Node) -> Option<String>) {
    with_items(base, |before| {
        for item in items(over) {
            let own = key(&item);
            match before.iter_mut().find(|before| own.is_some() && key(before) == own) {
                Some(before) => *before = item,
                None => before.push(item),
            }
        }
    });
}

fn append(base: &mut Node, over: Node, once: bool, problems: &mut Vec<Problem>) {
    with_items(base, |before| {
        for item in items(over) {
            if once && let Some(other) = before.iter().find(|other| other.value == item.value) {
                let text = item.scalar().and_then(|scalar| scalar.text.as_clear()).unwrap_or_default();
                let problem = Problem::failed(format!("`{}` is in two files", escaped(text))).at(&item.place);
                let problem = problem.cause(format!("the other one is in {}", other.place));
                problems.push(problem.hint("keep one of them"));
            }
            before.push(item);
        }
    });
}

/// The path or name in the container at which an entry ends.
fn target(node: &Node) -> Option<String> {
    if let Some(map) = node.map() {
        let field = |name: &str| map.get(name)?.scalar()?.text.as_clear().map(str::to_owned);
        return field("target").or_else(|| field("source"));
    }
    let text = node.scalar()?.text.as_clear()?;
    let mut parts = text.split(':');
    let first = parts.next()?;
    Some(parts.next().unwrap_or(first).trim_end_matches('/').to_owned())
}

/// What makes two ports the same one.
fn port(node: &Node) -> Option<[String; 4]> {
    let field = |map: &Map, name: &str, without: &str| {
        let scalar = map.get(name).and_then(Node::scalar);
        scalar.and_then(|scalar| scalar.text.as_clear()).unwrap_or(without).to_owned()
    };
    if let Some(map) = node.map() {
        return Some([
            field(map, "host_ip", ""),
            field(map, "published", ""),
            field(map, "target", ""),
            field(map, "protocol", "tcp"),
        ]);
    }
    let text = node.scalar()?.text.as_clear()?;
    let (text, protocol) = text.split_once('/').unwrap_or((text, "tcp"));
    let (rest, target) = text.rsplit_once(':').unwrap_or(("", text));
    let (ip, published) = rest.rsplit_once(':').unwrap_or(("", rest));
    Some([ip.to_owned(), published.to_owned(), target.to_owned(), protocol.to_owned()])
}
