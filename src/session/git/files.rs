//! Files of the workspace as git has them.

use super::Git;
use crate::inventory;
use crate::problem::{Problem, Result, escaped};

/// How much git is asked for at once, in bytes.
const MOST: u64 = 64 << 20;

impl Git {
    /// What protects secrets in the workspace, below the top of the repository.
    pub(super) fn paths(&self) -> [String; 3] {
        [inventory::FILE, "pillar", "keys"].map(|path| format!("{}{path}", self.prefix()))
    }

    /// Inventory, pillar and keys at a commit, relative to the workspace; without text where one is no regular
    /// file or not UTF-8.
    ///
    /// # Errors
    /// Where git fails, and where a file is not in the repository.
    pub fn files(&self, commit: &str) -> Result<Vec<(String, Option<String>)>> {
        let paths = self.paths();
        let mut arguments = vec!["ls-tree", "-r", "-z", "--full-tree", commit, "--"];
        arguments.extend(paths.iter().map(String::as_str));
        let listed = self.ask(arguments, b"")?;
        let (mut files, mut ids, mut of) = (Vec::new(), Vec::new(), Vec::new());
        for entry in String::from_utf8_lossy(&listed).split('\0').filter(|entry| !entry.is_empty()) {
            let Some((data, path)) = entry.split_once('\t') else { continue };
            if let ["100644" | "100755", "blob", id] = data.split(' ').collect::<Vec<_>>().as_slice() {
                ids.push((*id).to_owned());
                of.push(files.len());
            }
            files.push((path.strip_prefix(self.prefix()).unwrap_or(path).to_owned(), None));
        }
        let absent = |head: &str| {
            Problem::failed("a file of the revision is not in the repository").cause(escaped(head))
        };
        self.texts(&ids, &mut |texts| {
            for (index, text) in texts {
                files[of[index]].1 = text.map_err(|head| absent(&head))?;
            }
            Ok(())
        })?;
        Ok(files)
    }

    /// Hands on the texts of files by their ids, in portions: index and text, which is `None` where it is not
    /// UTF-8; for a file that is not in the repository what git says of it.
    ///
    /// # Errors
    /// Where git fails, and those of `see`.
    pub(super) fn texts(&self, ids: &[String], see: &mut See<'_>) -> Result<()> {
        let listed = self.ask(["cat-file", "--batch-check"], lines(ids).as_bytes())?;
        let listed = String::from_utf8_lossy(&listed).into_owned();
        let size =
            |line: &str| line.rsplit(' ').next().and_then(|size| size.parse::<u64>().ok()).unwrap_or(0);
        let sizes: Vec<u64> = listed.lines().map(size).collect();
        let mut begin = 0;
        while begin < ids.len() {
            let (mut end, mut sum) = (begin, 0);
            while end < ids.len() && (end == begin || sum < MOST) {
                sum += sizes.get(end).copied().unwrap_or(0);
                end += 1;
            }
            let texts = self.ask(["cat-file", "--batch"], lines(&ids[begin..end]).as_bytes())?;
            let mut rest = texts.as_slice();
            let portion: Result<Vec<_>> =
                (begin..end).map(|index| Ok((index, next_blob(&mut rest)?))).collect();
            see(portion?)?;
            begin = end;
        }
        Ok(())
    }
}

/// Takes a portion of texts.
pub(super) type See<'s> = dyn FnMut(Vec<(usize, Text)>) -> Result<()> + 's;

/// A text, if it is UTF-8; of a file that is not in the repository what git says.
pub(super) type Text = std::result::Result<Option<String>, String>;

fn lines(ids: &[String]) -> String {
    ids.iter().flat_map(|id| [id.as_str(), "\n"]).collect()
}

/// The next answer of `git cat-file --batch`: `ID blob SIZE`, a newline, the bytes, a newline; or `ID missing`.
fn next_blob(rest: &mut &[u8]) -> Result<Text> {
    let broken = || Problem::failed("git gave an answer that is not understood");
    let end = rest.iter().position(|byte| *byte == b'\n').ok_or_else(broken)?;
    let head = String::from_utf8_lossy(&rest[..end]).into_owned();
    let size: usize = match head.split(' ').collect::<Vec<_>>().as_slice() {
        [_, "blob", size] => size.parse().map_err(|_| broken())?,
        _ => {
            *rest = &rest[end + 1..];
            return Ok(Err(head));
        }
    };
    let body = rest.get(end + 1..end + 1 + size).ok_or_else(broken)?;
    *rest = rest.get(end + size + 2..).ok_or_else(broken)?;
    Ok(Ok(String::from_utf8(body.to_vec()).ok()))
}
