//! Who controls what answers at a socket of this machine.

use std::fs::Metadata;
use std::io;
use std::os::unix::fs::MetadataExt;
use std::path::{Component, Path, PathBuf};

/// A path of so many symbolic links is not followed.
const LINKS: u32 = 40;

/// Others may write.
const BY_OTHERS: u32 = 0o002;
/// Members of its group may write.
const BY_GROUP: u32 = 0o020;
/// Only owners may take things out of the folder.
const STICKY: u32 = 0o1000;

/// Who else than root and this user controls what answers at a socket: the owner of it or of a folder or link on
/// the way to it, or anyone who can write to such a folder; `None` if there is no one. The group of the socket may
/// write to its folder: members of it can use the Engine, and so are root on the machine.
///
/// # Errors
/// Where there is no such path.
pub fn stranger_of_socket(path: &Path) -> io::Result<Option<String>> {
    let user = rustix::process::geteuid().as_raw();
    let socket = path.metadata()?.gid();
    let way = way(path)?;
    let found = way.iter().find_map(|(part, data)| stranger(part, data, user, [0, socket]));
    Ok(found)
}

fn stranger(part: &Path, data: &Metadata, user: u32, groups: [u32; 2]) -> Option<String> {
    if data.uid() != 0 && data.uid() != user {
        return Some(format!("uid {} (owns {})", data.uid(), part.display()));
    }
    let open = data.is_dir() && data.mode() & STICKY == 0;
    if open && data.mode() & BY_OTHERS != 0 {
        return Some(format!("anyone ({} is writable by others)", part.display()));
    }
    let by_group = open && data.mode() & BY_GROUP != 0 && !groups.contains(&data.gid());
    by_group.then(|| format!("gid {} ({} is writable by its group)", data.gid(), part.display()))
}

/// Every folder and link that is passed on the way to a path, and what it leads to.
fn way(path: &Path) -> io::Result<Vec<(PathBuf, Metadata)>> {
    let mut passed: Vec<(PathBuf, Metadata)> = Vec::new();
    let mut here = PathBuf::from("/");
    passed.push((here.clone(), here.symlink_metadata()?));
    let mut ahead: Vec<PathBuf> = parts(path);
    let mut links = 0;
    while let Some(part) = ahead.pop() {
        if part.as_os_str() == ".." {
            here.pop();
            continue;
        }
        let next = here.join(&part);
        let data = next.symlink_metadata()?;
        let is_link = data.is_symlink();
        passed.push((next.clone(), data));
        if !is_link {
            here = next;
            continue;
        }
        links += 1;
        if links > LINKS {
            return Err(io::Error::other("too many symbolic links"));
        }
        let target = next.read_link()?;
        if target.is_absolute() {
            here = PathBuf::from("/");
        }
        ahead.extend(parts(&target));
    }
    Ok(passed)
}

/// The parts of a path, the first one last.
fn parts(path: &Path) -> Vec<PathBuf> {
    let parts = path.components().filter_map(|part| match part {
        Component::Normal(name) => Some(PathBuf::from(name)),
        Component::ParentDir => Some(PathBuf::from("..")),
        _ => None,
    });
    let mut parts: Vec<PathBuf> = parts.collect();
    parts.reverse();
    parts
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::fs;
    use std::os::unix::fs::{PermissionsExt, symlink};
    use std::os::unix::net::UnixListener;

    #[test]
    fn who_owns_or_may_write_on_the_way_to_a_socket_is_found() {
        let dir = tempfile::tempdir().expect("a folder");
        let base = dir.path().canonicalize().expect("its real path");
        let folder = base.join("run");
        fs::create_dir(&folder).expect("made");
        let socket = folder.join("docker.sock");
        let _listener = UnixListener::bind(&socket).expect("a socket");
        let said = |path: &Path| stranger_of_socket(path).expect("looked");
        let mode = |mode| fs::set_permissions(&folder, fs::Permissions::from_mode(mode)).expect("set");
        for (bits, found) in [(0o755, false), (0o775, false), (0o777, true), (0o1777, false), (0o700, false)]
        {
            mode(bits);
            assert_eq!(said(&socket).is_some(), found, "{bits:o}");
        }
        // Through a link that stands where everybody may write.
        let open = base.join("open");
        fs::create_dir(&open).expect("made");
        fs::set_permissions(&open, fs::Permissions::from_mode(0o777)).expect("set");
        symlink("../run/docker.sock", open.join("link")).expect("a link");
        assert!(said(&open.join("link")).is_some_and(|who| who.starts_with("anyone")));
        symlink(&socket, base.join("fine")).expect("a link");
        assert_eq!(said(&base.join("fine")), None);
        symlink(open.join("link"), base.join("chain")).expect("a link");
        assert!(said(&base.join("chain")).is_some());
        assert!(stranger_of_socket(&base.join("nothing")).is_err());
        // Only root may give a file away.
        if std::os::unix::fs::chown(&socket, Some(12345), None).is_ok() {
            assert_eq!(said(&socket), Some(format!("uid 12345 (owns {})", socket.display())));
        }
    }
}
