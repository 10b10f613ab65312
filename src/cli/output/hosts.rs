//! The names of hosts within a sentence.

use super::Level;
use super::layout::wrap;
use crate::name::folded;

/// Columns of a line that names hosts.
const WIDTH: usize = 100;

/// The hosts that a sentence is about, the first few and how many more; with `-v` all of them, in as many
/// lines as they need. `before` is what stands before them.
pub(in crate::cli) fn on_hosts(before: &str, names: &[&str], level: Level) -> String {
    if level < Level::Verbose {
        return format!("{before} {}", folded(names));
    }
    wrap(&format!("{before} {}", names.join(", ")), Some(WIDTH - 2)).join("\n  ")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_thousand_hosts_take_one_line_and_with_v_as_many_as_they_need() {
        let names: Vec<String> = (0..1000).map(|number| format!("web{number}")).collect();
        let names: Vec<&str> = names.iter().map(String::as_str).collect();
        let short = on_hosts("done on", &names, Level::Normal);
        assert_eq!(short, "done on web0, web1, web2, web3, web4, web5, web6, web7 and 992 more");
        let all = on_hosts("done on", &names, Level::Verbose);
        assert!(all.lines().all(|line| line.len() <= WIDTH), "{all}");
        assert!(names.iter().all(|name| all.split([',', ' ', '\n']).any(|word| word == *name)), "{all}");
    }
}
