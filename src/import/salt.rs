//! A Salt pillar: the mapping `docker-registries` and every other key that ends with `-docker-registries`,
//! all of them merged, as Salt's docker module does. A rendered pillar (`salt-call pillar.items`) has
//! them one level deeper, below the name of the minion.

use super::yaml::{self, Node};
use super::{Gives, Item, Source};
use crate::docker_config::sound;
use crate::problem::{Place, Problem, Result};

const KEY: &str = "docker-registries";

const HINT: &str = "a pillar that is made by Jinja or Python has to be rendered first: salt-call --out=yaml pillar.items > FILE";

fn is_key(key: &str) -> bool {
    key == KEY || key.ends_with("-docker-registries")
}

/// Whether a text may be one.
pub(super) fn is_one(text: &str) -> bool {
    text.contains(KEY)
}

pub(super) fn read(text: &str, file: &str, source: &mut Source) -> Result<()> {
    let documents = yaml::read_all(text, file, HINT)?;
    let top = documents.first().and_then(Node::mapping).unwrap_or_default();
    let deeper = top.iter().filter_map(|(_, node)| node.mapping()).flatten();
    let found: Vec<&Node> =
        top.iter().chain(deeper).filter(|(key, _)| is_key(key)).map(|(_, node)| node).collect();
    if found.is_empty() {
        return Err(Problem::failed(format!("there is no `{KEY}` in this pillar"))
            .at(&Place::new(file, 0))
            .hint(HINT)
            .into());
    }
    for node in found {
        let place = Place::new(file, node.line);
        let Some(registries) = node.mapping() else {
            source.wrong(KEY, &place, "it is not a mapping of registries");
            continue;
        };
        for (key, entry) in registries {
            let place = Place::new(file, entry.line);
            // Salt's word for Docker Hub.
            let key = if key.eq_ignore_ascii_case("hub") { "docker.io" } else { key };
            match gives(entry) {
                Ok((gives, email)) => source.add(Item { email, ..Item::new(key.to_owned(), place, gives) }),
                Err(why) => source.wrong(key, &place, &why),
            }
        }
    }
    Ok(())
}

fn gives(entry: &Node) -> Result<(Gives, Option<String>), String> {
    let fields = entry.mapping().ok_or("it is not a mapping with `username` and `password`")?;
    let text = |name: &str| -> Result<Option<&str>, String> {
        match fields
            .iter()
            .filter(|(key, _)| key == name)
            .map(|(_, node)| node)
            .collect::<Vec<_>>()
            .as_slice()
        {
            [] => Ok(None),
            [node] => node
                .text()
                .map(Some)
                .ok_or_else(|| format!("its `{name}` is not a text for Salt: write it in quotes")),
            _ => Err(format!("`{name}` occurs twice in it")),
        }
    };
    let username = text("username")?.filter(|name| !name.is_empty()).ok_or("it has no `username`")?;
    if username.contains(':') || username.contains(char::is_control) {
        return Err("its user name has a `:` or a control character".to_owned());
    }
    let password = sound(text("password")?.ok_or("it has no `password`")?)?;
    let email =
        text("email").ok().flatten().filter(|email| !email.is_empty() && !email.contains(char::is_control));
    Ok((Gives::Basic { username: username.to_owned(), password }, email.map(str::to_owned)))
}
