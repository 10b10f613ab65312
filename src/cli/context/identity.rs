//! Where private keys are looked for: `--identity`, `PILLARBOX_IDENTITY`, `PILLARBOX_AGE_KEY`,
//! `~/.config/pillarbox/identity.txt`, in this order. What was tried is shown when none opens.

use super::{AGE_KEY, Context};
use crate::problem::{Code, Problem, Result};
use crate::secret::Secret;
use crate::store;
use std::path::{Path, PathBuf};

/// The text of an identity file, unread as yet.
#[derive(Clone, Debug)]
pub struct IdentityText {
    /// Where it came from, for people: `PILLARBOX_IDENTITY (/run/key.txt)`.
    pub from: String,
    /// Lines of an age identity file.
    pub text: Secret,
}

/// All identities at hand, and where else one was looked for.
#[derive(Clone, Debug, Default)]
pub struct FoundIdentities {
    /// In the order in which they are tried.
    pub found: Vec<IdentityText>,
    /// Places without one, for people: `PILLARBOX_IDENTITY is not set`.
    pub missing: Vec<String>,
}

impl FoundIdentities {
    /// What to say when none of them opens something: code [`Code::NoIdentity`], with every place that
    /// was tried as a cause.
    pub fn none_opens(&self, what: impl Into<String>) -> Problem {
        let mut problem = Problem::new(Code::NoIdentity, what);
        for identity in &self.found {
            problem = problem.cause(format!("{} was tried and is no reader of it", identity.from));
        }
        for missing in &self.missing {
            problem = problem.cause(missing.clone());
        }
        problem.hint("give one with --identity FILE, or make one: pillarbox identity new")
    }
}

impl Context {
    /// Every identity at hand, read once. Nothing with `--no-identity`; `--identity -` is standard
    /// input.
    ///
    /// # Errors
    /// Where a file that was named by an option or a variable cannot be read.
    pub fn identities(&self) -> Result<FoundIdentities> {
        if let Some(found) = self.found_identities.get() {
            return Ok(found.clone());
        }
        let found = self.read_identities()?;
        Ok(self.found_identities.get_or_init(|| found).clone())
    }

    fn read_identities(&self) -> Result<FoundIdentities> {
        let mut all = FoundIdentities::default();
        if self.global.no_identity {
            all.missing.push("--no-identity was given".to_owned());
            return Ok(all);
        }
        match &self.global.identity {
            Some(path) if path.as_os_str() == "-" => {
                let text = self.stdin_secret()?;
                all.found.push(IdentityText { from: "--identity -".to_owned(), text });
            }
            Some(path) => all.found.push(self.named("--identity", path)?),
            None => all.missing.push("--identity was not given".to_owned()),
        }
        match &self.env.identity {
            Some(path) => all.found.push(self.named("PILLARBOX_IDENTITY", path)?),
            None => all.missing.push("PILLARBOX_IDENTITY is not set".to_owned()),
        }
        match &self.env.age_key {
            Some(key) => all.found.push(IdentityText { from: AGE_KEY.to_owned(), text: key.clone() }),
            None => all.missing.push(format!("{AGE_KEY} is not set")),
        }
        match self.identity_path() {
            Some(path) if path.exists() => all.found.push(self.read(path.display().to_string(), &path)?),
            Some(path) => all.missing.push(format!("there is no {}", path.display())),
            None => all.missing.push("there is no home folder".to_owned()),
        }
        Ok(all)
    }

    fn named(&self, by: &str, path: &Path) -> Result<IdentityText> {
        let path = self.absolute(path);
        self.read(format!("{by} ({})", path.display()), &path)
    }

    fn read(&self, from: String, path: &Path) -> Result<IdentityText> {
        let text = store::read_identity(path, self.root.get().map(PathBuf::as_path))
            .map_err(|problems| problems.map(|problem| Problem { code: Code::NoIdentity, ..problem }))?;
        Ok(IdentityText { from, text })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::cli::context::Environment;
    use std::os::unix::fs::PermissionsExt as _;

    #[test]
    fn identities_are_tried_in_the_order_of_the_manual() {
        let dir = tempfile::tempdir().expect("a folder");
        let file = |name: &str| {
            let path = dir.path().join(name);
            std::fs::create_dir_all(path.parent().expect("a parent")).expect("made");
            std::fs::write(&path, name).expect("written");
            std::fs::set_permissions(&path, std::fs::Permissions::from_mode(0o600)).expect("its mode");
            path
        };
        let option = file("option");
        let mut context = Context::for_tests(Environment {
            identity: Some(file("variable")),
            age_key: Some(Secret::from("key".to_owned())),
            personal: crate::store::Environment {
                home: Some(dir.path().into()),
                config_home: Some(dir.path().into()),
                ..crate::store::Environment::default()
            },
            ..Environment::default()
        });
        file("pillarbox/identity.txt");
        context.global.identity = Some(option);
        let texts = |context: &Context| -> Vec<String> {
            let all = context.identities().expect("readable");
            all.found.iter().map(|one| one.text.reveal_text().expect("text").to_owned()).collect()
        };
        assert_eq!(texts(&context), ["option", "variable", "key", "pillarbox/identity.txt"]);
    }

    #[test]
    fn without_identities_none_is_read() {
        let mut context = Context::for_tests(Environment {
            identity: Some("/nonexistent/identity".into()),
            age_key: Some(Secret::from("key".to_owned())),
            ..Environment::default()
        });
        context.global.no_identity = true;
        let all = context.identities().expect("nothing to read");
        assert!(all.found.is_empty());
    }

    #[test]
    fn when_none_opens_every_place_that_was_tried_is_named() {
        let context = Context::for_tests(Environment {
            age_key: Some(Secret::from("AGE-SECRET-KEY-CANARY".to_owned())),
            ..Environment::default()
        });
        let problem = context.identities().expect("readable").none_opens("no identity opens box `prod`");
        assert_eq!(problem.code, Code::NoIdentity);
        assert_eq!(problem.causes.len(), 4);
        assert!(problem.causes[0].starts_with(AGE_KEY));
        assert!(!format!("{problem:?}").contains("CANARY"));
    }

    #[test]
    fn a_named_file_that_is_not_there_is_an_error_not_the_next_in_line() {
        let mut context = Context::for_tests(Environment::default());
        context.global.identity = Some("/nonexistent/identity".into());
        assert_eq!(context.identities().expect_err("missing").code(), Code::NoIdentity);
    }
}
