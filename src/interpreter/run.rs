//! Running the files of all hosts.

use super::convert::Converter;
use super::files::{Files, Program};
use super::lines;
use super::log::Log;
use super::{fault, functions, python};
use crate::problem::escaped;
use crate::script::{CALLS, HEAP, TICKS};
use crate::script::{Fault, Host, Line, Outcome, Ran, Request, Value as Out};
use starlark::PrintHandler;
use starlark::codemap::FileSpanRef;
use starlark::environment::{FrozenModule, Globals, Module};
use starlark::eval::{BeforeStmtFunc, BeforeStmtFuncDyn, Evaluator, ReturnFileLoader};
use std::cell::RefCell;
use std::collections::{BTreeMap, HashMap};
use std::rc::Rc;

/// Files that load each other in a row.
const LONGEST_ROW: usize = 50;

/// Lines that a file may print, and characters of one.
const PRINTED: usize = 50;
const WIDEST: usize = 400;

/// Printed lines that are shown beside what is wrong.
const LAST_PRINTED: usize = 5;

/// Runs a whole request; each line of the answer is passed to `say` as soon as it is known.
///
/// # Errors
/// Those of `say`.
pub(crate) fn run<E>(request: &Request, say: &mut dyn FnMut(&Line) -> Result<(), E>) -> Result<(), E> {
    let mut files = Files::new(&request.files);
    for (index, host) in request.hosts.iter().enumerate() {
        for file in &host.runs {
            say(&Line::Begin { host: index, file: file.clone() })?;
            let outcome = FileRun::new(host, &mut files).outcome(file);
            say(&Line::End(outcome))?;
        }
    }
    say(&Line::Done)
}

/// One file of one host.
struct FileRun<'a, 'f> {
    files: &'a mut Files<'f>,
    globals: Globals,
    log: Log,
    printed: Printed,
    loaded: BTreeMap<String, FrozenModule>,
    programs: Vec<Rc<Program>>,
}

/// Why there is no result.
type Failed = Vec<Fault>;

impl<'a, 'f> FileRun<'a, 'f> {
    fn new(host: &Host, files: &'a mut Files<'f>) -> Self {
        let log = Log::default();
        let globals = functions::globals(host, &log);
        let printed = Printed { log: log.clone(), lines: RefCell::default() };
        Self { files, globals, log, printed, loaded: BTreeMap::new(), programs: Vec::new() }
    }

    fn outcome(mut self, file: &str) -> Outcome {
        let result = self.states(file);
        if self.log.entries().needs_facts {
            return Outcome::NeedsFacts;
        }
        match result {
            Ok((states, secrets)) => {
                let mut notes = self.printed.lines.take();
                notes.extend(self.unused(&secrets));
                let read = std::mem::take(&mut self.log.entries().read);
                Outcome::Ran(Ran { states, read, notes })
            }
            Err(mut faults) => {
                let printed = self.printed.lines.take();
                if let Some(first) = faults.first_mut() {
                    let last = &printed[printed.len().saturating_sub(LAST_PRINTED)..];
                    first.causes.extend(last.iter().map(|line| format!("it had printed {line}")));
                }
                Outcome::Failed(faults)
            }
        }
    }

    /// Secrets that were read by name and are in no state: most often a comparison was meant.
    fn unused(&self, used: &[usize]) -> Vec<String> {
        let entries = self.log.entries();
        let unused = entries.secrets.iter().filter(|(number, ..)| !used.contains(number));
        unused
            .map(|(_, called, at)| {
                let place = at.as_ref().map_or(String::new(), |span| {
                    let (file, line) = fault::place(span);
                    format!("{}:{line}: ", escaped(&file))
                });
                format!("{place}the secret `{}` was read and is used in no state", escaped(called))
            })
            .collect()
    }

    fn states(&mut self, file: &str) -> Result<(Out, Vec<usize>), Failed> {
        let program = self.files.program(file)?;
        let modules = self.modules(&program, &mut vec![file.to_owned()])?;
        let (part, secrets) = self.evaluate(&program, &modules, |module, eval, log| {
            let Some(run) = module.get("run") else {
                let mut fault = fault::in_file("the file has no function `run`", file);
                fault.hints.push("it begins with `def run():` and ends with `return config`".to_owned());
                return Err(vec![fault]);
            };
            let result = eval.eval_function(run, &[], &[]).map_err(|error| failed(&error, log))?;
            let mut converter = Converter::default();
            let part = converter.part(result).map_err(|why| {
                let mut fault = fault::in_file("what `run` returns is not data", file);
                fault.causes.push(escaped(&why));
                vec![fault]
            })?;
            Ok((part, converter.secrets))
        })?;
        let mut states = Out { at: None, part };
        let others: Vec<&lines::WrittenEntries> =
            self.programs.iter().map(|program| &program.written).collect();
        lines::place(&mut states, &program.written, &others);
        Ok((states, secrets))
    }

    /// What a program loads, run; `row` are the files that load each other down to it.
    fn modules(
        &mut self,
        program: &Program,
        row: &mut Vec<String>,
    ) -> Result<HashMap<String, FrozenModule>, Failed> {
        let (mut all, mut wrong) = (HashMap::new(), Vec::new());
        for (name, file) in &program.loads {
            match self.module(file, row) {
                Ok(module) => {
                    all.insert(name.clone(), module);
                }
                Err(found) => wrong.extend(found),
            }
        }
        if wrong.is_empty() { Ok(all) } else { Err(wrong) }
    }

    fn module(&mut self, file: &str, row: &mut Vec<String>) -> Result<FrozenModule, Failed> {
        if let Some(module) = self.loaded.get(file) {
            return Ok(module.clone());
        }
        if let Some(start) = row.iter().position(|above| above == file) {
            let circle: Vec<&str> = row[start..].iter().map(String::as_str).chain([file]).collect();
            let what = format!("load cycle: {}", escaped(&circle.join(" → ")));
            return Err(vec![fault::in_file(what, file)]);
        }
        if row.len() >= LONGEST_ROW {
            return Err(vec![fault::in_file(format!("{LONGEST_ROW} files load each other in a row"), file)]);
        }
        let program = self.files.program(file)?;
        row.push(file.to_owned());
        let modules = self.modules(&program, row);
        row.pop();
        let frozen = self.freeze(&program, &modules?, file)?;
        self.programs.push(program);
        self.loaded.insert(file.to_owned(), frozen.clone());
        Ok(frozen)
    }

    fn freeze(
        &self,
        program: &Program,
        modules: &HashMap<String, FrozenModule>,
        file: &str,
    ) -> Result<FrozenModule, Failed> {
        Module::with_temp_heap(|module| {
            self.within(&module, program, modules, |_, _, _| Ok(()))?;
            module.freeze().map_err(|error| {
                let mut fault = fault::in_file("the file cannot be loaded", file);
                fault.causes.push(escaped(&starlark::Error::from(error).to_string()));
                vec![fault]
            })
        })
    }

    fn evaluate<T>(
        &self,
        program: &Program,
        modules: &HashMap<String, FrozenModule>,
        then: impl for<'v> FnOnce(&Module<'v>, &mut Evaluator<'v, '_, '_>, &Log) -> Result<T, Failed>,
    ) -> Result<T, Failed> {
        Module::with_temp_heap(|module| self.within(&module, program, modules, then))
    }

    fn within<'v, T>(
        &self,
        module: &Module<'v>,
        program: &Program,
        modules: &HashMap<String, FrozenModule>,
        then: impl FnOnce(&Module<'v>, &mut Evaluator<'v, '_, '_>, &Log) -> Result<T, Failed>,
    ) -> Result<T, Failed> {
        let modules: HashMap<&str, &FrozenModule> =
            modules.iter().map(|(name, module)| (name.as_str(), module)).collect();
        let loader = ReturnFileLoader { modules: &modules };
        let mut eval = Evaluator::new(module);
        eval.set_loader(&loader);
        eval.set_print_handler(&self.printed);
        eval.before_stmt_for_dap(BeforeStmtFunc::from_dyn(Box::new(PeekGuard(self.log.clone()))));
        let limits = [
            eval.set_max_tick_count(TICKS),
            eval.set_max_heap_size(HEAP),
            eval.set_max_callstack_size(CALLS),
        ];
        if let Some(error) = limits.into_iter().find_map(Result::err) {
            return Err(vec![fault::at(escaped(&error.to_string()), None)]);
        }
        let loaded = eval.eval_module(program.ast.clone(), &self.globals);
        let result = match loaded {
            Ok(_) => then(module, &mut eval, &self.log),
            Err(error) => {
                let all = python::refused_names(&error, &program.ast, &self.globals);
                Err(all.unwrap_or_else(|| failed(&error, &self.log)))
            }
        };
        // Also where the program went on: what it computed then is not what it says.
        match fault::peeked(&self.log, None) {
            Some(fault) if result.is_ok() => Err(vec![fault]),
            _ => result,
        }
    }
}

fn failed(error: &starlark::Error, log: &Log) -> Failed {
    let peeked = fault::peeked(log, Some(error));
    vec![peeked.unwrap_or_else(|| fault::of(error, log))]
}

/// Knows which statement runs, and stops at the next one after a secret was looked into.
struct PeekGuard(Log);

impl<'e> BeforeStmtFuncDyn<'e> for PeekGuard {
    fn call<'v>(
        &mut self,
        span: FileSpanRef,
        _continued: bool,
        _eval: &mut Evaluator<'v, '_, 'e>,
    ) -> starlark::Result<()> {
        let entries = &mut *self.0.entries();
        if let Some(called) = &entries.peeked {
            return Err(super::encoders::wrong(format!("this looks into the secret `{called}`")));
        }
        match &mut entries.now {
            // Each statement comes through here: only what has changed is changed.
            Some(now) if now.file.id() == span.file.id() => now.span = span.span,
            now => *now = Some(span.to_file_span()),
        }
        Ok(())
    }
}

/// What was printed, in bounds.
struct Printed {
    log: Log,
    lines: RefCell<Vec<String>>,
}

impl PrintHandler for Printed {
    fn println(&self, text: &str) -> starlark::Result<()> {
        let entries = self.log.entries();
        if let Some(called) = &entries.peeked {
            return Err(super::encoders::wrong(format!("this looks into the secret `{called}`")));
        }
        let mut lines = self.lines.borrow_mut();
        let place = entries.now.as_ref().map_or(String::new(), |span| {
            let (file, line) = fault::place(span);
            format!("{}:{line}: ", escaped(&file))
        });
        match lines.len() {
            PRINTED => lines.push(format!("{place}more was printed, and left out")),
            count if count > PRINTED => {}
            _ => {
                let cut: String = text.chars().take(WIDEST).collect();
                let more = if cut.len() < text.len() { "…" } else { "" };
                lines.push(format!("{place}{}{more}", escaped(&cut)));
            }
        }
        Ok(())
    }
}
