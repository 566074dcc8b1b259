//! Which rules the user wants, and how bad they are: `--select`, `--ignore`, `--severity`.

use super::{Finding, Severity, all};

/// The user's choice.
#[derive(Debug, Clone, Default)]
pub struct Choice {
    selected: Vec<String>,
    ignored: Vec<String>,
    severities: Vec<(String, Option<Severity>)>,
}

impl Choice {
    /// Takes rules that alone are wanted: ids, or the beginnings of ids, separated by commas.
    ///
    /// # Errors
    ///
    /// The name that fits no rule.
    pub fn select(&mut self, names: &str) -> Result<(), String> {
        add(&mut self.selected, names)
    }

    /// Takes rules that are not wanted.
    ///
    /// # Errors
    ///
    /// The name that fits no rule.
    pub fn ignore(&mut self, names: &str) -> Result<(), String> {
        add(&mut self.ignored, names)
    }

    /// Takes how bad some rules are; `None` for not at all.
    ///
    /// # Errors
    ///
    /// The name that fits no rule.
    pub fn severity(&mut self, name: &str, severity: Option<Severity>) -> Result<(), String> {
        if !known(name) {
            return Err(name.to_owned());
        }
        self.severities.push((name.to_owned(), severity));
        Ok(())
    }

    /// Applies the choice; the last severity that fits a rule counts.
    pub fn apply(&self, findings: &mut Vec<Finding>) {
        let any = |names: &[String], id: &str| names.iter().any(|name| fits(name, id));
        findings.retain_mut(|finding| {
            let id = finding.rule.id;
            if !self.selected.is_empty() && !any(&self.selected, id) || any(&self.ignored, id) {
                return false;
            }
            match self.severities.iter().rev().find(|(name, _)| fits(name, id)) {
                Some((_, None)) => return false,
                Some((_, Some(severity))) => finding.severity = *severity,
                None => {}
            }
            true
        });
        findings.sort_by_key(|finding| std::cmp::Reverse(finding.severity));
    }
}

fn add(list: &mut Vec<String>, names: &str) -> Result<(), String> {
    for name in names.split(',').map(str::trim).filter(|name| !name.is_empty()) {
        if !known(name) {
            return Err(name.to_owned());
        }
        list.push(name.to_owned());
    }
    Ok(())
}

/// An id, or its beginning up to a dash: `seq` and `seq-retransmit` fit `seq-retransmit-backoff`.
fn fits(name: &str, id: &str) -> bool {
    id == name || id.strip_prefix(name).is_some_and(|rest| rest.starts_with('-'))
}

fn known(name: &str) -> bool {
    all().any(|rule| fits(name, rule.id))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn families_and_ids_are_chosen_and_nothing_unknown() {
        assert!(fits("seq", "seq-gap") && fits("seq-gap", "seq-gap"));
        assert!(!fits("seq-g", "seq-gap") && !fits("seq-gap-x", "seq-gap"));
        let mut choice = Choice::default();
        assert_eq!(choice.select("seq, hello"), Ok(()));
        assert_eq!(choice.ignore("sequ"), Err(String::from("sequ")));
        assert_eq!(choice.severity("nothing", None), Err(String::from("nothing")));
    }
}
