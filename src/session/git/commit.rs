//! Which commit a revision means. A name that means two things is refused: who may push a tag could call it
//! `origin/main`, and git would take it for the branch.

use super::Git;
use crate::problem::{Problem, Result, escaped, quoted};

/// A commit that is compared with.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Commit {
    /// Its whole id.
    pub id: String,
    /// The whole name of the branch or tag that the revision begins with, if it is one.
    pub reference: Option<String>,
}

/// Where git looks for a name.
const PLACES: [&str; 5] = ["refs/", "refs/tags/", "refs/heads/", "refs/remotes/", "refs/remotes//HEAD"];

impl Commit {
    /// The commit that a revision means.
    ///
    /// # Errors
    /// Where it means none, or its name is that of several branches and tags.
    pub fn of(git: &Git, revision: &str) -> Result<Self> {
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
        let id = git.ask(["rev-parse", "--verify", "--quiet", &wanted], b"").map_err(|problems| {
            let problem = problems.into_vec().into_iter().next().unwrap_or_else(|| Problem::failed(""));
            missing(git, base(revision), Problem { what: unknown(), ..problem })
        })?;
        Ok(Self { id: String::from_utf8_lossy(&id).trim().to_owned(), reference })
    }

    /// The last commit of the branch that stands here which was made at a time or before: one that came in by
    /// a merge counts from the merge. `None` where there is none.
    ///
    /// # Errors
    /// Where git fails.
    pub fn at_time(git: &Git, seconds: i64) -> Result<Option<Self>> {
        let before = format!("--before={seconds}");
        let found = git.ask(["rev-list", "-1", "--first-parent", &before, "HEAD", "--"], b"")?;
        let id = String::from_utf8_lossy(&found).trim().to_owned();
        Ok((!id.is_empty()).then_some(Self { id, reference: None }))
    }
}

/// What something is compared with.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Since {
    /// What was named.
    pub named: Commit,
    /// Where the branch that stands here began, as seen from there; `None` where what was named is meant.
    pub base: Option<String>,
}

impl Since {
    /// Of `REF` or `REF...` the commit at which HEAD and it parted, as in `git diff REF...`: what was merged
    /// there since is no change made here. Of `REF..` the named commit itself.
    ///
    /// # Errors
    /// As [`Commit::of`]; where the two have no commit in common here.
    pub fn of(git: &Git, text: &str) -> Result<Self> {
        let (revision, exact) = match text.strip_suffix("...").or_else(|| text.strip_suffix("...HEAD")) {
            Some(revision) => (revision, false),
            None => text.strip_suffix("..").map_or((text, false), |revision| (revision, true)),
        };
        let named = Commit::of(git, revision)?;
        if exact {
            return Ok(Self { named, base: None });
        }
        let base = git.ask(["merge-base", "HEAD", &named.id], b"").map_err(|_| {
            let shown = escaped(revision);
            let problem = Problem::failed(format!("HEAD and `{shown}` have no commit in common"));
            let problem = match git.is_shallow() {
                Ok(true) => problem
                    .cause("this clone is shallow: the commit at which they parted may be missing")
                    .hint("git fetch --unshallow"),
                _ => problem.cause("their histories are not related"),
            };
            problem.hint(format!(
                "to compare with it as it stands: pillarbox verify --against {}",
                quoted(&format!("{revision}.."))
            ))
        })?;
        Ok(Self { named, base: Some(String::from_utf8_lossy(&base).trim().to_owned()) })
    }

    /// The id of the commit that is compared with.
    pub fn id(&self) -> &str {
        self.base.as_ref().unwrap_or(&self.named.id)
    }
}

/// Adds to a problem with a name that is not here how to get it: a job's clone has one branch, and few commits.
fn missing(git: &Git, name: &str, problem: Problem) -> Problem {
    let remotes = git.ask(["remote"], b"").unwrap_or_default();
    let remotes = String::from_utf8_lossy(&remotes).into_owned();
    let short = name.strip_prefix("refs/remotes/").unwrap_or(name);
    let branch =
        remotes.lines().find_map(|remote| Some((remote, short.strip_prefix(remote)?.strip_prefix('/')?)));
    let shallow = git.is_shallow().unwrap_or(false);
    let problem = if shallow { problem.cause("this clone is shallow") } else { problem };
    let depth = if shallow { "--unshallow " } else { "" };
    match branch {
        Some((remote, branch)) => {
            let refspec = format!("+refs/heads/{branch}:refs/remotes/{remote}/{branch}");
            problem.hint(format!("git fetch {depth}{} {}", quoted(remote), quoted(&refspec)))
        }
        None if shallow => problem.hint("git fetch --unshallow"),
        None => problem,
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
                .hint(format!("give its whole name: {}", quoted(last)))
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
