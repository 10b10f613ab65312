//! The places of the entries of dicts in a file, so that a state's fields have lines. The interpreter
//! knows only the lines of statements: entries are found again by their keys, and if a key is in
//! several possible places, the line of the enclosing dict is taken.

use crate::script::{Part, Piece, Value};
use starlark::codemap::Span;
use starlark::syntax::AstModule;
use starlark::syntax::ast::{
    ArgumentP, AssignTargetP, AstExpr, AstLiteral, AstNoPayload, AstStmt, ExprP, StmtP,
};
use std::collections::HashMap;
use std::sync::Arc;

/// The entries that are written in a file.
#[derive(Debug)]
pub(super) struct WrittenEntries {
    file: Arc<str>,
    /// The line of `def run`.
    run: Option<u32>,
    entries: Vec<DictEntry>,
    /// Entries by their key.
    by_key: HashMap<String, Vec<usize>>,
}

/// `key: value` in a dict, or `x[key] = value`.
#[derive(Debug)]
struct DictEntry {
    line: u32,
    /// The value as it is written, if it is a constant.
    constant: Option<Constant>,
    /// Entries of the dict that is the value.
    within: Vec<usize>,
}

#[derive(Debug, PartialEq)]
enum Constant {
    Text(String),
    /// A number, True, False or None, as written.
    Word(String),
}

impl WrittenEntries {
    /// Of a program whose operators are still its own.
    pub(super) fn of(file: &str, ast: &AstModule) -> Self {
        let mut this = Self { file: file.into(), run: None, entries: Vec::new(), by_key: HashMap::new() };
        this.statement(ast.statement(), ast);
        this
    }

    fn line(span: Span, ast: &AstModule) -> u32 {
        u32::try_from(ast.file_span(span).resolve_span().begin.line + 1).unwrap_or(u32::MAX)
    }

    fn statement(&mut self, statement: &AstStmt, ast: &AstModule) {
        match &statement.node {
            StmtP::Def(def) if def.name.node.ident == "run" => {
                self.run = Some(Self::line(def.name.span, ast));
            }
            StmtP::Assign(assign) => {
                if let AssignTargetP::Index(target) = &assign.lhs.node
                    && let Some(key) = text_of(&target.1)
                {
                    self.entry(key, assign.lhs.span, &assign.rhs, ast);
                    statement.visit_stmt(|inner| self.statement(inner, ast));
                    return;
                }
            }
            _ => {}
        }
        // Only expressions of this statement: nested statements come by themselves.
        match &statement.node {
            StmtP::Return(Some(expr)) | StmtP::Expression(expr) | StmtP::If(expr, _) => {
                self.expression(expr, ast);
            }
            StmtP::Assign(assign) => {
                self.expression(&assign.rhs, ast);
            }
            StmtP::AssignModify(_, _, expr) => {
                self.expression(expr, ast);
            }
            StmtP::For(each) => {
                self.expression(&each.over, ast);
            }
            StmtP::IfElse(expr, _) => {
                self.expression(expr, ast);
            }
            _ => {}
        }
        statement.visit_stmt(|inner| self.statement(inner, ast));
    }

    fn entry(&mut self, key: &str, span: Span, value: &AstExpr, ast: &AstModule) -> usize {
        let constant = constant_of(value, ast);
        let within = self.expression(value, ast);
        let index = self.entries.len();
        self.entries.push(DictEntry { line: Self::line(span, ast), constant, within });
        self.by_key.entry(key.to_owned()).or_default().push(index);
        index
    }

    /// Notes what is in an expression; the entries of the dict that it is itself.
    fn expression(&mut self, expr: &AstExpr, ast: &AstModule) -> Vec<usize> {
        let mut own = Vec::new();
        match &expr.node {
            ExprP::Dict(pairs) => {
                for (key, value) in pairs {
                    match text_of(key) {
                        Some(name) => own.push(self.entry(name, key.span, value, ast)),
                        None => {
                            self.expression(value, ast);
                        }
                    }
                }
            }
            // The article's way: a list of dicts with one key each.
            ExprP::List(items) => {
                for item in items {
                    own.extend(self.expression(item, ast));
                }
            }
            ExprP::Call(function, arguments) => {
                let is_dict = matches!(&function.node, ExprP::Identifier(name) if name.node.ident == "dict");
                for argument in &arguments.args {
                    match &argument.node {
                        ArgumentP::Named(name, value) if is_dict => {
                            own.push(self.entry(&name.node, name.span, value, ast));
                        }
                        other => {
                            self.expression(other.expr(), ast);
                        }
                    }
                }
            }
            _ => expr.node.visit_expr(|inner| {
                self.expression(inner, ast);
            }),
        }
        own
    }

    fn could_be(&self, index: usize, value: &Value) -> bool {
        let Some(constant) = self.entries.get(index).and_then(|entry| entry.constant.as_ref()) else {
            return true;
        };
        match &value.part {
            Part::Text(pieces) => match pieces.as_slice() {
                [] => *constant == Constant::Text(String::new()),
                [Piece::Clear(text)] => *constant == Constant::Text(text.clone()),
                _ => false,
            },
            Part::Integer(number) => *constant == Constant::Word(number.to_string()),
            Part::Boolean(truth) => {
                *constant == Constant::Word(if *truth { "True" } else { "False" }.to_owned())
            }
            Part::None => *constant == Constant::Word("None".to_owned()),
            Part::Float(_) => matches!(constant, Constant::Word(_)),
            Part::List(_) | Part::Table(_) => false,
        }
    }
}

/// Gives the states of a file their places; `others` are the files that it loads.
pub(super) fn place(states: &mut Value, main: &WrittenEntries, others: &[&WrittenEntries]) {
    let files: Vec<&WrittenEntries> = std::iter::once(main).chain(others.iter().copied()).collect();
    let run = main.run.map(|line| (main.file.to_string(), line));
    descend(states, &files, &[], run.as_ref());
}

/// Where entries of the current value may be: file and entry.
type Scope = Vec<(usize, usize)>;

fn descend(
    value: &mut Value,
    files: &[&WrittenEntries],
    scope: &[(usize, usize)],
    around: Option<&(String, u32)>,
) {
    value.at = around.cloned();
    match &mut value.part {
        Part::Table(entries) => {
            for (key, item) in entries {
                let (found, at) = find(key, item, files, scope);
                let at = at.or_else(|| around.cloned());
                descend(item, files, &found, at.as_ref());
            }
        }
        Part::List(items) => {
            for item in items {
                descend(item, files, scope, around);
            }
        }
        _ => {}
    }
}

/// The entry of a key: within the scope if it is there, else the only one of that key anywhere.
fn find(
    key: &str,
    value: &Value,
    files: &[&WrittenEntries],
    scope: &[(usize, usize)],
) -> (Scope, Option<(String, u32)>) {
    let within = scope.iter().flat_map(|(file, entry)| {
        let entries = files.get(*file).and_then(|written| Some((written, written.entries.get(*entry)?)));
        entries.into_iter().flat_map(move |(written, entry)| {
            let of_key = written.by_key.get(key).map(Vec::as_slice).unwrap_or_default();
            // The shorter list is gone through.
            let both: Vec<usize> = if of_key.len() < entry.within.len() {
                of_key.iter().copied().filter(|index| entry.within.contains(index)).collect()
            } else {
                entry.within.iter().copied().filter(|index| of_key.contains(index)).collect()
            };
            both.into_iter().map(move |index| (*file, index))
        })
    });
    let mut found: Scope = within.filter(|(file, index)| files[*file].could_be(*index, value)).collect();
    if found.is_empty() {
        let anywhere = files.iter().enumerate().flat_map(|(file, written)| {
            written.by_key.get(key).into_iter().flatten().map(move |index| (file, *index))
        });
        found = anywhere.filter(|(file, index)| files[*file].could_be(*index, value)).take(2).collect();
    }
    match found.as_slice() {
        [(file, index)] => {
            let written = files[*file];
            let at = (written.file.to_string(), written.entries[*index].line);
            (found, Some(at))
        }
        _ => (Vec::new(), None),
    }
}

fn text_of(expr: &AstExpr) -> Option<&str> {
    match &expr.node {
        ExprP::<AstNoPayload>::Literal(AstLiteral::String(text)) => Some(&text.node),
        _ => None,
    }
}

fn constant_of(expr: &AstExpr, ast: &AstModule) -> Option<Constant> {
    let written = || Some(Constant::Word(ast.file_span(expr.span).source_span().to_owned()));
    match &expr.node {
        ExprP::Literal(AstLiteral::String(text)) => Some(Constant::Text(text.node.clone())),
        ExprP::Literal(AstLiteral::Int(_) | AstLiteral::Float(_)) => written(),
        ExprP::Identifier(name) if matches!(name.node.ident.as_str(), "None" | "True" | "False") => written(),
        _ => None,
    }
}
