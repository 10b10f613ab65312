//! A process that others on the same machine can look for: is it still there?

use sha2::{Digest, Sha256};
use std::fmt;
use std::str::FromStr;

/// A process of one boot and one PID namespace. Written as `PID.START@WHERE`: its number, when it began
/// in clock ticks since boot (a number is given again, proc_pid_stat(5)), and a hash of the boot and the
/// namespace, which says nothing about the machine to others.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Process {
    pid: u32,
    start: u64,
    place: String,
}

impl Process {
    /// This one; `None` where the system does not tell.
    pub fn current() -> Option<Self> {
        let pid = std::process::id();
        Some(Self { pid, start: running(pid)?, place: place()? })
    }

    /// Whether it has ended for certain: it belongs to this boot and namespace, and is not there, is
    /// another by now, or only waits for its parent to notice.
    pub fn is_gone(&self) -> bool {
        let Some(own) = Self::current() else { return false };
        own.place == self.place && running(self.pid) != Some(self.start)
    }
}

impl fmt::Display for Process {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}.{}@{}", self.pid, self.start, self.place)
    }
}

impl FromStr for Process {
    type Err = ();

    fn from_str(text: &str) -> Result<Self, ()> {
        let (process, place) = text.split_once('@').ok_or(())?;
        let (pid, start) = process.split_once('.').ok_or(())?;
        let pid = pid.parse().map_err(drop)?;
        let start = start.parse().map_err(drop)?;
        Ok(Self { pid, start, place: place.to_owned() })
    }
}

/// Its start, if it runs.
fn running(pid: u32) -> Option<u64> {
    let stat = std::fs::read_to_string(format!("/proc/{pid}/stat")).ok()?;
    // The name before may hold anything, parentheses too.
    let mut fields = stat.rsplit_once(')')?.1.split_whitespace();
    let state = fields.next()?;
    let start = fields.nth(18)?.parse().ok()?;
    (!matches!(state, "Z" | "X")).then_some(start)
}

/// The boot and the PID namespace: only within both does a number mean the same process.
fn place() -> Option<String> {
    let boot = std::fs::read_to_string("/proc/sys/kernel/random/boot_id").ok()?;
    let namespace = std::fs::read_link("/proc/self/ns/pid").ok()?;
    let hash = Sha256::digest(format!("pillarbox-process/1\n{}\n{}\n", boot.trim(), namespace.display()));
    Some(hash[..8].iter().map(|byte| format!("{byte:02x}")).collect())
}

#[cfg(all(test, target_os = "linux"))]
mod tests {
    use super::*;
    use std::process::{Command, Stdio};

    #[test]
    fn a_process_is_gone_as_soon_as_it_was_killed_and_not_before() {
        let mut child = Command::new("sleep").arg("60").stdin(Stdio::null()).spawn().expect("started");
        let own = Process::current().expect("Linux tells");
        let start = running(child.id()).expect("it runs");
        let process = Process { pid: child.id(), start, ..own };
        assert_eq!(process.to_string().parse(), Ok(process.clone()));
        assert!(!process.is_gone());
        child.kill().expect("killed");
        let gone = || {
            std::thread::sleep(std::time::Duration::from_millis(5));
            process.is_gone()
        };
        assert!((0..1000).any(|_| gone()), "a zombie counts as gone");
        child.wait().expect("its end");
        assert!(process.is_gone());
    }

    #[test]
    fn a_process_of_another_boot_container_or_time_is_not_taken_for_a_dead_one_or_a_living_one() {
        let own = Process::current().expect("Linux tells");
        assert!(!own.is_gone());
        assert!(Process { start: own.start + 1, ..own.clone() }.is_gone(), "the number was given again");
        let elsewhere = Process { pid: u32::MAX, place: "0011223344556677".to_owned(), ..own };
        assert!(!elsewhere.is_gone(), "it cannot be told from here");
        for text in ["", "1", "1.2", "x.2@y", "1.x@y", "1@y"] {
            assert!(text.parse::<Process>().is_err(), "{text}");
        }
    }
}
