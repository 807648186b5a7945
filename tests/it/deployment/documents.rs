//! docs/operations.md and docs/migration.md name what there is.

use std::process::Command;

use super::{path, text};

const DOCUMENTS: [&str; 2] = ["docs/operations.md", "docs/migration.md"];

/// What stands between backticks, and the lines of the blocks of code.
fn code(document: &str) -> Vec<String> {
    let mut found = Vec::new();
    for (number, part) in text(document).split("```").enumerate() {
        if number % 2 == 1 {
            found.extend(part.lines().skip(1).map(str::to_owned));
        } else {
            found.extend(part.split('`').skip(1).step_by(2).map(|span| span.replace('\n', " ")));
        }
    }
    assert!(found.len() > 20, "{document}");
    found
}

#[test]
fn every_file_that_they_name_is_there() {
    for document in DOCUMENTS {
        for target in
            text(document).split("](").skip(1).map(|rest| rest.split(')').next().unwrap().to_owned())
        {
            let file = target.split('#').next().unwrap();
            assert!(file.is_empty() || path("docs").join(file).is_file(), "{document}: {target}");
        }
        for word in code(document).iter().flat_map(|code| code.split_whitespace()) {
            let is_ours = ["deploy/", "docs/", "bench/", "CHANGELOG", "docker-compose.yml", ".env.example"];
            // What the line before makes of the example.
            let is_made = word == "deploy/kubernetes/secret.yaml";
            if is_ours.iter().any(|begin| word.starts_with(begin)) && !is_made {
                assert!(path(word).exists(), "{document}: {word}");
            }
        }
    }
}

/// What stands before a command: nothing, or what runs it in a container.
const BEFORE: [&str; 2] = [" -- ", " live1 "];

/// The arguments of each `liveloom …` that they show.
fn commands(document: &str) -> Vec<Vec<String>> {
    let shown = code(document).into_iter().filter_map(|code| {
        let (before, call) = code.rsplit_once("liveloom ")?;
        let is_call = before.is_empty() || BEFORE.iter().any(|end| before.ends_with(end));
        let words = call.split(['>', '#']).next()?.split_whitespace();
        is_call.then(|| words.map(str::to_owned).collect())
    });
    shown.collect()
}

#[test]
fn every_command_that_they_show_is_known_with_its_options() {
    for document in DOCUMENTS {
        let commands = commands(document);
        assert!(commands.len() > 5, "{document}: {commands:?}");
        for words in commands {
            let names = words.iter().take_while(|word| word.starts_with(|c: char| c.is_ascii_lowercase()));
            let mut command = Command::new(env!("CARGO_BIN_EXE_liveloom"));
            let output = command.args(names).arg("--help").output().unwrap();
            let help = String::from_utf8_lossy(&output.stdout).into_owned();
            assert!(output.status.success(), "{document}: liveloom {words:?}");
            for option in words.iter().filter(|word| word.starts_with("--")) {
                assert!(help.contains(option.as_str()), "{document}: liveloom {words:?} has no {option}");
            }
        }
    }
}

#[test]
fn every_setting_that_they_name_is_in_the_example() {
    let example: serde_yaml::Value = serde_yaml::from_str(&text("config.example.yaml")).unwrap();
    for document in DOCUMENTS {
        for span in code(document) {
            let word = span.split(':').next().unwrap();
            let Some((section, key)) = word.split_once('.') else { continue };
            let Some(settings) = example.get(section).filter(|settings| settings.is_mapping()) else {
                continue;
            };
            let key = key.split('.').next().unwrap();
            assert!(settings.get(key).is_some(), "{document}: {span}");
        }
    }
}
