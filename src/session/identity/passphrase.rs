//! Asking for a passphrase.

use super::IdentitySource;
use crate::keys::{Identities, Locked, Passphrase};
use crate::problem::{Code, Problem, Result, escaped};
use crate::session::context::Session;

/// How often a wrong passphrase may be followed by another one.
const TRIES: usize = 3;

impl Session {
    /// Whether a passphrase can be asked for.
    fn can_ask(&self) -> Result<(), &'static str> {
        if self.unattended {
            Err("this program runs unattended and cannot ask for it")
        } else {
            self.operator.can_answer()
        }
    }

    /// Opens a source with the passphrase that a person types; `None` where it cannot be asked for, which
    /// the source remembers.
    pub fn ask_for<'s>(&self, source: &'s IdentitySource) -> Result<Option<&'s Identities>> {
        let Some(locked) = source.locked_keys() else { return Ok(source.keys()) };
        if let Err(why) = self.can_ask() {
            source.set_why_not(why);
            return Ok(None);
        }
        match self.opened_by_passphrase(&source.from, locked) {
            Ok(keys) => Ok(source.set_opened(keys)),
            Err(problems) => {
                // Not once more for every box.
                source.set_why_not("the right one was not given");
                Err(problems)
            }
        }
    }

    /// Opens protected keys with the passphrase that a person types.
    ///
    /// # Errors
    /// Where it cannot be asked for, or the passphrase was wrong three times.
    pub fn opened_by_passphrase(&self, from: &str, locked: &Locked) -> Result<Identities> {
        let from = escaped(from);
        let failed = |what: String| Problem::failed(what);
        self.can_ask().map_err(|why| {
            Problem::new(Code::NoIdentity, format!("{from} is protected by a passphrase, and {why}"))
        })?;
        for left in (0..TRIES).rev() {
            let passphrase = self.operator.secret(&format!("passphrase of {from}"))?;
            if passphrase.is_empty() {
                return Err(failed(format!("no passphrase was given for {from}")).into());
            }
            match locked.open(&passphrase)? {
                Passphrase::Opens(keys) => return Ok(keys),
                Passphrase::Wrong if left > 0 => {
                    self.operator.warn(format_args!("this is not its passphrase"));
                }
                Passphrase::Wrong => {}
            }
        }
        Err(failed(format!("the passphrase of {from} was wrong {TRIES} times")).into())
    }
}
