//! Secrets of Kubernetes for pulling images: `kubernetes.io/dockerconfigjson` and `kubernetes.io/dockercfg`, alone,
//! in lists and in several documents (kubernetes.io, "Secrets", "Docker config Secrets").

use super::yaml::{self, Node};
use super::{Source, clients};
use crate::docker_config::Entries;
use crate::problem::{Place, Problem, Result, escaped};
use crate::registry::placeholder;
use crate::secret::Secret;
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use zeroize::Zeroizing;

/// The types, each with the field that holds the configuration, and how.
const TYPES: [(&str, &str, Entries); 2] = [
    ("kubernetes.io/dockerconfigjson", ".dockerconfigjson", Entries::Auths),
    ("kubernetes.io/dockercfg", ".dockercfg", Entries::Flat),
];

/// Lists in lists: more than `kubectl` makes.
const DEEPEST: usize = 4;

/// Whether a text in YAML may be one.
pub(super) fn is_one(text: &str) -> bool {
    let has = |field: &str| text.lines().any(|line| line.starts_with(field));
    has("apiVersion:") && has("kind:")
}

pub(super) fn read(text: &str, file: &str, source: &mut Source) -> Result<()> {
    let mut reader = Reader { file, source, found: 0 };
    for document in &yaml::read_all(text, file, "a chart has to be rendered first: helm template")? {
        reader.object(document, 0);
    }
    if reader.found > 0 {
        return Ok(());
    }
    Err(Problem::failed("there is no Secret with credentials of registries in it")
        .at(&Place::new(file, 0))
        .cause(format!("its type would be {} or {}", TYPES[0].0, TYPES[1].0))
        .into())
}

struct Reader<'a> {
    file: &'a str,
    source: &'a mut Source,
    /// Secrets that are meant, whether or not they can be read.
    found: usize,
}

impl Reader<'_> {
    fn object(&mut self, node: &Node, depth: usize) {
        let kind = node.field("kind").and_then(Node::raw).unwrap_or_default();
        match kind {
            "Secret" => self.secret(node),
            "SealedSecret" => {
                self.found += 1;
                let place = Place::new(self.file, node.line);
                let name = name(node);
                let why = format!(
                    "it is encrypted for its cluster; ask that: kubectl get secret {} -o yaml",
                    escaped(&name)
                );
                self.source.wrong(&name, &place, &why);
            }
            _ if depth < DEEPEST => {
                for item in node.field("items").and_then(Node::list).into_iter().flatten() {
                    self.object(item, depth + 1);
                }
            }
            _ => {}
        }
    }

    fn secret(&mut self, node: &Node) {
        let (name, own) = (name(node), node.field("type").and_then(Node::raw).unwrap_or_default());
        let from = format!("secret {name}");
        let mut is_read = false;
        for (_, field, at) in TYPES {
            // As the API server does: what stands in clear goes before.
            let clear = node.field("stringData").and_then(|data| data.field(field));
            let Some(value) = clear.or_else(|| node.field("data").and_then(|data| data.field(field))) else {
                continue;
            };
            is_read = true;
            let place = Place::new(self.file, value.line);
            let text = match (value.raw(), clear.is_some()) {
                (None, _) => Err("it is not a text"),
                (Some(text), true) => unlike_a_placeholder(text),
                (Some(text), false) => self.decoded(text, &name, &place),
            };
            match text {
                Ok(text) => clients::read_value(&text, at, &place, &from, self.source),
                Err(why) => self.source.wrong(&name, &place, &format!("`{field}`: {why}")),
            }
        }
        let place = Place::new(self.file, node.line);
        match TYPES.iter().find(|(typed, ..)| *typed == own) {
            _ if is_read => self.found += 1,
            Some((_, field, _)) => {
                self.found += 1;
                self.source.wrong(&name, &place, &format!("it has no `{field}`"));
            }
            None => {
                let own = if own.is_empty() { "Opaque" } else { own };
                self.source.note(&name, &place, &format!("left out: a Secret of type {}", escaped(own)));
            }
        }
    }

    /// The text of a field of `data`.
    fn decoded(&mut self, text: &str, name: &str, place: &Place) -> Result<Zeroizing<String>, &'static str> {
        let text = unlike_a_placeholder(text)?;
        let mut base64 = Zeroizing::new(String::with_capacity(text.len()));
        base64.extend(text.chars().filter(|c| !c.is_ascii_whitespace()));
        if base64.len() < text.trim().len() {
            self.source.note(name, place, "its base64 has line ends, which are skipped");
        }
        let bytes = Zeroizing::new(STANDARD.decode(base64.as_bytes()).map_err(|_| "it is not base64")?);
        let text = std::str::from_utf8(&bytes).map_err(|_| "it is not UTF-8 text")?;
        Ok(Zeroizing::new(text.to_owned()))
    }
}

fn unlike_a_placeholder(text: &str) -> Result<Zeroizing<String>, &'static str> {
    // A configuration may hold braces; the whole of a template does not begin as one.
    match placeholder(&Secret::from(text.to_owned())) {
        Some(why) if !text.trim_start().starts_with("{\"") => Err(why),
        _ => Ok(Zeroizing::new(text.to_owned())),
    }
}

/// `NAMESPACE/NAME`, or the name alone.
fn name(node: &Node) -> String {
    let field = |name: &str| node.field("metadata")?.field(name)?.raw();
    let name = field("name").unwrap_or("without a name");
    field("namespace").map_or_else(|| name.to_owned(), |space| format!("{space}/{name}"))
}
