//! A file of SOPS, decrypted by the `sops` of this machine: into memory, never to a disk.

use crate::problem::{Problem, Result, escaped, quoted};
use crate::process::{self, Child, End, Inherited, Limits};
use crate::secret::Secret;
use std::path::Path;
use std::time::Duration;
use zeroize::Zeroizing;

const PROGRAM: &str = "sops";
/// It may have to ask a cloud, or its user for a passphrase.
const LIMIT: Duration = Duration::from_secs(60);
/// Bytes of a file; far more than a list of credentials needs.
const MOST: usize = 16 << 20;
/// Bytes of what it says on standard error.
const SAID: usize = 4096;

/// The text of a file that is encrypted with SOPS; `kind` is its type, as `sops --input-type` has it.
///
/// # Errors
/// Where there is no such program, or it does not decrypt the file.
pub(super) fn decrypt(path: &Path, shown: &str, kind: &str) -> Result<Secret> {
    let failed = |what: &str| Problem::failed(format!("{shown}: {what}"));
    let program = process::find(PROGRAM).map_err(|_| {
        failed("this file is encrypted with SOPS")
            .cause("there is no program sops in PATH to decrypt it")
            .hint("install sops (https://getsops.io) and give it your key; then import again")
    })?;
    let mut command = process::command(&program, Inherited::Sops);
    command.args(["-d", "--input-type", kind, "--output-type", kind]).arg(path);
    let child = Child::start(&mut command, Zeroizing::default(), Limits { out: MOST, err: SAID })
        .map_err(|error| failed("sops cannot be started").because(&error))?;
    let (end, output) = child.finish(LIMIT);
    let by_hand = format!("sops -d --input-type {kind} {} > /dev/null", quoted(&path.display().to_string()));
    let why = match end {
        End::Exit(0) => return Ok(Secret::new(output.out.to_vec())),
        End::Exit(code) => format!("it ended with {code}"),
        End::Signal(signal) => format!("a signal ended it: {signal}"),
        End::TookTooLong => format!("it was killed after {} s", LIMIT.as_secs()),
        End::TooMuch => format!("it was killed after {MOST} bytes"),
        End::Lost(error) => error.to_string(),
    };
    // Its words may repeat what it read: only that it failed is said.
    Err(failed("sops does not decrypt this file")
        .cause(escaped(&why))
        .hint(format!("what it says: {by_hand}"))
        .into())
}
