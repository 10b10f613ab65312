//! Names of many hosts in one line, numbered ones as ranges.

use std::collections::BTreeMap;

/// Names of a range, of which the first and the last are shown; fewer stand for themselves.
const RANGE: usize = 3;

/// Names with runs of numbers as ranges, `web0001..0941`, each with the number of its hosts: by what stands around the
/// number, then by the number.
pub fn ranges<S: AsRef<str>>(names: &[S]) -> Vec<(String, usize)> {
    let mut series: BTreeMap<(&str, &str), Vec<(u64, &str)>> = BTreeMap::new();
    for name in names {
        let name = name.as_ref();
        let (before, number, after) = parts(name);
        series.entry((before, after)).or_default().push((number.parse().unwrap_or_default(), number));
    }
    let mut shown = Vec::new();
    for ((before, after), mut numbers) in series {
        numbers.sort_unstable();
        for run in numbers.chunk_by(|one, next| follows(*one, *next)) {
            match run {
                [(_, first), .., (_, last)] if run.len() >= RANGE => {
                    shown.push((format!("{before}{first}..{last}{after}"), run.len()));
                }
                _ => shown.extend(run.iter().map(|(_, number)| (format!("{before}{number}{after}"), 1))),
            }
        }
    }
    shown
}

/// Whether a number comes next: numbers with zeros before them have one length, others go on from 9 to 10.
fn follows(one: (u64, &str), next: (u64, &str)) -> bool {
    let longer = next.1.len() > one.1.len();
    one.0.checked_add(1) == Some(next.0) && (one.1.len() == next.1.len() || longer && !one.1.starts_with('0'))
}

/// As many of the ranges as fit into so many columns, at least one, and how many hosts are left: `web1..8 …(19)`.
pub fn in_ranges<S: AsRef<str>>(names: &[S], room: usize) -> String {
    let shown = ranges(names);
    let mut left: usize = shown.iter().map(|(_, count)| count).sum();
    let mut line = String::new();
    for (at, (text, count)) in shown.iter().enumerate() {
        let more = if left > *count { format!(" …({})", left - count).chars().count() } else { 0 };
        let space = usize::from(at > 0);
        if at > 0 && line.chars().count() + space + text.chars().count() + more > room {
            return format!("{line} …({left})");
        }
        line.push_str(if at > 0 { " " } else { "" });
        line.push_str(text);
        left -= count;
    }
    line
}

/// What stands before the last number in a name, the number, and what stands after it; without a number all of it
/// stands before.
fn parts(name: &str) -> (&str, &str, &str) {
    let Some(last) = name.rfind(|c: char| c.is_ascii_digit()) else { return (name, "", "") };
    let start = name[..last].rfind(|c: char| !c.is_ascii_digit()).map_or(0, |at| at + 1);
    match last + 1 - start {
        // More digits are no count of hosts.
        19.. => (name, "", ""),
        _ => (&name[..start], &name[start..=last], &name[last + 1..]),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn shown(names: &[&str]) -> String {
        in_ranges(names, 100)
    }

    #[test]
    fn numbered_names_are_ranges_and_others_stand_for_themselves() {
        for (names, line) in [
            (&["db", "web1", "web10", "web2"][..], "db web1 web2 web10"),
            (&["web1", "web10", "web2", "web3", "web9"], "web1..3 web9 web10"),
            (&["web8", "web9", "web10"], "web8..10"),
            (&["web08", "web09", "web10"], "web08..10"),
            (&["web08", "web9", "web10"], "web08 web9 web10"),
            (&["web1.example.com", "web2.example.com", "web3.example.com"], "web1..3.example.com"),
            (&["a1b1", "a1b2", "a1b3", "a2b1"], "a1b1..3 a2b1"),
            (&["10", "11", "12"], "10..12"),
            (&[], ""),
        ] {
            assert_eq!(shown(names), line, "{names:?}");
        }
        let long: Vec<String> = (0..9).map(|at| format!("n{}{at}", "1".repeat(20))).collect();
        assert_eq!(ranges(&long).len(), 9, "such numbers are parts of names");
    }

    #[test]
    fn what_does_not_fit_is_counted() {
        let odd: Vec<String> = (0..1000).map(|at| format!("web{:04}", 2 * at)).collect();
        assert_eq!(in_ranges(&odd, 40), "web0000 web0002 web0004 web0006 …(996)");
        assert_eq!(in_ranges(&["a-long-name", "another"], 4), "a-long-name …(1)");
    }

    proptest! {
        #[test]
        fn every_name_is_counted_once_and_ranges_can_be_read_back(numbers in prop::collection::btree_set(0_u32..300, 1..60), zeros in any::<bool>()) {
            let name = |number: u32| if zeros { format!("web{number:04}") } else { format!("web{number}") };
            let names: Vec<String> = numbers.iter().map(|number| name(*number)).collect();
            let shown = ranges(&names);
            let mut back = Vec::new();
            for (text, count) in &shown {
                let of = |text: &str| text.trim_start_matches("web").parse::<u32>().expect("a number");
                let (first, last) = text.split_once("..").map_or_else(|| (of(text), of(text)), |(a, b)| (of(a), of(b)));
                prop_assert_eq!(usize::try_from(last - first).expect("a count") + 1, *count);
                back.extend((first..=last).map(name));
            }
            prop_assert_eq!(back, names);
        }
    }
}
