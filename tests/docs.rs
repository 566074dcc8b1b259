//! The pages are true. A block `console` with commands behind `$ ` is run in a copy of the samples, on a terminal of 80
//! columns, and has to show what the terminal shows (`…` stands for lines that are left out). What needs root, an interface or a
//! foreign gateway stands behind `# ` or in a block of another language: there the command is parsed, and what it names
//! looked up. `UPDATE_GOLDEN=1 cargo test --test docs` writes the screens anew that leave nothing out: read them.
#![cfg(all(unix, feature = "live"))]

mod pages;

use std::path::Path;

use clap::{CommandFactory as _, Parser as _, error::ErrorKind};
use l2tp_inspect::cli::args::Args;
use l2tp_inspect::filter::Filter;
use l2tp_inspect::rules;
use pages::{COLUMNS, Page, agrees, on_terminal, pages, root};
use unicode_width::UnicodeWidthStr as _;

#[test]
fn screens_show_what_a_terminal_shows() {
    let mut wrong = Vec::new();
    let mut screens = 0;
    for mut page in pages() {
        let folder = tempfile::tempdir().unwrap();
        pages::copy(&root().join("testdata"), &folder.path().join("testdata"));
        let mut new: Vec<(std::ops::Range<usize>, Vec<String>)> = Vec::new();
        for block in page.blocks().iter().filter(|block| block.language == "console") {
            if page.line(block, block.lines.start).starts_with("# ") {
                continue;
            }
            let steps = page.steps(block, "$ ");
            let commands: Vec<&str> = steps.iter().map(|step| step.command.as_str()).collect();
            let outputs = on_terminal(folder.path(), &commands);
            assert_eq!(outputs.len(), steps.len(), "{}:{}", page.name, block.lines.start);
            for (step, real) in steps.iter().zip(outputs) {
                screens += 1;
                let shown: Vec<&str> = step.shown.clone().map(|number| page.line(block, number)).collect();
                if agrees(&shown, &real) {
                    continue;
                }
                if std::env::var_os("UPDATE_GOLDEN").is_some() && !shown.contains(&pages::LEFT_OUT) {
                    let indented = real.iter().map(|line| format!("{}{line}", " ".repeat(block.indent)));
                    new.push((step.shown.clone(), indented.collect()));
                    continue;
                }
                let at = step.shown.start;
                wrong.push(format!("{}:{at}: {} shows\n{}", page.name, step.command, real.join("\n")));
            }
        }
        if !new.is_empty() {
            for (range, lines) in new.into_iter().rev() {
                page.lines.splice(range, lines);
            }
            std::fs::write(root().join(&page.name), page.lines.join("\n") + "\n").unwrap();
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n\n"));
    assert!(screens >= 20, "{screens} screens");
}

#[test]
fn screens_fit_into_80_columns() {
    for page in pages() {
        for block in page.blocks().iter().filter(|block| block.language == "console") {
            for number in block.lines.clone() {
                let line = page.line(block, number);
                assert!(line.width() <= usize::from(COLUMNS), "{}:{}: {line}", page.name, number + 1);
            }
        }
    }
}

/// The words of every call of this command in a line of shell.
fn calls(line: &str) -> Vec<Vec<String>> {
    let words = shlex::split(line).unwrap_or_default();
    let mut calls = Vec::new();
    for (at, word) in words.iter().enumerate() {
        let before = at.checked_sub(1).map_or("", |before| words[before].as_str());
        let begins = ["", "$", "#", "|", "&&", ";", "-", "sudo", "run:", "script:"].contains(&before);
        let from_source = word == "--" && words[..at].ends_with(&["run".into(), "--release".into()]);
        if (word == "l2tp-inspect" && begins) || from_source {
            let ends = |word: &&String| !["|", ">", "&", ";", "2>"].iter().any(|end| word.starts_with(end));
            let options = words[at + 1..].iter().take_while(ends).cloned();
            calls.push(std::iter::once("l2tp-inspect".to_owned()).chain(options).collect());
        }
    }
    calls
}

/// What is wrong with a call.
fn fault(words: &[String]) -> Option<String> {
    let args = match Args::try_parse_from(words) {
        Ok(args) => args,
        Err(error) if [ErrorKind::DisplayHelp, ErrorKind::DisplayVersion].contains(&error.kind()) => {
            return None;
        }
        Err(error) => return Some(error.to_string()),
    };
    let expressions = args.filter.iter().chain(&args.fields);
    let mut faults =
        expressions.filter_map(|expression| Filter::new(expression).err().map(|error| error.what));
    let unknown = args.explain.filter(|id| !rules::all().any(|rule| rule.id == id.as_str()));
    faults.next().or(unknown)
}

/// Lines of a block, those that end with `\` put together with the next.
fn joined(page: &Page, block: &pages::Block) -> Vec<String> {
    let mut lines: Vec<String> = Vec::new();
    for number in block.lines.clone() {
        let line = page.line(block, number);
        match lines.last_mut().and_then(|before| before.strip_suffix('\\').map(str::to_owned)) {
            Some(before) => *lines.last_mut().unwrap() = before + line.strip_prefix("> ").unwrap_or(line),
            None => lines.push(line.to_owned()),
        }
    }
    lines
}

#[test]
fn commands_are_commands() {
    let (mut wrong, mut found) = (Vec::new(), 0);
    for page in pages() {
        for block in page.blocks() {
            let at = block.lines.start;
            // What is run may be wrong on purpose.
            if block.language == "console" && page.line(&block, at).starts_with("$ ") {
                continue;
            }
            for line in joined(&page, &block) {
                // A prompt of root's would begin a comment of the shell.
                let line = line.strip_prefix("# ").filter(|_| block.language == "console").unwrap_or(&line);
                let words = shlex::split(line).unwrap_or_default();
                for path in
                    words.iter().filter(|word| word.starts_with("testdata/") && block.language == "sh")
                {
                    assert!(root().join(path).exists(), "{}: {path}", page.name);
                }
                for call in calls(line) {
                    found += 1;
                    if let Some(fault) = fault(&call) {
                        wrong.push(format!("{}:{at}: {}: {fault}", page.name, call.join(" ")));
                    }
                }
            }
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
    assert!(found >= 10, "{found} commands");
}

/// What stands between backquotes outside blocks.
fn spans(page: &Page) -> Vec<(usize, String)> {
    let blocks = page.blocks();
    let outside = |number: &usize| !blocks.iter().any(|block| block.lines.contains(number));
    let lines =
        page.lines.iter().enumerate().filter(|(number, line)| outside(number) && !line.contains("```"));
    lines
        .flat_map(|(number, line)| {
            line.split('`').skip(1).step_by(2).map(move |span| (number + 1, span.to_owned()))
        })
        .collect()
}

#[test]
fn filters_in_tables_are_filters() {
    let mut found = 0;
    for page in pages() {
        let mut in_table = false;
        for (number, line) in page.lines.iter().enumerate() {
            in_table = line.starts_with('|') && (in_table || line.ends_with("| Filter |"));
            let Some(filter) = line.split('`').nth(1).filter(|_| in_table) else { continue };
            found += 1;
            let fault = Filter::new(filter).err().map(|error| error.what);
            assert_eq!(fault, None, "{}:{}: {filter}", page.name, number + 1);
        }
    }
    assert!(found >= 10, "{found} filters");
}

/// Options in the text that are cargo's and strongSwan's.
const OF_OTHERS: [&str; 2] = ["--no-default-features", "--enable-save-keys"];

#[test]
fn options_in_the_text_exist() {
    let mut command = Args::command();
    command.build();
    let known: Vec<String> = command
        .get_arguments()
        .flat_map(|option| {
            let long = option.get_long().map(|name| format!("--{name}"));
            long.into_iter().chain(option.get_short().map(|name| format!("-{name}")))
        })
        .collect();
    let mut found = 0;
    for page in pages() {
        for (line, span) in spans(&page) {
            let place = format!("{}:{line}: {span}", page.name);
            if span.trim_start_matches("sudo ").starts_with("l2tp-inspect ") {
                assert_eq!(fault(&calls(&span).concat()), None, "{place}");
            }
            let is_option = span.starts_with('-') && span.len() > 1 && !span.starts_with("-----");
            let name = span.split([' ', '=']).next().unwrap_or_default();
            if is_option && !OF_OTHERS.contains(&name) {
                found += 1;
                assert!(known.iter().any(|option| option == name), "{place}: no such option");
            }
        }
    }
    assert!(found >= 40, "{found} options");
}

#[test]
fn links_lead_somewhere() {
    for page in pages() {
        let folder = root().join(&page.name);
        let folder = folder.parent().unwrap_or(Path::new(""));
        for (number, line) in page.lines.iter().enumerate() {
            let targets = line.split("](").skip(1).filter_map(|rest| rest.split([')', '#']).next());
            for target in targets.filter(|target| !target.is_empty() && !target.contains("://")) {
                assert!(folder.join(target).exists(), "{}:{}: {target}", page.name, number + 1);
            }
        }
    }
}
