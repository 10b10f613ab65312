//! All errors of a program at once: after each, the statement is taken out or mended, and the rest is read.

use super::brackets::{self, Forgotten};
use super::names::unknown_names;
use super::syntax::{self, Advice};
use super::tokens::{self, Token, statement};
use crate::interpreter::fault;
use crate::interpreter::log::Log;
use crate::script::Fault;
use starlark::syntax::{AstModule, Dialect};

/// Errors of one file that are shown.
const MOST: usize = 20;

/// What the parser says where a bracket may be missing.
const BRACKETS: [&str; 6] = [
    "expected symbol ']'",
    "expected symbol ')'",
    "expected symbol '}'",
    "expected symbol ':'",
    "expected expression",
    "end of file",
];

/// What is wrong with tabs.
const TABS: &str = "lines are indented with tabs";

/// Quotes of printed texts, and what they are on a keyboard.
const CURLY: [(char, &str); 8] =
    [('‘', "'"), ('’', "'"), ('‚', "'"), ('‛', "'"), ('“', "\""), ('”', "\""), ('„', "\""), ('‟', "\"")];

/// Reads a program.
///
/// # Errors
/// All that can be found.
pub(in crate::interpreter) fn parse(
    file: &str,
    text: &str,
    dialect: &Dialect,
) -> Result<AstModule, Vec<Fault>> {
    let mut mended = text.to_owned();
    let mut faults: Vec<Fault> = Vec::new();
    // How far the last error was, and whether another one may be in the same line.
    let mut reached: Option<(usize, bool)> = None;
    while faults.len() < MOST {
        let error = match AstModule::parse(file, mended.clone(), dialect) {
            Ok(ast) if faults.is_empty() => return Ok(ast),
            Ok(ast) => {
                faults.extend(unknown_names(&ast, None));
                break;
            }
            Err(error) => error,
        };
        let offset = error.span().map_or(mended.len(), |span| span.span.begin().get() as usize);
        // How far tabs go, only the author knows.
        let tabs = faults.iter().any(|fault| fault.what == TABS);
        if tabs && error.without_diagnostic().to_string().contains("indentation") {
            break;
        }
        let refused = Refused::of(fault::of(&error, &Log::default()), &mended, offset.min(mended.len()));
        // What a repair made wrong is no error of the program.
        if reached.is_some_and(|(line, again)| refused.line < line || refused.line == line && !again) {
            break;
        }
        let (mut fault, next, again) = refused.mend();
        let line = fault.at.as_ref().map_or(0, |(_, line)| *line as usize);
        if let Some(written) = line.checked_sub(1).and_then(|line| text.lines().nth(line)) {
            fault.causes.splice(.., [fault::written(written, None)]);
        }
        let known: Vec<&String> = faults.iter().flat_map(|fault| &fault.hints).collect();
        fault.hints.retain(|hint| !known.contains(&hint));
        faults.push(fault);
        let Some(next) = next else { break };
        reached = Some((refused_line(&mended, offset), again));
        mended = next;
    }
    Err(faults)
}

fn refused_line(text: &str, offset: usize) -> usize {
    text.as_bytes()[..offset.min(text.len())].iter().filter(|byte| **byte == b'\n').count()
}

/// A statement that the parser refused.
struct Refused<'p> {
    program: &'p str,
    tokens: Vec<Token<'p>>,
    fault: Fault,
    offset: usize,
    /// Counted from 0.
    line: usize,
}

/// The error, the program without it if the rest can be read, and whether its line may have another one.
type Mended = (Fault, Option<String>, bool);

impl<'p> Refused<'p> {
    fn of(fault: Fault, program: &'p str, offset: usize) -> Self {
        let mut line = refused_line(program, offset);
        if fault.what.contains("tabs are not allowed") {
            let indented = |line: &str| line[..line.len() - line.trim_start().len()].contains('\t');
            line = program.lines().skip(line).position(indented).map_or(line, |further| line + further);
        }
        Self { program, tokens: tokens::tokens(program), fault, offset, line }
    }

    fn mend(mut self) -> Mended {
        let said = self.fault.what.strip_prefix("Parse error: ").unwrap_or(&self.fault.what).to_owned();
        if let Some(at) = &mut self.fault.at {
            at.1 = u32::try_from(self.line + 1).unwrap_or(u32::MAX);
        }
        if said.contains("tabs are not allowed") {
            return self.tabs();
        }
        let written = self.program.lines().nth(self.line).unwrap_or_default();
        let quotes =
            said.contains("unfinished string") || CURLY.iter().any(|(quote, _)| said.contains(*quote));
        if quotes && written.contains(|c| CURLY.iter().any(|(quote, _)| *quote == c)) {
            return self.curly();
        }
        // First what is in the line itself: a statement without its bracket goes on to the end of the file.
        let of_line: Vec<Token<'_>> =
            self.tokens.iter().filter(|token| token.line == self.line).copied().collect();
        let mut advice = syntax::advice_of_words(&of_line, &said);
        let bracket = BRACKETS.iter().any(|part| said.contains(part));
        if advice.is_empty()
            && bracket
            && let Some(found) = brackets::forgotten(self.program, &self.tokens, self.offset)
        {
            return self.bracket(&found);
        }
        if advice.is_empty() {
            let indentation = said.contains("indentation");
            let words = if indentation { &[] } else { statement(&self.tokens, self.line) };
            advice = syntax::advice(words, &said);
        }
        let shell = advice.iter().any(|one| one.what == "a shell script");
        self.advise(&said, advice);
        let next = match () {
            () if shell => None,
            () if said.contains("unexpected new indentation block") => self.dedented(),
            () if said.contains(", expected new indentation block") => self.without(self.line.checked_sub(1)),
            () => self.without(Some(self.line)),
        };
        (self.fault, next, false)
    }

    fn advise(&mut self, said: &str, advice: Vec<Advice>) {
        self.fault.what = match advice.iter().find(|one| !one.what.is_empty()) {
            Some(one) => format!("Starlark does not know {}", one.what),
            None => format!("the program cannot be read: {said}"),
        };
        for Advice { hint, .. } in advice {
            if !self.fault.hints.iter().any(|known| known == hint) {
                self.fault.hints.push(hint.to_owned());
            }
        }
    }

    fn tabs(mut self) -> Mended {
        self.fault.what = TABS.to_owned();
        let file = self.fault.at.as_ref().map(|(file, _)| file.clone()).unwrap_or_default();
        self.fault
            .hints
            .push(format!("indent with spaces: sed -i 's/\\t/    /g' {}", crate::problem::escaped(&file)));
        let mut next = String::with_capacity(self.program.len() * 2);
        for line in self.program.split_inclusive('\n') {
            let body = line.trim_start_matches([' ', '\t']);
            for c in line[..line.len() - body.len()].chars() {
                next.push_str(if c == '\t' { "    " } else { " " });
            }
            next.push_str(body);
        }
        (self.fault, (next != self.program).then_some(next), true)
    }

    fn curly(mut self) -> Mended {
        self.fault.what = "the quotes of a printed text are no quotes of a program".to_owned();
        let file = self.fault.at.as_ref().map(|(file, _)| file.clone()).unwrap_or_default();
        self.fault.hints.push(format!(
            "straighten the quotes: sed -i \"s/[‘’]/'/g; s/[“”]/\\\"/g\" {}",
            crate::problem::escaped(&file)
        ));
        let next = self.edited(|number, line| {
            let mut line = line.to_owned();
            if number == self.line {
                for (quote, straight) in CURLY {
                    line = line.replace(quote, straight);
                }
            }
            line
        });
        (self.fault, Some(next), true)
    }

    fn bracket(mut self, found: &Forgotten) -> Mended {
        let open: Vec<String> =
            found.open.iter().map(|(bracket, line)| format!("`{bracket}` of line {}", line + 1)).collect();
        self.fault.what = match open.as_slice() {
            [one] => format!("the {one} is not closed"),
            _ => format!("the {} are not closed", open.join(" and the ")),
        };
        // At the end of the file it is the last line.
        let end = found.line >= self.program.lines().count();
        let line = if end { found.line } else { found.line + 1 };
        if let Some(at) = &mut self.fault.at {
            at.1 = u32::try_from(line).unwrap_or(u32::MAX);
        }
        let where_ = if end { "at the end of" } else { "before" };
        self.fault.hints.push(format!("`{}` is missing {where_} line {line}", found.text));
        let mut next = self.program.to_owned();
        next.insert_str(found.at, &found.text);
        (self.fault, Some(next), true)
    }

    /// The program with other lines; their number stays.
    fn edited(&self, edit: impl Fn(usize, &str) -> String) -> String {
        let lines: Vec<String> =
            self.program.split('\n').enumerate().map(|(number, line)| edit(number, line)).collect();
        lines.join("\n")
    }

    /// The program with `pass` in the place of the statement of a line, or `if True:` where lines belong to it.
    fn without(&self, line: Option<usize>) -> Option<String> {
        let statement = statement(&self.tokens, line?);
        let (first, last) = (statement.first()?, statement.last()?);
        let start = self.program[..first.start].rfind('\n').map_or(0, |at| at + 1);
        let indent = &self.program[start..first.start];
        if !indent.trim().is_empty() {
            return None;
        }
        let body = self.tokens.iter().find(|token| token.line > last.line);
        let column =
            |token: &Token<'_>| token.start - self.program[..token.start].rfind('\n').map_or(0, |at| at + 1);
        let is_head = body.is_some_and(|token| column(token) > indent.len());
        let last_line = last.line + last.text.matches('\n').count();
        let next = self.edited(|number, written| match number {
            _ if number == first.line => format!("{indent}{}", if is_head { "if True:" } else { "pass" }),
            _ if number > first.line && number <= last_line => String::new(),
            _ => written.to_owned(),
        });
        Some(next)
    }

    /// The program with the lines of a block as far to the left as the line before it.
    fn dedented(&self) -> Option<String> {
        let indent = |line: &str| line.len() - line.trim_start().len();
        let lines: Vec<&str> = self.program.lines().collect();
        // The parser may name the line before.
        let is_code = |line: &&&str| !line.trim().is_empty() && !line.trim_start().starts_with('#');
        let from = (self.line..lines.len()).find(|line| is_code(&&lines[*line]))?;
        let before = lines[..from].iter().rfind(|line| is_code(line)).map_or(0, |line| indent(line));
        let own = indent(lines[from]);
        let further = own.checked_sub(before).filter(|further| *further > 0)?;
        let until = (from..lines.len())
            .find(|line| is_code(&&lines[*line]) && indent(lines[*line]) < own)
            .unwrap_or(lines.len());
        Some(self.edited(|number, line| match (from..until).contains(&number) {
            true => line.get(further.min(indent(line))..).unwrap_or_default().to_owned(),
            false => line.to_owned(),
        }))
    }
}
