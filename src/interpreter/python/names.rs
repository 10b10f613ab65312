//! Names that no program knows, found all at once.

use crate::interpreter::fault;
use crate::problem::{escaped, nearest};
use crate::script::Fault;
use starlark::environment::Globals;
use starlark::syntax::AstModule;
use starlark::syntax::ast::{
    AssignTargetP, AstAssignTarget, AstExpr, AstNoPayload, AstParameter, AstStmt, ClauseP, ExprP, ForClauseP,
    StmtP,
};
use std::collections::BTreeSet;

/// Names of Python and of Salt, and what to write instead.
const NAMES: [(&[&str], &str); 26] = [
    (
        &["isinstance", "issubclass"],
        "write type(x) == \"string\"; the others are \"int\", \"float\", \"bool\", \"list\", \"dict\", \"tuple\" and \"NoneType\"",
    ),
    (&["sum"], "write total = 0, then for x in l: total += x"),
    (&["pow"], "write x * x, or a loop"),
    (&["round"], "write int(x + 0.5)"),
    (&["divmod"], "write (a // b, a % b)"),
    (&["unicode", "basestring"], "write str(x); every text is Unicode"),
    (&["long"], "write int(x)"),
    (&["xrange"], "write range(n)"),
    (
        &["raw_input", "input", "open", "file"],
        "there are no files to open and no questions to ask: values come from the pillar",
    ),
    (
        &["eval", "exec", "execfile", "compile", "__import__", "globals", "locals", "vars"],
        "there is no code from texts: call the function, or keep functions in a dict",
    ),
    (&["frozenset"], "write set(l)"),
    (&["hex", "oct", "bin"], "write \"%x\" % n and \"%o\" % n"),
    (&["reduce"], "write a loop: for x in l: total += x"),
    (&["callable"], "write type(f) == \"function\""),
    (&["iter", "next"], "write l[0], or a loop"),
    (&["cmp"], "write sorted(l, key = lambda x: -x)"),
    (
        &["object", "super", "self", "property", "staticmethod", "classmethod"],
        "there are no classes: a dict holds data, and a function makes it",
    ),
    (
        &[
            "Exception",
            "ValueError",
            "KeyError",
            "TypeError",
            "RuntimeError",
            "AttributeError",
            "NotImplementedError",
            "NotImplemented",
            "SaltRenderError",
            "CommandExecutionError",
        ],
        "fail(\"why\") stops with an error",
    ),
    (
        &[
            "os",
            "sys",
            "re",
            "subprocess",
            "random",
            "time",
            "datetime",
            "socket",
            "logging",
            "yaml",
            "requests",
            "copy",
            "collections",
            "itertools",
            "functools",
        ],
        "there are no modules; a text has methods (startswith, split, replace, find), dict(d) and list(l) copy, print(x) writes a note",
    ),
    (&["json"], "write tojson(x)"),
    (&["log", "logger"], "print(x) writes a note beside the plan"),
    (
        &["__opts__", "opts", "__context__", "__salt_system_encoding__", "__proxy__"],
        "the configuration of a minion does not exist here: host[\"name\"] is its name, and what else it needs is a value of the pillar",
    ),
    (
        &[
            "__env__", "saltenv", "env", "__sls__", "sls", "slspath", "tpldir", "tplfile", "__name__",
            "__file__",
        ],
        "a program does not know its file: write the name as a text",
    ),
    (&["salt"], "write __salt__[\"pillar.get\"](\"a:b\", default), or pillar.get(\"a:b\", default)"),
    (&["true", "false", "null", "none", "nil"], "write True, False and None"),
    (
        &["config"],
        "statements that are printed alone belong in `def run():`, between `config = {}` and `return config`",
    ),
];

/// What to write instead of a name of Python or of Salt.
pub(super) fn instead_of(name: &str) -> Option<&'static str> {
    NAMES.iter().find(|(names, _)| names.contains(&name)).map(|(_, hint)| *hint)
}

/// All names that do not exist, where the interpreter refused the first of them.
pub(in crate::interpreter) fn refused_names(
    error: &starlark::Error,
    ast: &AstModule,
    globals: &Globals,
) -> Option<Vec<Fault>> {
    refused_name(&error.without_diagnostic().to_string())?;
    let known: Vec<_> = globals.names().collect();
    let known: Vec<&str> = known.iter().map(|name| name.as_str()).collect();
    Some(unknown_names(ast, Some(&known))).filter(|faults| !faults.is_empty())
}

/// The name in what the interpreter says of one that does not exist.
pub(super) fn refused_name(said: &str) -> Option<&str> {
    Some(said.strip_prefix("Variable `")?.split_once("` not found")?.0)
}

/// The names of a program that are neither defined in it nor in `known`; without those, the ones of Python and
/// Salt alone.
pub(super) fn unknown_names(ast: &AstModule, known: Option<&[&str]>) -> Vec<Fault> {
    let mut names = Names::default();
    names.statement(ast.statement());
    // This reaches the expressions of all statements.
    ast.statement().visit_expr(|expr| names.expression(expr));
    let mut said = BTreeSet::new();
    let mut faults = Vec::new();
    for (name, span) in &names.read {
        let of_python = instead_of(name);
        let lacks = match known {
            Some(known) => !known.contains(&name.as_str()) && !name.starts_with("operator "),
            None => of_python.is_some(),
        };
        if !lacks || names.defined.contains(name) || !said.insert(name.clone()) {
            continue;
        }
        let mut fault = fault::at(format!("there is no `{}`", escaped(name)), Some(&ast.file_span(*span)));
        let near = || {
            let all = names.defined.iter().map(String::as_str).chain(known.into_iter().flatten().copied());
            let all = all.filter(|other| !other.starts_with("operator "));
            nearest(name, all).map(|near| format!("did you mean `{}`?", escaped(near)))
        };
        fault.hints.extend(of_python.map(str::to_owned).or_else(near));
        faults.push(fault);
    }
    faults
}

/// The names of a program, wherever they are.
#[derive(Default)]
struct Names {
    defined: BTreeSet<String>,
    read: Vec<(String, starlark::codemap::Span)>,
}

impl Names {
    fn statement(&mut self, statement: &AstStmt) {
        match &statement.node {
            StmtP::<AstNoPayload>::Def(def) => {
                self.defined.insert(def.name.node.ident.clone());
                self.parameters(&def.params);
            }
            StmtP::Assign(assign) => self.target(&assign.lhs),
            StmtP::AssignModify(target, ..) => self.target(target),
            StmtP::For(each) => self.target(&each.var),
            StmtP::Load(load) => {
                self.defined.extend(load.args.iter().map(|arg| arg.local.node.ident.clone()));
            }
            _ => {}
        }
        statement.visit_stmt(|inner| self.statement(inner));
    }

    fn parameters(&mut self, parameters: &[AstParameter]) {
        self.defined.extend(parameters.iter().filter_map(|one| Some(one.node.ident()?.node.ident.clone())));
    }

    fn target(&mut self, target: &AstAssignTarget) {
        match &target.node {
            AssignTargetP::Tuple(targets) => targets.iter().for_each(|target| self.target(target)),
            AssignTargetP::Identifier(name) => {
                self.defined.insert(name.node.ident.clone());
            }
            AssignTargetP::Index(_) | AssignTargetP::Dot(..) => {}
        }
    }

    fn clauses(&mut self, first: &ForClauseP<AstNoPayload>, more: &[ClauseP<AstNoPayload>]) {
        self.target(&first.var);
        for clause in more {
            if let ClauseP::For(clause) = clause {
                self.target(&clause.var);
            }
        }
    }

    fn expression(&mut self, expr: &AstExpr) {
        match &expr.node {
            ExprP::Identifier(name) => self.read.push((name.node.ident.clone(), name.span)),
            ExprP::Lambda(lambda) => self.parameters(&lambda.params),
            ExprP::ListComprehension(_, first, more) | ExprP::DictComprehension(_, first, more) => {
                self.clauses(first, more);
            }
            _ => {}
        }
        expr.node.visit_expr(|inner| self.expression(inner));
    }
}
