//! Files as an archive in memory, as `PUT /containers/{id}/archive` takes it (POSIX.1-1988 ustar; numbers
//! that do not fit in base 256, as GNU tar writes them). It holds secrets and is wiped when it is dropped.

use crate::desired::container_file::split;
use crate::secret::Secret;

/// A block; headers are one, contents are filled up to a multiple of it.
const BLOCK: usize = 512;

/// An archive ends with two blocks of zeros.
pub(super) const END: usize = 2 * BLOCK;

/// One file.
pub(super) struct ArchiveEntry<'a> {
    pub(super) name: &'a str,
    pub(super) content: &'a Secret,
    pub(super) uid: u32,
    pub(super) gid: u32,
    pub(super) mode: u32,
    /// When it was changed last, seconds since 1970.
    pub(super) time: i64,
}

/// The archive.
pub(super) fn archive(entries: &[ArchiveEntry<'_>]) -> Secret {
    let of = |entry: &ArchiveEntry<'_>| BLOCK + entry.content.len().next_multiple_of(BLOCK);
    let size = entries.iter().map(of).sum::<usize>() + END;
    // It never moves in memory: a move would leave a copy behind.
    let mut bytes = Vec::with_capacity(size);
    for entry in entries {
        bytes.extend_from_slice(&header(entry));
        bytes.extend_from_slice(entry.content.reveal());
        bytes.resize(bytes.len().next_multiple_of(BLOCK), 0);
    }
    bytes.resize(size, 0);
    Secret::new(bytes)
}

fn header(entry: &ArchiveEntry<'_>) -> [u8; BLOCK] {
    let mut header = [0; BLOCK];
    let (prefix, name) = split(entry.name).unwrap_or(("", entry.name));
    put(&mut header[..100], name);
    put(&mut header[345..500], prefix);
    number(&mut header[100..108], entry.mode.into());
    number(&mut header[108..116], entry.uid.into());
    number(&mut header[116..124], entry.gid.into());
    number(&mut header[124..136], u64::try_from(entry.content.len()).unwrap_or(u64::MAX));
    number(&mut header[136..148], u64::try_from(entry.time).unwrap_or_default());
    header[156] = b'0';
    header[257..265].copy_from_slice(b"ustar\x0000");
    header[148..156].fill(b' ');
    let sum: u64 = header.iter().map(|byte| u64::from(*byte)).sum();
    header[148..156].copy_from_slice(format!("{sum:06o}\0 ").as_bytes());
    header
}

fn put(field: &mut [u8], text: &str) {
    let length = text.len().min(field.len());
    field[..length].copy_from_slice(&text.as_bytes()[..length]);
}

/// Octal digits and a NUL byte, or base 256.
fn number(field: &mut [u8], value: u64) {
    let digits = field.len() - 1;
    let octal = format!("{value:0digits$o}");
    if octal.len() == digits {
        field[..digits].copy_from_slice(octal.as_bytes());
        return;
    }
    for (byte, shift) in field.iter_mut().rev().zip((0..64).step_by(8)) {
        *byte = u8::try_from((value >> shift) & 0xff).unwrap_or_default();
    }
    field[0] |= 0x80;
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::io::Write as _;
    use std::process::{Command, Stdio};

    /// What GNU tar lists.
    fn listed(archive: &Secret) -> String {
        let mut tar = Command::new("tar")
            .args(["--list", "--verbose", "--numeric-owner", "--full-time", "--utc", "--file=-"])
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .spawn()
            .expect("tar runs");
        tar.stdin.take().expect("a pipe").write_all(archive.reveal()).expect("written");
        let output = tar.wait_with_output().expect("ended");
        assert!(output.status.success());
        String::from_utf8(output.stdout).expect("text")
    }

    #[test]
    fn tar_reads_owner_mode_size_and_name() {
        let content = |length: usize| Secret::new(vec![7; length]);
        let (none, some, many) = (content(0), content(513), content(1 << 20));
        let long = "n".repeat(100);
        let archive = archive(&[
            ArchiveEntry { name: "tls_key", content: &some, uid: 0, gid: 0, mode: 0o444, time: 0 },
            ArchiveEntry { name: "empty é", content: &none, uid: 1000, gid: 70, mode: 0o400, time: 0 },
            ArchiveEntry {
                name: &long,
                content: &many,
                uid: 2_097_152,
                gid: 2_147_483_647,
                mode: 0o640,
                time: 0,
            },
        ]);
        assert_eq!(archive.len() % BLOCK, 0);
        let listed = listed(&archive);
        let lines: Vec<String> =
            listed.lines().map(|line| line.split_whitespace().collect::<Vec<_>>().join(" ")).collect();
        assert_eq!(lines[0], "-r--r--r-- 0/0 513 1970-01-01 00:00:00 tls_key");
        assert!(lines[1].starts_with("-r-------- 1000/70 0 1970-01-01 00:00:00 empty"), "{}", lines[1]);
        assert_eq!(lines[2], format!("-rw-r----- 2097152/2147483647 1048576 1970-01-01 00:00:00 {long}"));
        assert_eq!(lines.len(), 3);
    }

    #[test]
    fn tar_reads_a_path_that_needs_both_fields_and_the_time() {
        let content = Secret::new(b"x".to_vec());
        let path = format!("{}/{}", "d".repeat(120), "n".repeat(99));
        let archive = archive(&[ArchiveEntry {
            name: &path,
            content: &content,
            uid: 0,
            gid: 0,
            mode: 0o444,
            time: 1_234_567_890,
        }]);
        assert!(
            listed(&archive).trim_end().ends_with(&format!("2009-02-13 23:31:30 {path}")),
            "{}",
            listed(&archive)
        );
    }
}
