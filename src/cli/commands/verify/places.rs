//! Where sealed values stand, and those that stand twice.

use crate::pillar::Origin;
use crate::problem::{Code, Place, Problem, escaped, quoted};
use crate::session::Vault;

/// Where a value stands.
pub(super) fn line(vault: &Vault<'_>, origin: &Origin) -> Place {
    let node = vault.document(&origin.file).and_then(|document| document.get(&origin.key));
    node.map_or_else(|| Place::new(format!("pillar/{}", origin.file), 0), |node| node.place.clone())
}

/// A sealed text that stands twice.
pub(super) fn twice(what: &str, first: &str, second: &str, place: Option<&Place>) -> Problem {
    let problem =
        Problem::new(Code::Seal, format!("{what} stands at {} and at {}", escaped(first), escaped(second)))
            .cause("it was copied: a sealed value opens only where it was posted")
            .hint(format!("to move a secret: pillarbox move {} {}", quoted("FROM"), quoted("TO")));
    match place {
        Some(place) => problem.at(place),
        None => problem,
    }
}
