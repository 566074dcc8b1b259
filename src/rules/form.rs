//! From departures of single messages to findings: one for each rule, control connection and sender.

use crate::analysis::control::connection::Connection;
use crate::analysis::control::form::Form;
use crate::analysis::log::query::Scope;
use crate::analysis::log::{Observation, Tally};

use super::words::{self, count};
use super::{Case, Finding, Rule, avp, header, teardown};

/// What departs, under one rule, by one sender.
struct Group<'a> {
    rule: &'static Rule,
    scope: Scope,
    connection: &'a Connection,
    what: Vec<String>,
    tally: Tally,
}

pub(super) fn judge(case: &Case<'_>, found: &mut Vec<Finding>) {
    let mut groups: Vec<Group<'_>> = Vec::new();
    let form = |what| if let Observation::Form(form) = what { Some(form) } else { None };
    let forms = case.analysis.each_observed(form);
    for (form, scope, tally) in forms {
        let Some((rule, what)) = departure(&form) else { continue };
        let Some((_, connection)) = scope.connection.and_then(|number| case.analysis.numbered(number)) else {
            continue;
        };
        let same = |group: &&mut Group<'_>| std::ptr::eq(group.rule, rule) && group.scope == scope;
        match groups.iter_mut().rev().take(NEAR).find(same) {
            Some(group) => {
                group.what.push(what);
                group.tally.merge(tally);
            }
            None => groups.push(Group { rule, scope, connection, what: vec![what], tally: tally.clone() }),
        }
    }
    found.extend(groups.into_iter().map(finding));
}

/// Facts come sorted by their scope, so that a group of the same scope cannot be further back than there are rules.
const NEAR: usize = 64;

fn departure(form: &Form) -> Option<(&'static Rule, String)> {
    header::departure(form).or_else(|| avp::departure(form)).or_else(|| teardown::departure(form))
}

/// What could make a departure look like one.
fn doubts(rule: &Rule) -> Option<String> {
    let undecodable = rule.id == avp::AVP_HIDDEN_UNDECODABLE.id;
    undecodable.then(|| String::from("the secret that was given may not be that of this tunnel."))
}

fn finding(group: Group<'_>) -> Finding {
    let end = group.scope.end.unwrap_or(0);
    let who = words::who(group.connection, end);
    let first = group.what.first().cloned().unwrap_or_default();
    let kinds = group.what.len();
    let seen = if kinds > 1 {
        format!("{} in messages of {who}.", words::some(group.what.into_iter()))
    } else {
        format!("in {} of {who}.", count(group.tally.count, "message"))
    };
    Finding::new(group.rule, format!("{}: {first}", words::tunnel(group.connection)))
        .tally(&group.tally)
        .connection(group.connection.number)
        .by(end)
        .seen(seen)
        .unsure(doubts(group.rule))
        .advice(format!("{who} builds such messages: update it, or report it to its maker with this packet."))
}
