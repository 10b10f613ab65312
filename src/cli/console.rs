//! The operator's terminal: questions, secrets from a prompt or standard input, and what a session tells.

use super::environment::Terminal;
use super::output::Output;
use super::output::progress::{Progress, Tally};
use crate::execute::Interrupt;
use crate::plan::Plan;
use crate::problem::{Code, Problem, Result, escaped};
use crate::secret::Secret;
use crate::session::{Operator, unless_interrupted};
use crate::{event, session};
use futures_util::FutureExt as _;
use futures_util::future::LocalBoxFuture;
use std::fmt;
use std::io::{BufRead, Write};
use std::rc::Rc;

/// Tells the operator on standard error, and asks on the terminal.
#[derive(Clone, Debug)]
pub struct Console {
    out: Rc<Output>,
    terminal: Terminal,
}

impl Console {
    pub(super) fn new(out: Rc<Output>, terminal: Terminal) -> Self {
        Self { out, terminal }
    }

    /// Whether there is a terminal to ask on.
    pub(super) fn can_ask(&self) -> bool {
        self.terminal.stdin && self.terminal.stderr
    }

    /// Asks a question that only `y` or `yes` answers with yes.
    ///
    /// # Errors
    /// [`Code::Declined`] for any other answer, and where there is no terminal to ask on.
    pub fn confirm(&self, question: &str) -> Result<()> {
        self.ask(question)?;
        Self::hear_answer()
    }

    /// Puts a question on the terminal.
    ///
    /// # Errors
    /// [`Code::Declined`] where there is none.
    fn ask(&self, question: &str) -> Result<()> {
        if !self.can_ask() {
            return Err(Problem::new(Code::Declined, "there is no terminal to ask on")
                .cause(format!("the question was: {question}"))
                .hint("give -y to answer yes in advance")
                .into());
        }
        self.out.stderr(format_args!("{question} [y/N] "));
        Ok(())
    }

    /// Waits for the answer.
    ///
    /// # Errors
    /// [`Code::Declined`] for any other than yes.
    fn hear_answer() -> Result<()> {
        let mut answer = String::new();
        std::io::stdin()
            .lock()
            .read_line(&mut answer)
            .map_err(|error| Problem::new(Code::Declined, "could not read an answer").because(&error))?;
        if matches!(answer.trim().to_ascii_lowercase().as_str(), "y" | "yes") {
            return Ok(());
        }
        Err(Problem::new(Code::Declined, "declined; nothing was changed").into())
    }

    /// Asks for a name, which must be this one; `hint` is the command that needs no answer.
    ///
    /// # Errors
    /// [`Code::Declined`] for any other answer, and where there is no terminal to ask on.
    pub async fn confirm_name(
        &self,
        question: &str,
        name: &str,
        hint: &str,
        interrupt: &Interrupt,
    ) -> Result<()> {
        if !self.can_ask() {
            return Err(Problem::new(Code::Declined, "there is no terminal to ask on")
                .cause(format!("the question was: {question}"))
                .hint(format!("answer in advance: {hint}"))
                .into());
        }
        self.out.stderr(format_args!("{question}. Type {} to go on: ", escaped(name)));
        let read = tokio::task::spawn_blocking(|| {
            let mut line = String::new();
            std::io::stdin().lock().read_line(&mut line).map(|_| line)
        });
        let answer = unless_interrupted(interrupt, async {
            let line = read.await.ok().and_then(std::result::Result::ok).unwrap_or_default();
            Ok(line)
        });
        match answer.await {
            Ok(line) if line.trim() == name => Ok(()),
            Ok(_) => Err(Problem::new(Code::Declined, "declined; nothing was changed").into()),
            Err(problems) => {
                self.out.stderr("\n");
                Err(problems)
            }
        }
    }

    /// A secret: from a prompt where standard input is a terminal, else all of standard input less
    /// one final newline.
    ///
    /// # Errors
    /// Where it cannot be read, or is empty.
    pub fn secret_input(&self, prompt: &str) -> Result<Secret> {
        let secret = if self.terminal.stdin { self.prompt_secret(prompt)? } else { self.stdin_secret()? };
        if secret.is_empty() {
            return Err(Problem::failed("the secret is empty")
                .hint("give it on standard input: printf %s \"$SECRET\" | pillarbox …")
                .into());
        }
        Ok(secret)
    }

    /// A secret typed without echo.
    ///
    /// # Errors
    /// Where there is no terminal.
    pub fn prompt_secret(&self, prompt: &str) -> Result<Secret> {
        let text = rpassword::prompt_password(format!("{prompt}: ")).map_err(|error| {
            Problem::new(Code::Declined, "there is no terminal to ask for a secret on").because(&error)
        })?;
        Ok(text.into())
    }

    /// All of standard input less one final newline.
    ///
    /// # Errors
    /// Where it cannot be read.
    pub fn stdin_secret(&self) -> Result<Secret> {
        Ok(self.stdin_bytes()?.without_final_newline())
    }

    /// All of standard input.
    ///
    /// # Errors
    /// Where it cannot be read.
    pub fn stdin_bytes(&self) -> Result<Secret> {
        Secret::read(&mut std::io::stdin().lock(), usize::MAX)
            .map_err(|error| Problem::failed("could not read standard input").because(&error).into())
    }

    /// Asks for a line of text, say a user name.
    ///
    /// # Errors
    /// Where there is no terminal, or the line is empty.
    pub fn prompt_line(&self, prompt: &str) -> Result<String> {
        if !self.can_ask() {
            return Err(
                Problem::new(Code::Declined, format!("there is no terminal to ask for {prompt}")).into()
            );
        }
        self.out.stderr(format_args!("{prompt}: "));
        let _ = std::io::stderr().flush();
        let mut line = String::new();
        std::io::stdin()
            .lock()
            .read_line(&mut line)
            .map_err(|error| Problem::new(Code::Declined, "could not read an answer").because(&error))?;
        match line.trim() {
            "" => Err(Problem::new(Code::Declined, format!("no {prompt} was given")).into()),
            text => Ok(text.to_owned()),
        }
    }

    /// A new passphrase, typed twice.
    ///
    /// # Errors
    /// Where there is no terminal, it is empty, or the two differ.
    pub fn new_passphrase(&self) -> Result<Secret> {
        let declined = |what: &str| Problem::new(Code::Declined, what);
        if !self.can_ask() {
            return Err(declined("there is no terminal to ask for a passphrase on")
                .hint("make the key without one, or protect it with age: age-keygen | age -p > identity.txt")
                .into());
        }
        let first = self.prompt_secret("new passphrase")?;
        if first.is_empty() {
            return Err(declined("the passphrase is empty").into());
        }
        let again = self.prompt_secret("new passphrase again")?;
        if !first.same_as(again.reveal()) {
            return Err(declined("the two passphrases are not the same").into());
        }
        Ok(first)
    }
}

impl Operator for Console {
    fn say(&self, text: fmt::Arguments<'_>) {
        self.out.say(text);
    }

    fn warn(&self, text: fmt::Arguments<'_>) {
        self.out.warn(text);
    }

    fn confirm<'a>(&'a self, question: &'a str, interrupt: &'a Interrupt) -> LocalBoxFuture<'a, Result<()>> {
        async move {
            self.ask(question)?;
            let answer = async {
                let answer = tokio::task::spawn_blocking(Self::hear_answer).await;
                answer
                    .unwrap_or_else(|_| Err(Problem::new(Code::Declined, "could not read an answer").into()))
            };
            let answer = unless_interrupted(interrupt, answer).await;
            if answer.as_ref().is_err_and(|problems| problems.code() == Code::Interrupted) {
                // The question has no end of line yet.
                self.out.stderr("\n");
            }
            answer
        }
        .boxed_local()
    }

    fn can_answer(&self) -> Result<(), &'static str> {
        if self.can_ask() { Ok(()) } else { Err("there is no terminal to ask for it on") }
    }

    fn secret(&self, prompt: &str) -> Result<Secret> {
        self.prompt_secret(prompt)
    }

    fn standard_input(&self) -> Result<Secret> {
        self.stdin_secret()
    }

    fn progress<'p>(&self, plan: &'p Plan) -> Box<dyn session::Progress + 'p> {
        Box::new(Shown(Progress::new(plan, self.out.level, self.terminal.stderr)))
    }

    fn tally(&self, what: &'static str, total: usize) -> Box<dyn session::Tally> {
        Box::new(Tally::new(what, total, self.out.level, self.terminal.stderr))
    }
}

/// The progress of an apply; its bars go with it.
struct Shown<'p>(Progress<'p>);

impl session::Progress for Shown<'_> {
    fn show(&self, event: &event::Event) {
        self.0.show(event);
    }

    fn line(&self, text: &str) {
        self.0.line(text);
    }

    fn pause(&self) {
        self.0.finish();
    }
}

impl Drop for Shown<'_> {
    fn drop(&mut self) {
        self.0.finish();
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn without_a_terminal_a_question_is_declined_with_a_way_on() {
        let level = crate::cli::Level::Normal;
        let out = Rc::new(Output::new(level, false, anstream::ColorChoice::Never));
        let console = Console::new(out, Terminal::default());
        let problems = Console::confirm(&console, "Apply these changes to web1?").expect_err("no terminal");
        assert_eq!(problems.code(), Code::Declined);
        assert!(problems.iter().next().expect("one").hints[0].contains("-y"));
    }
}
