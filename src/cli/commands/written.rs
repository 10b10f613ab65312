//! What commands have in common that write a part of a workspace which was shown before: `compose add`, `import salt`.

use crate::cli::Context;
use crate::inventory::FILE;
use crate::problem::{Problem, Result};
use crate::session::Vault;

/// Takes the lock of the workspace to write what was made of this inventory.
///
/// # Errors
/// Where the lock cannot be had; where the inventory is another by now.
pub(super) fn lock_unchanged(vault: &mut Vault<'_>, before: &str) -> Result<()> {
    vault.lock()?;
    if vault.read(FILE)?.as_deref() == Some(before) {
        return Ok(());
    }
    Err(Problem::failed(format!("{FILE} was changed meanwhile"))
        .hint("nothing was written: run the same command again")
        .into())
}

/// Problems with their causes and hints, which do not keep anything from being written.
pub(super) fn problems(head: &str, problems: &[Problem], ctx: &Context) {
    ctx.out.warn(head);
    for problem in problems {
        ctx.out.say(format_args!("  {problem}"));
        for cause in &problem.causes {
            ctx.out.say(format_args!("    caused by: {cause}"));
        }
        for hint in &problem.hints {
            ctx.out.say(format_args!("    hint: {hint}"));
        }
    }
}
