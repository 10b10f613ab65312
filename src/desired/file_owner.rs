//! Owner, group and mode of a file that is put into a container.

use super::read;
use crate::problem::{Problem, Result, quoted};
use crate::state::{Arg, ArgValue};
use std::collections::BTreeMap;

/// What owner, group and mode are read into.
pub(super) struct FileOwner<'f> {
    pub(super) uid: &'f mut u32,
    pub(super) gid: &'f mut u32,
    pub(super) mode: &'f mut u32,
}

impl FileOwner<'_> {
    /// Reads those of `uid`, `gid` and `mode` that are among the fields of an option; `take` hears how each went.
    pub(super) fn read(self, option: &str, fields: &BTreeMap<&str, &Arg>, mut take: impl FnMut(Result<()>)) {
        for (name, to) in [("uid", self.uid), ("gid", self.gid)] {
            if let Some(arg) = fields.get(name) {
                let read = read::integer(&format!("{option}.{name}"), arg, 0, i64::from(i32::MAX));
                let read = read.map_err(|found| found.map(|problem| by_number(problem, name, arg)));
                take(read.map(|number| *to = u32::try_from(number).unwrap_or_default()));
            }
        }
        if let Some(arg) = fields.get("mode") {
            take(mode(&format!("{option}.mode"), arg).map(|mode| *self.mode = mode));
        }
    }
}

/// A user or a group is given by its number: names belong to the image, and files are written before it runs.
fn by_number(problem: Problem, field: &str, arg: &Arg) -> Problem {
    let name = match &arg.value {
        ArgValue::Text(text) => text.as_clear().filter(|text| text.parse::<i64>().is_err()),
        _ => None,
    };
    let Some(name) = name else { return problem };
    let flag = if field == "uid" { "u" } else { "g" };
    problem
        .cause("names of users belong to the image, and the file is written before its container runs")
        .hint(format!("find the number: docker run --rm --entrypoint id IMAGE -{flag} {}", quoted(name)))
}

/// Permission bits in octal digits; a number would be read as decimal by one and octal by the other.
fn mode(option: &str, arg: &Arg) -> Result<u32> {
    let digits = match &arg.value {
        ArgValue::Text(text) => text.as_clear(),
        _ => None,
    };
    let mode = digits.and_then(|digits| u32::from_str_radix(digits, 8).ok());
    let fits = mode.filter(|mode| *mode <= 0o777);
    fits.ok_or_else(|| {
        read::wrong(option, arg, "must be permission bits from \"0000\" to \"0777\", in quotes").into()
    })
}
