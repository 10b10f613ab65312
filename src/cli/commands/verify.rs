//! `pillarbox verify [--against REF]`: whether everything sealed holds, and what a change touches.

mod copies;
mod difference;
mod places;
mod revision;
mod seals;
pub(super) mod stray;

use crate::cli::{Context, Exit};
use crate::pillar::boxes::BoxFolder;
use crate::problem::{Code, Problem, Problems, Result, escaped};
use crate::session::{Git, Since, Vault};
use difference::Finding;
use seals::Counts;
use std::fmt;
use std::path::PathBuf;

/// Check every box, lock, sealed value, reader and copy; or list what a change touches
#[derive(clap::Args, Debug)]
#[command(after_help = "\
Without a private key the forms, places and copies are checked, and what was not opened is counted.

--against lists what needs a look before a change is merged: what differs from the commit at which this
branch left REF, so that what was merged there since is no difference. It ends with 8 if a box, a reader's
key or a secret's protection is among it (marked `!`), and needs no private key.

Example:
  pillarbox verify --against origin/main")]
pub(in crate::cli) struct VerifyArgs {
    /// Compare with the commit at which this branch left REF (`REF...`); `REF..`: with REF as it stands
    #[arg(long, value_name = "REF")]
    against: Option<String>,
    /// Fail with 10 unless every box opens here and every sealed value was opened in its place
    #[arg(long)]
    require_open: bool,
}

pub(in crate::cli) fn run(args: &VerifyArgs, ctx: &Context) -> Result<Exit> {
    let workspace = ctx.session.workspace()?;
    let vault = Vault::load_with_faults(&ctx.session, &workspace)?;
    let mut problems = vault.faults().to_vec();
    let (counts, found) = seals::check(&vault);
    problems.extend(found);
    problems.extend(stray::pending(&vault));
    problems.extend(stray::private_keys(&workspace));
    let against = args.against.as_deref().map(|revision| Against::of(&vault, revision)).transpose()?;
    let findings = against.as_ref().map(|against| against.findings.as_slice()).unwrap_or_default();
    if args.require_open {
        problems.extend(not_opened(&counts));
    }
    if problems.is_empty() && ctx.out.json {
        ctx.out.object(&json(&counts, against.as_ref()));
    }
    if !ctx.out.json {
        for finding in findings {
            ctx.out.data(finding);
        }
    }
    if problems.is_empty() || counts.values > 0 {
        say(ctx, &vault, &counts);
    }
    stray::warn_of_keys_without_box(ctx, &vault);
    if let Some(against) = &against {
        ctx.out.say(format_args!("compared with {against}"));
        if findings.is_empty() {
            let revision = escaped(&against.revision);
            ctx.out.say(format_args!("nothing that protects a secret differs from {revision}"));
        }
    }
    Problems::check(problems)?;
    let grave = findings.iter().any(|finding| finding.grave);
    Ok(if grave { Exit::Seal } else { Exit::Done })
}

/// Boxes without a value count as well: the next value that is posted to one would not open either.
fn not_opened(counts: &Counts) -> Option<Problem> {
    let first = counts.closed_by_box.keys().next()?;
    let what = format!(
        "{} in {} do not open here",
        many(counts.closed(), "sealed value", "sealed values"),
        many(counts.closed_by_box.len(), "box", "boxes")
    );
    let problem = Problem::new(Code::NoIdentity, what);
    let of = |(folder, count): (&BoxFolder, &usize)| {
        format!("{folder}: {}", many(*count, "sealed value", "sealed values"))
    };
    let problem = counts.closed_by_box.iter().map(of).fold(problem, Problem::cause);
    Some(problem.hint(format!("a reader can add this identity: pillarbox reader add NAME KEY --box {first}")))
}

/// What was compared, and what differs.
struct Against {
    revision: String,
    since: Since,
    repository: PathBuf,
    findings: Vec<Finding>,
}

impl Against {
    fn of(vault: &Vault<'_>, revision: &str) -> Result<Self> {
        let git = Git::around(vault.session(), vault.workspace().root())?;
        let since = Since::of(&git, revision)?;
        let before = revision::Snapshot::at(vault, &git, since.id())?;
        let findings = difference::between(&before, &revision::Snapshot::of(vault)?);
        Ok(Self { revision: revision.to_owned(), since, repository: git.top().to_owned(), findings })
    }

    fn json(&self) -> serde_json::Value {
        serde_json::json!({
            "revision": self.revision,
            "reference": self.since.named.reference,
            "commit": self.since.id(),
            "tip": self.since.named.id,
            "repository": self.repository.display().to_string(),
        })
    }
}

impl fmt::Display for Against {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Since { named, base } = &self.since;
        let name = named.reference.as_deref().unwrap_or(&self.revision);
        let left = match base {
            Some(base) if *base != named.id => " where this branch left it",
            _ => "",
        };
        let repository = escaped(&self.repository.display().to_string());
        write!(f, "{}, commit {}{left}, of the git repository {repository}", escaped(name), self.since.id())
    }
}

fn many(count: usize, one: &str, more: &str) -> String {
    format!("{count} {}", if count == 1 { one } else { more })
}

fn say(ctx: &Context, vault: &Vault<'_>, counts: &Counts) {
    ctx.out.say(format_args!(
        "{} in {}: {} opened and in place",
        many(counts.values, "sealed value", "sealed values"),
        many(vault.boxes().len(), "box", "boxes"),
        counts.opened
    ));
    for (boxes, why) in [
        (&counts.closed_by_box, "does not open here"),
        (&counts.refused_by_box, "is not the box that this machine knows"),
    ] {
        for (folder, count) in boxes {
            let values = many(*count, "sealed value", "sealed values");
            ctx.out.say(format_args!("{folder} {why}: {values} checked in form alone"));
        }
    }
    super::reader::warn_of_one_reader(ctx, vault.boxes());
}

fn json(counts: &Counts, against: Option<&Against>) -> serde_json::Value {
    let closed: serde_json::Map<String, serde_json::Value> =
        counts.closed_by_box.iter().map(|(folder, count)| (folder.to_string(), (*count).into())).collect();
    serde_json::json!({
        "format_version": crate::plan::FORMAT_VERSION,
        "values": counts.values,
        "opened": counts.opened,
        "closed": closed,
        "against": against.map(Against::json),
        "findings": against.map(|against| against.findings.iter().map(Finding::json).collect::<Vec<_>>()),
    })
}
