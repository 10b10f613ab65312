//! From the arguments of a declaration to the fields of a spec.

use super::container_file::field_of;
use super::option::{self, ENV, GROUPS, Kind, LIMITS, OPTIONS};
use super::{ContainerFile, SecretFile, Spec, read};
use crate::problem::{Place, Problem, Result, escaped};
use crate::state::{Arg, ArgValue, Segment, Text};
use serde_json::Value;
use std::borrow::Cow;
use std::collections::BTreeMap;

/// Declared fields by name: `memory`, `labels.team`, `env.LOG`.
pub(crate) type Fields = BTreeMap<String, Field>;

/// One declared field.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Field {
    /// Its canonical form.
    pub(crate) canonical: Canonical,
    /// The line that declares it.
    pub(crate) place: Place,
    /// The lines behind it, pillar values first.
    pub(crate) sources: Vec<Place>,
}

/// Canonical form of a field.
#[derive(Clone, Debug, PartialEq)]
pub(crate) enum Canonical {
    /// Of an option.
    Option(Value),
    /// Of an environment variable.
    Env(Text),
    /// Of a file of secrets.
    Secret(SecretFile),
    /// Of a file.
    File(ContainerFile),
}

/// Whether a key of a declaration is an option of containers.
pub(crate) fn is_option(key: &str) -> bool {
    option::find(key).is_some()
        || [SECRETS, FILES].contains(&key)
        || ENV.contains(&key)
        || GROUPS.iter().any(|(name, _)| *name == key)
}

/// Every key that is an option of containers.
pub(crate) fn option_names() -> impl Iterator<Item = &'static str> {
    option::names().chain([SECRETS, FILES])
}

/// The argument for files of secrets.
const SECRETS: &str = "secrets";

/// The argument for files.
pub(crate) const FILES: &str = "files";

/// Whether an argument may contain secrets: variables, and what is in files, which is separated from
/// their other fields when they are read.
pub(crate) fn may_hold_secrets(key: &str) -> bool {
    [SECRETS, FILES].contains(&key) || ENV.contains(&key)
}

/// Whether a key of a declaration is the environment.
pub(crate) fn is_env(key: &str) -> bool {
    ENV.contains(&key)
}

/// The name of a signal, `SIGUSR1`.
pub(crate) fn signal(option: &str, arg: &Arg) -> Result<String> {
    let read = option::find("stop_signal").map(|option| option.read);
    let value = read.map_or(Ok(Value::Null), |read| read(option, arg))?;
    Ok(value.as_str().unwrap_or_default().to_owned())
}

/// Reads those arguments that are options; errors go to `problems`.
pub(crate) fn read_fields<'a>(
    args: impl IntoIterator<Item = (&'a str, &'a Arg)>,
    problems: &mut Vec<Problem>,
) -> Fields {
    let mut reader = FieldReader { fields: Fields::new(), problems };
    for (key, arg) in args.into_iter().filter(|(_, arg)| arg.value != ArgValue::Unset) {
        if ENV.contains(&key) {
            reader.environment(key, arg);
        } else if key == SECRETS {
            reader.secrets(arg);
        } else if key == FILES {
            reader.files(arg);
        } else if let Some((_, parts)) = GROUPS.iter().find(|(name, _)| *name == key) {
            reader.group(key, parts, arg);
        } else if let Some(option) = option::find(key) {
            for (option, arg) in parted(option, arg) {
                reader.option(option, key, &arg);
            }
        }
    }
    reader.fields
}

/// Compose writes mounts among the volumes, as tables.
fn parted<'a>(
    option: &'static option::ContainerOption,
    arg: &'a Arg,
) -> Vec<(&'static option::ContainerOption, Cow<'a, Arg>)> {
    let is_table = |arg: &Arg| matches!(arg.value, ArgValue::Table(_));
    let (ArgValue::Array(items), "volumes", Some(mounts)) = (&arg.value, option.name, option::find("mounts"))
    else {
        return vec![(option, Cow::Borrowed(arg))];
    };
    let (tables, texts): (Vec<Arg>, Vec<Arg>) = items.iter().cloned().partition(is_table);
    if tables.is_empty() {
        return vec![(option, Cow::Borrowed(arg))];
    }
    let of = |items| Cow::Owned(Arg { value: ArgValue::Array(items), ..arg.clone() });
    vec![(option, of(texts)), (mounts, of(tables))]
}

struct FieldReader<'p> {
    fields: Fields,
    problems: &'p mut Vec<Problem>,
}

impl FieldReader<'_> {
    fn option(&mut self, option: &option::ContainerOption, written: &str, arg: &Arg) {
        match (option.read)(written, arg) {
            Ok(Value::Null) => {}
            Ok(Value::Object(parts)) if option.kind == Kind::FixedParts => {
                for (part, value) in parts {
                    let below = match &arg.value {
                        ArgValue::Table(table) => table.get(&part).unwrap_or(arg),
                        _ => arg,
                    };
                    self.put(format!("{}.{part}", option.name), Canonical::Option(value), below);
                }
            }
            Ok(value) => self.put(option.name.to_owned(), Canonical::Option(value), arg),
            Err(found) => self.problems.extend(found.into_vec()),
        }
    }

    fn group(&mut self, written: &str, parts: &[(&'static str, &str)], arg: &Arg) {
        let known: Vec<&'static str> = parts.iter().map(|(name, _)| *name).collect();
        match read::fields(written, arg, &known) {
            Ok(fields) => {
                for (name, arg) in fields {
                    let target = parts.iter().find(|(part, _)| *part == name);
                    if let Some(option) = target.and_then(|(_, target)| option::find(target)) {
                        self.option(option, &format!("{written}.{name}"), arg);
                    }
                }
            }
            Err(found) => self.problems.extend(found.into_vec()),
        }
    }

    fn environment(&mut self, written: &str, arg: &Arg) {
        match &arg.value {
            ArgValue::Table(table) => {
                for (name, arg) in table.iter().filter(|(_, arg)| arg.value != ArgValue::Unset) {
                    match value_text(&format!("{written}.{name}"), arg) {
                        Ok(text) => self.variable(written, name, text, arg),
                        Err(problem) => self.problems.push(problem),
                    }
                }
            }
            ArgValue::Array(items) => {
                for item in items.iter().filter(|item| item.value != ArgValue::Unset) {
                    match &item.value {
                        // Salt's list of tables.
                        ArgValue::Table(_) => self.environment(written, item),
                        _ => self.line(written, item),
                    }
                }
            }
            _ => self.problems.push(read::wrong(
                written,
                arg,
                "must be a table of variables, or a list of \"NAME=value\"",
            )),
        }
    }

    fn secrets(&mut self, arg: &Arg) {
        let ArgValue::Table(table) = &arg.value else {
            let problem = read::wrong(SECRETS, arg, "must be a table of files");
            return self.problems.push(problem.hint("write secrets.NAME = \"{{ pillar.x }}\""));
        };
        for (name, arg) in table.iter().filter(|(_, arg)| arg.value != ArgValue::Unset) {
            if let Some(why) = SecretFile::wrong_name(name) {
                let what = format!("the file name `{}` of `secrets` {why}", escaped(name));
                self.problems.push(Problem::failed(what).at(&arg.place));
                continue;
            }
            let field = format!("{SECRETS}.{name}");
            match SecretFile::read(&field, arg, value_text) {
                Ok(file) => self.put(field, Canonical::Secret(file), arg),
                Err(found) => self.problems.extend(found.into_vec()),
            }
        }
    }

    fn files(&mut self, arg: &Arg) {
        let ArgValue::Table(table) = &arg.value else {
            let problem = read::wrong(FILES, arg, "must be a table of files");
            let hint = "write files.\"/etc/app.conf\" = { source = \"files/app.conf\" }";
            return self.problems.push(problem.hint(hint));
        };
        for (path, arg) in table.iter().filter(|(_, arg)| arg.value != ArgValue::Unset) {
            if let Some(wrong) = ContainerFile::wrong_path(path) {
                let what = format!("the path `{}` of `files` {}", escaped(path), wrong.why);
                let problem = Problem::failed(what).at(&arg.place);
                self.problems.push(match wrong.hint {
                    Some(hint) => problem.hint(hint),
                    None => problem,
                });
                continue;
            }
            let field = field_of(path);
            match ContainerFile::read(&field, arg, value_text) {
                Ok(file) => self.put(field, Canonical::File(file), arg),
                Err(found) => self.problems.extend(found.into_vec()),
            }
        }
    }

    /// `NAME=value`; the name must be clear, the value may hold secrets.
    fn line(&mut self, written: &str, arg: &Arg) {
        let text = match value_text(written, arg) {
            Ok(text) => text,
            Err(problem) => return self.problems.push(problem),
        };
        let mut segments = text.segments().iter().cloned();
        let first = match segments.next() {
            Some(Segment::Clear(first)) => first,
            _ => String::new(),
        };
        match first.split_once('=') {
            Some((name, rest)) => {
                let rest = std::iter::once(Segment::Clear(rest.to_owned())).chain(segments);
                self.variable(written, name, Text::from_segments(rest), arg);
            }
            None => {
                let why = "has an entry that is not \"NAME=value\" with a name in clear";
                self.problems.push(read::wrong(written, arg, why));
            }
        }
    }

    fn variable(&mut self, written: &str, name: &str, text: Text, arg: &Arg) {
        if name.is_empty() || name.contains(['=', '\0']) {
            let why = format!("has `{}`, which is not a variable name", escaped(name));
            return self.problems.push(read::wrong(written, arg, &why));
        }
        self.put(format!("env.{name}"), Canonical::Env(text), arg);
    }

    fn put(&mut self, name: String, canonical: Canonical, arg: &Arg) {
        let field = Field { canonical, place: arg.place.clone(), sources: arg.sources() };
        if let Some(before) = self.fields.get(&name) {
            if before.canonical != field.canonical {
                self.problems.push(contradiction(&name, before, &field));
            }
            return;
        }
        self.fields.insert(name, field);
    }
}

/// Text of a variable: secrets may be in it.
fn value_text(option: &str, arg: &Arg) -> Result<Text, Problem> {
    let text = match &arg.value {
        ArgValue::Text(text) => text.clone(),
        ArgValue::Integer(number) => Text::clear(number.to_string()),
        ArgValue::Float(number) => return Err(read::unquoted(option, arg, number)),
        ArgValue::Boolean(truth) => Text::clear(truth.to_string()),
        other => {
            let why = format!("must be a string, not a value of type {}", other.kind());
            return Err(read::wrong(option, arg, &why).hint("write `| tojson` or `| join(\",\")`"));
        }
    };
    let nul =
        text.segments().iter().any(|part| matches!(part, Segment::Clear(clear) if clear.contains('\0')));
    if nul { Err(read::wrong(option, arg, "holds a NUL character")) } else { Ok(text) }
}

/// Two declarations contradict each other.
pub(crate) fn contradiction(name: &str, one: &Field, other: &Field) -> Problem {
    let (first, second) = if one.place <= other.place { (one, other) } else { (other, one) };
    Problem::failed(format!("`{}` is declared twice with different values", escaped(name)))
        .at(&second.place)
        .cause(format!("the other one is in {}", first.place))
        .hint("keep one of them: declarations of one container are merged")
}

/// The fixed field for the hardware address in a network.
pub(crate) fn mac_field(network: &str) -> String {
    format!("networks.{network}.mac_address")
}

/// The spec of declared fields.
pub(crate) fn spec(fields: &Fields) -> Spec {
    let mut spec = Spec::default();
    for (name, field) in fields {
        match &field.canonical {
            Canonical::Env(text) => {
                let name = name.strip_prefix("env.").unwrap_or(name);
                spec.env.insert(name.to_owned(), text.clone());
            }
            Canonical::File(file) => {
                let path = name.strip_prefix("files.").unwrap_or(name);
                spec.files.insert(path.to_owned(), file.clone());
            }
            Canonical::Secret(file) => {
                let name = name.strip_prefix("secrets.").unwrap_or(name);
                spec.secrets.insert(name.to_owned(), file.clone());
            }
            Canonical::Option(value) => {
                let kind = OPTIONS.iter().find(|option| option.name == name).map(|option| option.kind);
                match kind {
                    Some(Kind::Limit) => {
                        spec.fixed.insert(format!("{LIMITS}{name}"), Value::Bool(true));
                        if name == "networks" {
                            // Read only at creation.
                            let macs =
                                option::macs(value).map(|(network, mac)| (mac_field(network), mac.into()));
                            spec.fixed.extend(macs);
                        }
                        spec.live.insert(name.clone(), value.clone());
                    }
                    Some(Kind::Live) => drop(spec.live.insert(name.clone(), value.clone())),
                    Some(Kind::Aside) => drop(spec.aside.insert(name.clone(), value.clone())),
                    // Parts of an option have names of their own.
                    Some(Kind::Fixed | Kind::FixedParts) | None => {
                        spec.fixed.insert(name.clone(), value.clone());
                    }
                }
            }
        }
    }
    spec
}
