//! What protects secrets, as it stands in the folder and as it stood at a git revision.

use crate::inventory::{self, Inventory};
use crate::pillar::boxes::{BoxFile, BoxFolder};
use crate::pillar::document::Document;
use crate::problem::{Problem, Result, escaped};
use crate::process::{self, Child, End, Inherited, Limits};
use crate::session::Vault;
use std::collections::BTreeMap;
use std::ffi::OsStr;
use std::path::Path;
use std::time::Duration;
use zeroize::Zeroizing;

/// How long one call of git may take.
const LIMIT: Duration = Duration::from_secs(60);
/// How much it may say: all files of a large workspace.
const LIMITS: Limits = Limits { out: 256 << 20, err: 4096 };
/// What a repository's own configuration must not decide.
const OPTIONS: [&str; 4] = [
    "safe.bareRepository=explicit",
    "core.fsmonitor=false",
    "core.hooksPath=/dev/null",
    "core.sshCommand=false",
];

/// Inventory, boxes, key files and values at one time.
#[derive(Debug, Default)]
pub(super) struct Snapshot {
    /// Engines by the names of their hosts.
    pub(super) engines: BTreeMap<String, String>,
    /// Boxes by folder.
    pub(super) boxes: BTreeMap<BoxFolder, BoxFile>,
    /// Keys by path, comments left out.
    pub(super) keys: BTreeMap<String, String>,
    /// Pillar files, relative to `pillar/`.
    pub(super) documents: BTreeMap<String, Document>,
    /// Files that could not be read, by path.
    pub(super) unreadable: Vec<String>,
}

impl Snapshot {
    /// As the workspace stands.
    pub(super) fn of(vault: &Vault<'_>) -> Result<Self> {
        let mut snapshot = Self { boxes: vault.boxes().clone(), ..Self::default() };
        snapshot.add_engines(vault.inventory());
        for document in vault.documents() {
            snapshot.documents.insert(document.file().to_owned(), document.clone());
        }
        for file in vault.workspace().key_files()? {
            let path = format!("keys/{file}");
            snapshot.add_key(&path, &vault.workspace().read(&path)?);
        }
        Ok(snapshot)
    }

    /// As it stood at a revision of the repository around the workspace.
    pub(super) fn at(root: &Path, revision: &str) -> Result<Self> {
        let shown = escaped(revision);
        if revision.starts_with('-') {
            return Err(Problem::usage(format!("`{shown}` is not a git revision")).into());
        }
        let commit = format!("{revision}^{{commit}}");
        let commit = git(root, ["rev-parse", "--verify", "--quiet", &commit], b"").map_err(|problems| {
            problems.map(|problem| Problem {
                what: format!("`{shown}` is not a revision of a git repository around the workspace"),
                ..problem
            })
        })?;
        let commit = String::from_utf8_lossy(&commit).trim().to_owned();
        let prefix = git(root, ["rev-parse", "--show-prefix"], b"")?;
        let prefix = String::from_utf8_lossy(&prefix).trim_end_matches('\n').to_owned();
        let mut snapshot = Self::default();
        for (path, text) in files(root, &commit, &prefix)? {
            snapshot.add(&path, text);
        }
        Ok(snapshot)
    }

    fn add(&mut self, path: &str, text: Option<String>) {
        let read = (|| {
            let text = text?;
            if path == inventory::FILE {
                self.add_engines(&Inventory::parse(&text).ok()?);
            } else if let Some(file) = path.strip_prefix("keys/") {
                if file.ends_with(".pub") {
                    self.add_key(path, &text);
                }
            } else if let Some(file) = path.strip_prefix("pillar/").filter(|file| file.ends_with(".toml")) {
                match if file == "box.toml" { Some("") } else { file.strip_suffix("/box.toml") } {
                    Some(folder) => {
                        let read = BoxFile::parse(&text, path).ok()?;
                        self.boxes.insert(BoxFolder::parse(folder).ok()?, read);
                    }
                    None => drop(self.documents.insert(file.to_owned(), Document::parse(file, text).ok()?)),
                }
            }
            Some(())
        })();
        if read.is_none() {
            self.unreadable.push(path.to_owned());
        }
    }

    fn add_engines(&mut self, inventory: &Inventory) {
        self.engines
            .extend(inventory.hosts.iter().map(|(name, host)| (name.to_string(), host.engine.to_string())));
    }

    fn add_key(&mut self, path: &str, text: &str) {
        let lines: Vec<&str> =
            text.lines().map(str::trim).filter(|line| !line.is_empty() && !line.starts_with('#')).collect();
        self.keys.insert(path.to_owned(), lines.join(" "));
    }
}

/// Files of the workspace at a commit, relative to it; without text where one is no regular file or
/// not UTF-8.
fn files(root: &Path, commit: &str, prefix: &str) -> Result<Vec<(String, Option<String>)>> {
    let paths: Vec<String> = [inventory::FILE, "pillar", "keys"].map(|path| format!("{prefix}{path}")).into();
    let mut arguments = vec!["ls-tree", "-r", "-z", "--full-tree", commit, "--"];
    arguments.extend(paths.iter().map(String::as_str));
    let listed = git(root, arguments, b"")?;
    let (mut found, mut blobs) = (Vec::new(), String::new());
    for entry in String::from_utf8_lossy(&listed).split('\0').filter(|entry| !entry.is_empty()) {
        let Some((data, path)) = entry.split_once('\t') else { continue };
        let path = path.strip_prefix(prefix).unwrap_or(path).to_owned();
        match data.split(' ').collect::<Vec<_>>().as_slice() {
            ["100644" | "100755", "blob", id] => {
                blobs.push_str(id);
                blobs.push('\n');
                found.push((path, true));
            }
            _ => found.push((path, false)),
        }
    }
    let texts = git(root, ["cat-file", "--batch"], blobs.as_bytes())?;
    let mut rest = texts.as_slice();
    let mut files = Vec::new();
    for (path, regular) in found {
        let text = if regular { next_blob(&mut rest)? } else { None };
        files.push((path, text));
    }
    Ok(files)
}

/// The next answer of `git cat-file --batch`: `ID blob SIZE`, a newline, the bytes, a newline.
fn next_blob(rest: &mut &[u8]) -> Result<Option<String>> {
    let broken = || Problem::failed("git gave an answer that is not understood");
    let end = rest.iter().position(|byte| *byte == b'\n').ok_or_else(broken)?;
    let head = String::from_utf8_lossy(&rest[..end]).into_owned();
    let size: usize = match head.split(' ').collect::<Vec<_>>().as_slice() {
        [_, "blob", size] => size.parse().map_err(|_| broken())?,
        _ => {
            return Err(Problem::failed("a file of the revision is not in the repository")
                .cause(escaped(&head))
                .into());
        }
    };
    let body = rest.get(end + 1..end + 1 + size).ok_or_else(broken)?;
    *rest = rest.get(end + size + 2..).ok_or_else(broken)?;
    Ok(String::from_utf8(body.to_vec()).ok())
}

/// Runs git and gives it something to read. Nothing of it is asked of a network, and no program that the
/// repository's configuration names is started.
fn git<'a, S: AsRef<OsStr> + 'a>(
    root: &Path,
    arguments: impl IntoIterator<Item = S>,
    input: &[u8],
) -> Result<Vec<u8>> {
    let lost = |error: &std::io::Error| Problem::failed("git cannot be run").because(error);
    let program = process::find("git").map_err(|error| lost(&error))?;
    let mut command = process::command(&program, Inherited::Basic);
    for option in OPTIONS {
        command.args(["-c", option]);
    }
    command.arg("--no-pager").arg("-C").arg(root).args(arguments);
    command.env("GIT_OPTIONAL_LOCKS", "0").env("GIT_NO_LAZY_FETCH", "1").env("GIT_ALLOW_PROTOCOL", "");
    let child = Child::start(&mut command, Zeroizing::new(input.to_vec()), LIMITS);
    let (end, output) = child.map_err(|error| lost(&error))?.finish(LIMIT);
    if matches!(end, End::Exit(0)) {
        return Ok(output.out.to_vec());
    }
    let said = escaped(String::from_utf8_lossy(&output.err).trim());
    let problem = Problem::failed("git failed");
    Err(match end {
        End::Lost(error) => lost(&error),
        End::TookTooLong => problem.cause(format!("it was killed after {} s", LIMIT.as_secs())),
        End::TooMuch => problem.cause(format!("it was killed after {} MiB of an answer", LIMITS.out >> 20)),
        End::Signal(signal) => problem.cause(format!("a signal ended it: {signal}")),
        End::Exit(_) if said.is_empty() => problem,
        End::Exit(_) => problem.cause(said),
    }
    .into())
}
