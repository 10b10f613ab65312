//! The files of `states/` as programs: read once, with their `load` resolved.

use super::fault;
use super::functions::replaced;
use super::lines::WrittenEntries;
use super::python;
use crate::problem::{escaped, nearest};
use crate::script::Fault;
use starlark::syntax::{AstModule, Dialect, DialectTypes};
use std::collections::BTreeMap;
use std::rc::Rc;

/// Where files may be.
const FOLDER: &str = "states/";

/// A file that was read.
pub(super) struct Program {
    pub(super) ast: AstModule,
    pub(super) written: WrittenEntries,
    /// What it loads: as written, the file it means.
    pub(super) loads: Vec<(String, String)>,
}

/// All files, read as they are asked for.
pub(super) struct Files<'a> {
    texts: &'a BTreeMap<String, String>,
    read: BTreeMap<String, Result<Rc<Program>, Vec<Fault>>>,
}

fn dialect() -> Dialect {
    Dialect {
        enable_keyword_only_arguments: true,
        enable_positional_only_arguments: true,
        enable_types: DialectTypes::ParseOnly,
        enable_load_reexport: false,
        enable_top_level_stmt: true,
        enable_f_strings: true,
        ..Dialect::Standard
    }
}

impl<'a> Files<'a> {
    pub(super) fn new(texts: &'a BTreeMap<String, String>) -> Self {
        Self { texts, read: BTreeMap::new() }
    }

    /// A program.
    pub(super) fn program(&mut self, file: &str) -> Result<Rc<Program>, Vec<Fault>> {
        if !self.read.contains_key(file) {
            let program = self.parse(file).map(Rc::new);
            self.read.insert(file.to_owned(), program);
        }
        self.read.get(file).cloned().unwrap_or_else(|| Err(Vec::new()))
    }

    fn parse(&self, file: &str) -> Result<Program, Vec<Fault>> {
        let text =
            self.texts.get(file).ok_or_else(|| vec![fault::in_file("the file does not exist", file)])?;
        let mut ast = python::parse(file, text, &dialect())?;
        let (mut loads, mut wrong) = (Vec::new(), Vec::new());
        for load in ast.loads() {
            match self.resolve(file, load.module_id) {
                Ok(target) => loads.push((load.module_id.to_owned(), target)),
                Err((what, hint)) => {
                    let mut fault = fault::at(what, Some(&load.span));
                    fault.hints.extend(hint);
                    wrong.push(fault);
                }
            }
        }
        if !wrong.is_empty() {
            return Err(wrong);
        }
        let written = WrittenEntries::of(file, &ast);
        ast.replace_binary_operators(&replaced());
        Ok(Program { ast, written, loads })
    }

    /// The file that a `load` in another means.
    fn resolve(&self, from: &str, name: &str) -> Result<String, (String, Option<String>)> {
        let refused = |why: &str| {
            let hint =
                "load(\"//lib/web.star\", \"web\") is states/lib/web.star; without // it is beside this file";
            (format!("`{}` cannot be loaded: {why}", escaped(name)), Some(hint.to_owned()))
        };
        let (base, path) = match name.strip_prefix("//") {
            Some(path) => (FOLDER.to_owned(), path),
            None => (from.rsplit_once('/').map_or(String::new(), |(folder, _)| format!("{folder}/")), name),
        };
        if path.split('/').any(|part| part.is_empty() || part == "." || part == "..") {
            return Err(refused("it leads out of states/"));
        }
        if !path.ends_with(".star") {
            return Err(refused("it is not a .star file"));
        }
        let target = format!("{base}{path}");
        if self.texts.contains_key(&target) {
            return Ok(target);
        }
        let near = nearest(&target, self.texts.keys().map(String::as_str));
        let hint =
            near.and_then(|near| near.strip_prefix(FOLDER)).map(|near| format!("did you mean `//{near}`?"));
        Err((format!("there is no {}", escaped(&target)), hint))
    }
}
