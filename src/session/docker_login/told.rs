//! Problems as a program says them that takes no options.

use crate::problem::Problems;

/// Problems as a program says them that takes no options and runs in any folder: `whose` they are, and
/// what to do `instead` of giving an identity as an option.
pub(super) fn told(problems: Problems, whose: &str, instead: &str) -> Problems {
    problems.map(|mut problem| {
        problem.causes.retain(|cause| !cause.starts_with("--"));
        for hint in problem.hints.iter_mut().filter(|hint| hint.contains("--identity")) {
            instead.clone_into(hint);
        }
        problem.cause(whose)
    })
}
