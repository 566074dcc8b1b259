//! Which known name a mistyped one may have meant.

/// The name most like `wanted`. None if all differ in more than a quarter of it: nobody mistypes that much.
pub fn nearest<'n>(wanted: &str, names: impl Iterator<Item = &'n str>) -> Option<&'n str> {
    let most = wanted.chars().count().div_ceil(4).min(MOST_MISTAKES);
    let (name, mistakes) = names.map(|name| (name, distance(name, wanted))).min_by_key(|found| found.1)?;
    (mistakes <= most).then_some(name)
}

/// More letters than anyone gets wrong in one name.
const MOST_MISTAKES: usize = 3;

/// `; did you mean NAME?`, if one is near.
pub fn meant<'n>(wanted: &str, names: impl Iterator<Item = &'n str>) -> String {
    nearest(wanted, names).map_or_else(String::new, |name| format!("; did you mean {name}?"))
}

/// The Levenshtein distance of two short texts.
fn distance(a: &str, b: &str) -> usize {
    let b: Vec<char> = b.chars().take(64).collect();
    let mut row: Vec<usize> = (0..=b.len()).collect();
    for (i, x) in a.chars().enumerate() {
        let mut diagonal = i;
        row[0] = i + 1;
        for (j, y) in b.iter().enumerate() {
            let above = row[j + 1];
            row[j + 1] = (diagonal + usize::from(x != *y)).min(above + 1).min(row[j] + 1);
            diagonal = above;
        }
    }
    row[b.len()]
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn one_letter_more_or_less_or_other() {
        let names = || ["l2tp.session", "l2tp.tunnel"].into_iter();
        assert_eq!(nearest("l2tp.tunel", names()), Some("l2tp.tunnel"));
        assert_eq!(nearest("smb2", names()), None);
        assert_eq!(meant("l2tp.tunel", names()), "; did you mean l2tp.tunnel?");
        assert_eq!(meant("", names()), "");
        assert_eq!(distance("abc", "abd"), 1);
        assert_eq!(distance("abc", "bc"), 1);
    }
}
