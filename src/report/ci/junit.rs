//! JUnit XML: a test case for each expectation and each rule.

use std::io::{self, Write};

use quick_junit::{NonSuccessKind, Report, TestCase, TestCaseStatus, TestSuite};

use crate::rules;

use super::{Checked, sentences};

/// Writes the suites, one for each capture.
///
/// # Errors
///
/// Those of the writer.
pub fn write(all: &[Checked<'_>], out: &mut dyn Write) -> io::Result<()> {
    let mut report = Report::new("l2tp-inspect");
    for checked in all {
        let name = checked.report.file.to_string();
        let mut suite = TestSuite::new(name.as_str());
        for outcome in &checked.result.outcomes {
            let why = format!("expected {}, found {}", outcome.expected, outcome.found);
            suite.add_test_case(case(&name, &outcome.name, (!outcome.holds).then_some(why)));
        }
        for rule in rules::all() {
            let broken: Vec<String> =
                checked.failing().filter(|finding| finding.rule.id == rule.id).map(sentences).collect();
            suite.add_test_case(case(&name, rule.id, (!broken.is_empty()).then(|| broken.join("\n"))));
        }
        report.add_test_suite(suite);
    }
    let text = report.to_string().map_err(io::Error::other)?;
    writeln!(out, "{}", text.trim_end())
}

fn case(class: &str, name: &str, failure: Option<String>) -> TestCase {
    let status = match &failure {
        None => TestCaseStatus::success(),
        Some(_) => TestCaseStatus::non_success(NonSuccessKind::Failure),
    };
    let mut case = TestCase::new(name, status);
    case.set_classname(class);
    if let Some(why) = failure {
        case.status.set_message(why);
    }
    case
}
