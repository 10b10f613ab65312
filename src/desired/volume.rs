//! A desired volume: its options in canonical form, in the form of the Engine, and compared with an existing
//! one. If the name of a create is taken, an Engine answers with the existing volume, even if its
//! options differ, so they must be compared.

use super::fields::{Canonical, Field, Fields};
use super::resource::{ResourceWish, part, part_differs};
use super::{compare, option, read};
use crate::inspect::Inspect;
use crate::problem::{Problem, Result};
use crate::state::Arg;
use serde_json::{Value, json};

/// Arguments of `volume.present`.
pub(crate) const ARGUMENTS: [&str; 4] = ["driver", "driver_opts", "labels", "options"];

/// The fields that arguments declare.
pub(crate) fn fields<'a>(
    args: impl IntoIterator<Item = (&'a str, &'a Arg)>,
    problems: &mut Vec<Problem>,
) -> Fields {
    let mut fields = Fields::new();
    for (name, arg) in args {
        let read = match name {
            "driver" => read::word(name, arg).map(|word| vec![("driver".to_owned(), json!(word))]),
            "driver_opts" | "options" => table("driver_opts", name, arg),
            "labels" => labels(arg),
            _ => continue,
        };
        put(&mut fields, read, arg, problems);
    }
    fields
}

/// A field for each entry of a table of texts.
pub(super) fn table(field: &str, written: &str, arg: &Arg) -> Result<Vec<(String, Value)>> {
    let pairs = read::pairs(written, arg, '=')?;
    Ok(pairs.into_iter().map(|(key, value)| (format!("{field}.{key}"), json!(value))).collect())
}

/// Labels, each a field; those under pillarbox's own prefix are refused.
pub(super) fn labels(arg: &Arg) -> Result<Vec<(String, Value)>> {
    let read = option::find("labels").map(|option| option.read);
    let labels = read.map_or(Ok(Value::Null), |read| read("labels", arg))?;
    let labels = labels.as_object().into_iter().flatten();
    Ok(labels.map(|(key, value)| (format!("labels.{key}"), value.clone())).collect())
}

/// Puts what was read among the fields.
pub(super) fn put(
    fields: &mut Fields,
    read: Result<Vec<(String, Value)>>,
    arg: &Arg,
    problems: &mut Vec<Problem>,
) {
    match read {
        Ok(found) => fields.extend(found.into_iter().map(|(name, value)| {
            let canonical = Canonical::Option(value);
            (name, Field { canonical, place: arg.place.clone(), sources: arg.sources() })
        })),
        Err(found) => problems.extend(found.into_vec()),
    }
}

impl ResourceWish {
    /// The body of `POST /volumes/create`, without labels of pillarbox.
    pub fn volume_body(&self) -> Value {
        let mut body = json!({ "Name": self.name, "Labels": self.parts("labels") });
        if let Some(driver) = self.spec.fixed.get("driver") {
            body["Driver"] = driver.clone();
        }
        let options = self.parts("driver_opts");
        if !options.is_empty() {
            body["DriverOpts"] = json!(options);
        }
        body
    }

    /// The declared fields in which a volume differs.
    pub fn volume_differences(&self, volume: &Inspect) -> Vec<String> {
        self.differences(volume, |field, wanted, volume| {
            if let Some(key) = part(field, "driver_opts") {
                return part_differs(key, wanted, volume.compare("/Options"));
            }
            if let Some(key) = part(field, "labels") {
                return part_differs(key, wanted, volume.compare("/Labels"));
            }
            !compare::same(wanted, volume.compare("/Driver"))
        })
    }
}
