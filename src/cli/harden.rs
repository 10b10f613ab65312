//! What both programs do before anything else: no core dump may hold a secret, and no panic message may
//! show one.

/// Forbids core dumps, and other processes of this user to look into this one. After a panic `say` is told where it was, and the process ends with `code`.
pub(super) fn harden(code: i32, say: fn(place: &str)) {
    forbid_core_dumps();
    std::panic::set_hook(Box::new(move |panic| {
        let place =
            panic.location().map_or_else(String::new, |at| format!(" at {}:{}", at.file(), at.line()));
        super::raw_terminal::restore();
        say(&place);
        #[expect(clippy::exit, reason = "unwinding would print the payload; nothing may run after a defect")]
        std::process::exit(code);
    }));
}

fn forbid_core_dumps() {
    use rustix::process::{Resource, Rlimit, setrlimit};
    let _ = setrlimit(Resource::Core, Rlimit { current: Some(0), maximum: Some(0) });
    // Its memory and its environment in /proc, where PILLARBOX_AGE_KEY may stand, then belong to root. A
    // child starts without this, and without the variable.
    #[cfg(target_os = "linux")]
    {
        use rustix::process::{DumpableBehavior, set_dumpable_behavior};
        let _ = set_dumpable_behavior(DumpableBehavior::NotDumpable);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn no_core_dump_can_be_written() {
        forbid_core_dumps();
        let limit = rustix::process::getrlimit(rustix::process::Resource::Core);
        assert_eq!((limit.current, limit.maximum), (Some(0), Some(0)));
        #[cfg(target_os = "linux")]
        assert_eq!(
            rustix::process::dumpable_behavior().expect("Linux tells"),
            rustix::process::DumpableBehavior::NotDumpable
        );
    }
}
