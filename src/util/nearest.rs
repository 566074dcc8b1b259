//! Which known name a mistyped one may have meant.

/// The name most like `wanted`; empty if there is none at all.
pub fn nearest<'n>(wanted: &str, names: impl Iterator<Item = &'n str>) -> &'n str {
    names.min_by_key(|name| distance(name, wanted)).unwrap_or("")
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
        assert_eq!(nearest("l2tp.tunel", ["l2tp.session", "l2tp.tunnel"].into_iter()), "l2tp.tunnel");
        assert_eq!(distance("abc", "abd"), 1);
        assert_eq!(distance("abc", "bc"), 1);
    }
}
