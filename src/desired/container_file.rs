//! Files of a container: `files."/etc/haproxy.cfg"`. What is in one belongs to the declaration, as its image does.

use super::file_owner::FileOwner;
use super::{fields, read, secret_file};
use crate::problem::{Problem, Problems, Result, escaped};
use crate::state::{Arg, ArgValue, FileBytes, Text};
use serde_json::{Value, json};
use sha2::{Digest as _, Sha256};
use std::fmt;

/// Bytes that a file may have.
pub const LARGEST: usize = secret_file::LARGEST;

/// Bytes that all files of a container may have together.
pub const LARGEST_ALL: usize = 8 << 20;

/// Where a container that has no secrets mounts the volume out of which its files are mounted; no image has such a
/// folder.
pub const FOLDER: &str = "/.pillarbox-files";

/// What its fields begin with.
pub(crate) const FILES: &str = "files.";

/// Bytes that a path may have, and the part behind one of its slashes: what the header of an archive holds
/// (POSIX ustar).
const LONGEST_PATH: usize = 255;
const LONGEST_NAME: usize = 100;
const LONGEST_PREFIX: usize = 155;

/// Files that an Engine writes itself over those of the image, and the option for each.
const OF_ENGINE: [(&str, &str); 3] =
    [("/etc/hosts", "extra_hosts"), ("/etc/hostname", "hostname"), ("/etc/resolv.conf", "dns")];

/// What the kernel shows there is no file.
const OF_KERNEL: [&str; 3] = ["/proc", "/sys", "/dev"];

/// The time of a clear file is one of 2001 to 2018, that of one with a secret one of 1984 to 2001, see
/// [`ContainerFile::time`].
const CLEAR_SINCE: i64 = 1_000_000_000;
const SEALED_SINCE: i64 = 450_000_000;

/// Bits of the time that come from the content, and from owner and mode.
const OF_CONTENT: u32 = 15;
const OF_REST: u32 = 14;

/// A file.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ContainerFile {
    /// What is in it.
    pub content: Content,
    /// Who owns it.
    pub uid: u32,
    /// Its group.
    pub gid: u32,
    /// Permission bits.
    pub mode: u32,
    /// What is done where it changes. In no fingerprint.
    pub on_change: OnChange,
}

/// What is in a file.
#[derive(Clone, PartialEq, Eq)]
pub enum Content {
    /// Bytes that anyone may see.
    Clear(FileBytes),
    /// A text with secrets.
    Sealed(Text),
}

/// What is done in a container that is there when one of its files is declared with other content.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub enum OnChange {
    /// Another container takes its place, as for every other field.
    #[default]
    Replace,
    /// The file is rewritten and the container restarted.
    Restart,
    /// The file is rewritten and the container's first process gets this signal.
    Signal(String),
}

impl fmt::Debug for Content {
    /// Size and digest; secrets as [`Text`] shows them.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Clear(clear) => fmt::Debug::fmt(clear, f),
            Self::Sealed(text) => fmt::Display::fmt(text, f),
        }
    }
}

impl Content {
    /// Of a text; one with secrets in it is sealed.
    pub fn of(text: Text) -> Self {
        match text.as_clear() {
            Some(clear) => Self::Clear(FileBytes::new(clear.as_bytes())),
            None => Self::Sealed(text),
        }
    }
}

impl ContainerFile {
    /// With the default owner and mode.
    pub fn of(content: Content) -> Self {
        Self { content, uid: 0, gid: 0, mode: 0o444, on_change: OnChange::Replace }
    }

    /// The text that secrets are put into, if there are any.
    pub fn sealed(&self) -> Option<&Text> {
        match &self.content {
            Content::Sealed(text) => Some(text),
            Content::Clear(_) => None,
        }
    }

    /// The bytes, if no secret is among them.
    pub fn clear(&self) -> Option<&FileBytes> {
        match &self.content {
            Content::Clear(clear) => Some(clear),
            Content::Sealed(_) => None,
        }
    }

    /// How it enters a fingerprint: a secret is its id.
    pub fn canonical(&self) -> Value {
        let mut canonical = json!({ "uid": self.uid, "gid": self.gid, "mode": self.mode });
        match &self.content {
            Content::Clear(clear) => canonical["sha256"] = json!(clear.digest()),
            Content::Sealed(text) => canonical["value"] = text.canonical(),
        }
        canonical
    }

    /// For display and data: no content. A secret is `(sealed 9f2c)`.
    pub fn shown(&self) -> Value {
        let mut shown = match &self.content {
            Content::Clear(clear) => json!({ "size": clear.len(), "sha256": clear.digest() }),
            Content::Sealed(text) => {
                let secrets = text.secrets().map(|secret| format!("(sealed {})", secret.id.short()));
                json!({ "secrets": secrets.collect::<Vec<_>>() })
            }
        };
        let plain = Self::of(self.content.clone());
        let mut put = |name: &str, differs: bool, value: Value| {
            if differs {
                shown[name] = value;
            }
        };
        put("uid", self.uid != plain.uid, json!(self.uid));
        put("gid", self.gid != plain.gid, json!(self.gid));
        put("mode", self.mode != plain.mode, json!(format!("{:04o}", self.mode)));
        put("on_change", self.on_change != plain.on_change, json!(self.on_change.to_string()));
        shown
    }

    /// The time of its last change, which follows from what it is: a file that has it was not changed by hand, and
    /// is not read to know that. The same declaration gives the same file.
    pub fn time(&self) -> i64 {
        let rest = json!([self.uid, self.gid, self.mode]).to_string();
        let rest = bits(rest.as_bytes(), OF_REST);
        match &self.content {
            Content::Clear(clear) => time(CLEAR_SINCE, bits(clear.digest().as_bytes(), OF_CONTENT), rest),
            // Of ids, never of a secret.
            Content::Sealed(text) => {
                time(SEALED_SINCE, bits(text.canonical().to_string().as_bytes(), OF_CONTENT), rest)
            }
        }
    }

    /// What is wrong with a path.
    pub(crate) fn wrong_path(path: &str) -> Option<Wrong> {
        let because = |why: &str| Some(Wrong { why: why.to_owned(), hint: None });
        let Some(relative) = path.strip_prefix('/') else {
            return Some(Wrong {
                why: "is not absolute".to_owned(),
                hint: Some(format!("write files.\"/{path}\"")),
            });
        };
        let parts: Vec<&str> = relative.split('/').collect();
        if parts.iter().any(|part| part.is_empty() || [".", ".."].contains(part)) {
            return because("has a part that is empty, `.` or `..`");
        }
        if path.chars().any(char::is_control) {
            return because("has a control character in it");
        }
        if split(relative).is_none() {
            return because(&format!(
                "is too long: {LONGEST_PATH} bytes, and {LONGEST_NAME} for its last part, are what an archive holds"
            ));
        }
        if let Some((_, option)) = OF_ENGINE.iter().find(|(file, _)| *file == path) {
            return Some(Wrong {
                why: "is written by the Engine itself".to_owned(),
                hint: Some(format!("use the option `{option}`")),
            });
        }
        OF_KERNEL
            .iter()
            .find(|folder| lies_in(path, folder))
            .and_then(|folder| because(&format!("lies in {folder}, which is the kernel's")))
    }

    /// `"text"`, or `{ content, mode, uid, gid, on_change }`; `text` reads a value that may contain secrets. What
    /// `source` names was read before.
    pub(crate) fn read(
        option: &str,
        arg: &Arg,
        text: impl Fn(&str, &Arg) -> Result<Text, Problem>,
    ) -> Result<Self> {
        let content = |option: &str, arg: &Arg| match &arg.value {
            ArgValue::Bytes(bytes) => Ok(Content::Clear(bytes.clone())),
            _ => text(option, arg).map(Content::of),
        };
        if !matches!(arg.value, ArgValue::Table(_)) {
            let file = Self::of(content(option, arg)?);
            return file.bounded(option, arg);
        }
        let known = ["content", "source", "template", "mode", "uid", "gid", "on_change"];
        let mut fields = read::fields(option, arg, &known)?;
        let mut problems = Vec::new();
        fields.retain(|name, arg| {
            let secret = arg.first_with_secret().filter(|_| *name != "content");
            problems.extend(secret.map(|arg| read::secret_here(&format!("{option}.{name}"), arg)));
            secret.is_none()
        });
        let Some(value) = fields.get("content") else {
            let hint = format!("write {option} = {{ source = \"files/NAME\" }}, or content = \"…\"");
            return Err(read::wrong(option, arg, "has neither `source` nor `content`").hint(hint).into());
        };
        let full = |name: &str| format!("{option}.{name}");
        let mut file = Self::of(Content::of(Text::default()));
        let mut take =
            |done: Result<()>| problems.extend(done.err().into_iter().flat_map(Problems::into_vec));
        take(content(&full("content"), value).map(|content| file.content = content).map_err(Problems::from));
        let owner = FileOwner { uid: &mut file.uid, gid: &mut file.gid, mode: &mut file.mode };
        owner.read(option, &fields, &mut take);
        if let Some(arg) = fields.get("on_change") {
            take(on_change(&full("on_change"), arg).map(|does| file.on_change = does));
        }
        Problems::check(problems)?;
        file.bounded(option, arg)
    }

    fn bounded(self, option: &str, arg: &Arg) -> Result<Self> {
        match &self.content {
            Content::Clear(clear) if clear.len() > LARGEST => {
                let why = format!("is {} bytes long, and may have {LARGEST}", clear.len());
                let hint = "put larger data into the image or a volume";
                Err(read::wrong(option, arg, &why).hint(hint).into())
            }
            _ => Ok(self),
        }
    }
}

/// Why a path cannot be that of a file.
pub(crate) struct Wrong {
    pub(crate) why: String,
    pub(crate) hint: Option<String>,
}

impl fmt::Display for OnChange {
    /// As it is declared.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Replace => f.write_str("replace"),
            Self::Restart => f.write_str("restart"),
            Self::Signal(signal) => write!(f, "signal:{signal}"),
        }
    }
}

/// `replace`, `restart` or `signal:HUP`.
fn on_change(option: &str, arg: &Arg) -> Result<OnChange> {
    let word = read::text(option, arg)?;
    if let Some(signal) = word.strip_prefix("signal:") {
        let named = Arg { value: ArgValue::Text(Text::clear(signal)), ..arg.clone() };
        return fields::signal(option, &named).map(OnChange::Signal);
    }
    match word.as_str() {
        "replace" => Ok(OnChange::Replace),
        "restart" => Ok(OnChange::Restart),
        word => {
            let why =
                format!("is `{}`, but can be \"replace\", \"restart\" or \"signal:NAME\"", escaped(word));
            Err(read::wrong(option, arg, &why).into())
        }
    }
}

/// Whether a path lies in a folder.
pub fn lies_in(path: &str, folder: &str) -> bool {
    path.strip_prefix(folder.trim_end_matches('/')).is_some_and(|rest| rest.starts_with('/'))
}

/// The field of a path.
pub(crate) fn field_of(path: &str) -> String {
    format!("{FILES}{path}")
}

/// Whether a time is that of a file that was put there by us with this content and no secret in it, and was not
/// changed since.
pub fn is_time_of(time: i64, content: &[u8]) -> bool {
    let digest = hex(&Sha256::digest(content));
    is_clear(time) && (time - CLEAR_SINCE) >> OF_REST == i64::from(bits(digest.as_bytes(), OF_CONTENT))
}

/// Whether a time is that of a file that was put there by us and has no secret in it.
pub fn is_clear(time: i64) -> bool {
    (CLEAR_SINCE..CLEAR_SINCE + (1 << (OF_CONTENT + OF_REST))).contains(&time)
}

/// A relative path as the header of an archive holds it: what stands in its prefix, and the rest.
pub fn split(path: &str) -> Option<(&str, &str)> {
    if path.len() <= LONGEST_NAME {
        return Some(("", path));
    }
    let slashes = path.match_indices('/').map(|(at, _)| at);
    let mut fitting = slashes.filter(|at| *at <= LONGEST_PREFIX && path.len() - at - 1 <= LONGEST_NAME);
    fitting.next().map(|at| (&path[..at], &path[at + 1..]))
}

fn time(since: i64, content: u32, rest: u32) -> i64 {
    since + (i64::from(content) << OF_REST) + i64::from(rest)
}

/// The first bits of a digest.
fn bits(of: &[u8], number: u32) -> u32 {
    let digest = Sha256::digest(of);
    let first = digest.iter().take(4).fold(0_u32, |all, byte| (all << 8) | u32::from(*byte));
    first >> (u32::BITS - number)
}

fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn file(content: &str) -> ContainerFile {
        ContainerFile::of(Content::of(Text::clear(content)))
    }

    #[test]
    fn a_path_is_absolute_and_names_a_file_that_is_the_containers() {
        let wrong = |path: &str| ContainerFile::wrong_path(path).map(|wrong| wrong.why);
        assert_eq!(wrong("/etc/haproxy/haproxy.cfg"), None);
        assert_eq!(wrong("/development/x"), None);
        for path in
            ["", "etc/x", "/", "/etc/", "/etc//x", "/etc/../x", "/./x", "/a\nb", "/etc/hosts", "/proc/x"]
        {
            assert!(wrong(path).is_some(), "{path:?}");
        }
        let long = format!("/{}/{}", "d".repeat(155), "n".repeat(100));
        assert_eq!(wrong(&long), None);
        assert!(wrong(&format!("{long}n")).is_some() && wrong(&format!("/{}", "n".repeat(101))).is_some());
    }

    #[test]
    fn on_change_is_in_no_fingerprint_and_every_other_field_is() {
        let plain = file("a");
        let other = ContainerFile { on_change: OnChange::Restart, ..plain.clone() };
        assert_eq!(plain.canonical(), other.canonical());
        for other in [
            file("b"),
            ContainerFile { uid: 1, ..plain.clone() },
            ContainerFile { gid: 1, ..plain.clone() },
            ContainerFile { mode: 0o400, ..plain.clone() },
        ] {
            assert_ne!(plain.canonical(), other.canonical());
            assert_ne!(plain.time(), other.time());
        }
    }

    proptest! {
        #[test]
        fn a_time_tells_the_content_that_it_was_made_for(content: Vec<u8>, uid: u16, mode in 0_u32..0o777) {
            let file = ContainerFile {
                uid: uid.into(), mode, ..ContainerFile::of(Content::Clear(FileBytes::new(content.clone())))
            };
            prop_assert!(is_time_of(file.time(), &content) && is_clear(file.time()));
            let others = (0..40_u8).filter(|last| is_time_of(file.time(), &[content.as_slice(), &[*last]].concat()));
            prop_assert!(others.count() < 3);
        }

        #[test]
        fn a_path_that_is_split_is_put_together_again(parts in prop::collection::vec("[a-z]{1,90}", 1..5)) {
            let path = parts.join("/");
            if let Some((prefix, name)) = split(&path) {
                let whole = if prefix.is_empty() { name.to_owned() } else { format!("{prefix}/{name}") };
                prop_assert!(prefix.len() <= LONGEST_PREFIX && name.len() <= LONGEST_NAME);
                prop_assert_eq!(&whole, &path);
            } else {
                prop_assert!(path.len() > LONGEST_NAME);
            }
        }
    }
}
