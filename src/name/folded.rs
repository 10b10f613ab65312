//! Many names in one line.

/// Columns that they may take.
const ROOM: usize = 60;

/// Names with commas between them: all where they fit into 60 columns, else as many as do, at least one, and
/// how many more there are: `web1, web2 and 998 more`.
pub fn folded<S: AsRef<str>>(names: &[S]) -> String {
    let columns = |text: &str| text.chars().count();
    let mut line = String::new();
    for (at, name) in names.iter().enumerate() {
        let name = name.as_ref();
        let left = names.len() - at;
        let more = if left > 1 { columns(&and_more(left - 1)) } else { 0 };
        if at > 0 && columns(&line) + 2 + columns(name) + more > ROOM {
            return line + &and_more(left);
        }
        if at > 0 {
            line.push_str(", ");
        }
        line.push_str(name);
    }
    line
}

fn and_more(count: usize) -> String {
    format!(" and {count} more")
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn few_names_are_all_there_and_many_are_counted() {
        assert_eq!(folded::<&str>(&[]), "");
        assert_eq!(folded(&["web1", "web2"]), "web1, web2");
        let many: Vec<String> = (0..1000).map(|number| format!("web{number}")).collect();
        assert_eq!(folded(&many), "web0, web1, web2, web3, web4, web5, web6, web7 and 992 more");
        let long = ["a".repeat(63), "b".repeat(63)];
        assert_eq!(folded(&long), format!("{} and 1 more", long[0]));
    }

    proptest! {
        #[test]
        fn a_line_stays_short_and_counts_every_name(names in prop::collection::vec("[a-z]{1,20}", 1..200)) {
            let line = folded(&names);
            prop_assert!(line.chars().count() <= ROOM, "{line}");
            let (shown, more) = match line.rsplit_once(" and ") {
                Some((shown, more)) => (shown, more.trim_end_matches(" more").parse::<usize>().expect("a number")),
                None => (line.as_str(), 0),
            };
            let shown: Vec<&str> = shown.split(", ").collect();
            prop_assert_eq!(shown.len() + more, names.len());
            prop_assert!(names.iter().zip(shown).all(|(name, shown)| name == shown));
        }
    }
}
