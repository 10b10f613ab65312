//! Questions to people, and secrets from a prompt or standard input.

use super::Context;
use crate::problem::{Code, Problem, Result};
use crate::secret::Secret;
use std::io::{BufRead, Write};

impl Context {
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
    pub(in crate::cli) fn ask(&self, question: &str) -> Result<()> {
        if !(self.env.terminal.stdin && self.env.terminal.stderr) {
            return Err(Problem::new(Code::Declined, "there is no terminal to ask on")
                .cause(format!("the question was: {question}"))
                .hint("give -y to answer yes beforehand")
                .into());
        }
        self.out.stderr(format_args!("{question} [y/N] "));
        Ok(())
    }

    /// Waits for the answer.
    ///
    /// # Errors
    /// [`Code::Declined`] for any other than yes.
    pub(in crate::cli) fn hear_answer() -> Result<()> {
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

    /// A secret: from a prompt where standard input is a terminal, else all of standard input less
    /// one final newline.
    ///
    /// # Errors
    /// Where it cannot be read, or is empty.
    pub fn secret_input(&self, prompt: &str) -> Result<Secret> {
        let secret = if self.env.terminal.stdin { self.prompt_secret(prompt)? } else { self.stdin_secret()? };
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
        if !(self.env.terminal.stdin && self.env.terminal.stderr) {
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
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::cli::context::Environment;

    #[test]
    fn without_a_terminal_a_question_is_declined_with_a_way_on() {
        let context = Context::for_tests(Environment::default());
        let problems = context.confirm("Apply these changes to web1?").expect_err("no terminal");
        assert_eq!(problems.code(), Code::Declined);
        assert!(problems.iter().next().expect("one").hints[0].contains("-y"));
    }
}
