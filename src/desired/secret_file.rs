//! Secrets as files of a container: `secrets.NAME` is `/run/secrets/NAME`.

use super::file_owner::FileOwner;
use super::read;
use crate::problem::{Problem, Problems, Result, escaped};
use crate::state::{Arg, ArgValue, Text};
use serde_json::{Value, json};

/// Where the files of a container are.
pub const FOLDER: &str = "/run/secrets";

/// Bytes that a file may have.
pub const LARGEST: usize = 1 << 20;

/// Bytes that its name may have: what the header of an archive holds (POSIX ustar).
const LONGEST_NAME: usize = 100;

/// A file.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct SecretFile {
    /// What is in it; may hold secrets.
    pub value: Text,
    /// Who owns it.
    pub uid: u32,
    /// Its group.
    pub gid: u32,
    /// Permission bits.
    pub mode: u32,
    /// Where it is stored.
    pub store: Store,
}

/// Where files are stored.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord)]
pub enum Store {
    /// On the host's disk, readable only by root.
    #[default]
    Disk,
    /// In memory, until the container ends.
    Memory,
}

impl SecretFile {
    /// With the default owner and mode.
    pub fn of(value: Text) -> Self {
        Self { value, uid: 0, gid: 0, mode: 0o444, store: Store::Disk }
    }

    /// How it enters a fingerprint: a secret is its id.
    pub fn canonical(&self) -> Value {
        let mut canonical = json!({
            "value": self.value.canonical(),
            "uid": self.uid,
            "gid": self.gid,
            "mode": self.mode,
        });
        if self.store == Store::Memory {
            canonical["store"] = json!("memory");
        }
        canonical
    }

    /// For display and data: `value` is shown as given, the rest if it is not the default.
    pub fn shown(&self, value: Value) -> Value {
        let plain = Self::of(self.value.clone());
        if *self == plain {
            return value;
        }
        let mut shown = json!({ "value": value });
        let mut put = |name: &str, differs: bool, value: Value| {
            if differs {
                shown[name] = value;
            }
        };
        put("uid", self.uid != plain.uid, json!(self.uid));
        put("gid", self.gid != plain.gid, json!(self.gid));
        put("mode", self.mode != plain.mode, json!(format!("{:04o}", self.mode)));
        put("store", self.store != plain.store, json!("memory"));
        shown
    }

    /// What is wrong with the name of a file.
    pub(crate) fn wrong_name(name: &str) -> Option<String> {
        let control = name.chars().any(char::is_control);
        match name {
            "" => Some("is empty".to_owned()),
            "." | ".." => Some("is a folder".to_owned()),
            _ if name.contains('/') => Some("has a `/` in it".to_owned()),
            _ if control => Some("has a control character in it".to_owned()),
            _ if name.len() > LONGEST_NAME => Some(format!("is longer than {LONGEST_NAME} bytes")),
            _ => None,
        }
    }

    /// `"text"`, or `{ value, uid, gid, mode, store }`; `text` reads a value that may contain secrets.
    pub(crate) fn read(
        option: &str,
        arg: &Arg,
        text: impl Fn(&str, &Arg) -> Result<Text, Problem>,
    ) -> Result<Self> {
        if !matches!(arg.value, ArgValue::Table(_)) {
            return Ok(Self::of(text(option, arg)?));
        }
        let mut fields = read::fields(option, arg, &["value", "uid", "gid", "mode", "store"])?;
        let mut problems = Vec::new();
        fields.retain(|name, arg| {
            let secret = arg.first_with_secret().filter(|_| *name != "value");
            problems.extend(secret.map(|arg| read::secret_here(&format!("{option}.{name}"), arg)));
            secret.is_none()
        });
        let Some(value) = fields.get("value") else {
            let hint = format!("write {option} = {{ value = \"{{{{ pillar.x }}}}\", mode = \"0400\" }}");
            return Err(read::wrong(option, arg, "has no `value`").hint(hint).into());
        };
        let mut file = Self::of(Text::default());
        let mut take =
            |done: Result<()>| problems.extend(done.err().into_iter().flat_map(Problems::into_vec));
        let full = |name: &str| format!("{option}.{name}");
        take(text(&full("value"), value).map(|text| file.value = text).map_err(Problems::from));
        let owner = FileOwner { uid: &mut file.uid, gid: &mut file.gid, mode: &mut file.mode };
        owner.read(option, &fields, &mut take);
        if let Some(arg) = fields.get("store") {
            take(store(&full("store"), arg).map(|store| file.store = store));
        }
        Problems::check(problems)?;
        Ok(file)
    }
}

fn store(option: &str, arg: &Arg) -> Result<Store> {
    match read::text(option, arg)?.as_str() {
        "disk" => Ok(Store::Disk),
        "memory" => Ok(Store::Memory),
        word => {
            let why = format!("is `{}`, but can be \"disk\" or \"memory\"", escaped(word));
            Err(read::wrong(option, arg, &why).into())
        }
    }
}
