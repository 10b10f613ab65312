use std::io;
use std::sync::Mutex;

/// What happens at a step.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Fault {
    /// The program ends: this step and all later ones fail.
    Crash,
    /// The disk is full at this one step.
    Full,
    /// Nothing can be written.
    ReadOnly,
}

/// Lets a number of steps pass, then fails.
#[derive(Debug, Default)]
pub(crate) struct Faults(Mutex<Option<(usize, Fault)>>);

impl Faults {
    pub(crate) fn after(steps: usize, fault: Fault) -> Self {
        Self(Mutex::new(Some((steps, fault))))
    }

    /// Whether the fault has come.
    pub(crate) fn has_come(&self) -> bool {
        self.0.lock().expect("no panic").is_none_or(|(left, _)| left == 0)
    }

    pub(crate) fn writable(&self) -> io::Result<()> {
        match *self.0.lock().expect("no panic") {
            Some((0, Fault::ReadOnly)) => Err(io::ErrorKind::ReadOnlyFilesystem.into()),
            _ => Ok(()),
        }
    }

    pub(crate) fn step(&self) -> io::Result<()> {
        let mut state = self.0.lock().expect("no panic");
        match &mut *state {
            None => Ok(()),
            Some((0, Fault::Crash)) => Err(io::Error::other("cut off")),
            Some((0, Fault::ReadOnly)) => Err(io::ErrorKind::ReadOnlyFilesystem.into()),
            Some((0, Fault::Full)) => {
                *state = None;
                Err(io::ErrorKind::StorageFull.into())
            }
            Some((left, _)) => {
                *left -= 1;
                Ok(())
            }
        }
    }
}
