//! Which commit a revision means. A name that means two things is refused: who may push a tag could call it
//! `origin/main`, and git would take it for the branch.

use super::git::Git;
use crate::problem::{Problem, Result, escaped, quoted};

/// A commit that is compared with.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(in crate::cli::commands) struct Commit {
    /// Its whole id.
    pub(in crate::cli::commands) id: String,
    /// The whole name of the branch or tag that the revision begins with, if it is one.
    pub(in crate::cli::commands) reference: Option<String>,
}

/// Where git looks for a name.
const PLACES: [&str; 5] = ["refs/", "refs/tags/", "refs/heads/", "refs/remotes/", "refs/remotes//HEAD"];

impl Commit {
    /// The commit that a revision means.
    ///
    /// # Errors
    /// Where it means none, or its name is that of several branches and tags.
    pub(in crate::cli::commands) fn of(git: &Git, revision: &str) -> Result<Self> {
        let unknown = || {
            let shown = escaped(revision);
            format!(
                "`{shown}` is not a revision of the git repository {}",
                escaped(&git.top().display().to_string())
            )
        };
        if revision.starts_with('-') || revision.contains('\0') {
            return Err(Problem::usage(format!("`{}` is not a git revision", escaped(revision))).into());
        }
        let reference = reference(git, base(revision))?;
        if reference.is_none() && revision.starts_with("refs/") {
            return Err(Problem::failed(unknown()).into());
        }
        let wanted = format!("{revision}^{{commit}}");
        let id = git
            .ask(["rev-parse", "--verify", "--quiet", &wanted], b"")
            .map_err(|problems| problems.map(|problem| Problem { what: unknown(), ..problem }))?;
        Ok(Self { id: String::from_utf8_lossy(&id).trim().to_owned(), reference })
    }
}

/// The branch or tag that a name stands for; `None` where it is something else (`HEAD`, an id).
fn reference(git: &Git, name: &str) -> Result<Option<String>> {
    let is_id = name.len() >= 4 && name.bytes().all(|b| b.is_ascii_hexdigit());
    // Of these git takes the one and never a branch.
    if name.is_empty() || name == "@" || name == "HEAD" || (is_id && matches!(name.len(), 40 | 64)) {
        return Ok(None);
    }
    let names: Vec<String> = if name.starts_with("refs/") {
        vec![name.to_owned()]
    } else {
        PLACES
            .iter()
            .map(|place| match place.split_once("//") {
                Some((before, after)) => format!("{before}/{name}/{after}"),
                None => format!("{place}{name}"),
            })
            .collect()
    };
    let mut arguments = vec!["for-each-ref", "--format=%(objectname) %(refname)", "--"];
    arguments.extend(names.iter().map(String::as_str));
    let listed = git.ask(arguments, b"")?;
    let listed = String::from_utf8_lossy(&listed).into_owned();
    let found: Vec<(&str, &str)> = listed
        .lines()
        .filter_map(|line| line.split_once(' '))
        .filter(|(_, found)| names.iter().any(|name| name == found))
        .collect();
    let same = found.windows(2).all(|pair| pair[0].0 == pair[1].0);
    match found.as_slice() {
        [] => Ok(None),
        [(_, first), ..] if same && !is_id => Ok(Some((*first).to_owned())),
        several => {
            let mut all: Vec<String> = several.iter().map(|(_, name)| escaped(name)).collect();
            all.extend(is_id.then(|| format!("the beginning of an id, {name}")));
            let last = several.last().map_or(name, |(_, name)| name);
            Err(Problem::failed(format!("`{}` names several things", escaped(name)))
                .cause(format!("it may be: {}", all.join(", ")))
                .hint(format!("give its whole name: pillarbox verify --against {}", quoted(last)))
                .into())
        }
    }
}

/// The name that a revision begins with: `main` of `main~2`, `main@{yesterday}`, `main^{tree}`.
fn base(revision: &str) -> &str {
    let end = ["~", "^", ":", "@{"].iter().filter_map(|mark| revision.find(mark)).min();
    &revision[..end.unwrap_or(revision.len())]
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_revision_begins_with_a_name() {
        for (revision, name) in [
            ("main", "main"),
            ("origin/main~2", "origin/main"),
            ("v1^{commit}", "v1"),
            ("feature@2", "feature@2"),
            ("main@{1 day ago}", "main"),
            ("@{u}", ""),
            ("HEAD:pillarbox.toml", "HEAD"),
        ] {
            assert_eq!(base(revision), name, "{revision}");
        }
    }
}
