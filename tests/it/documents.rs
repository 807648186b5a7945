//! The documents say what the project is made of.

const MANIFEST: &str = include_str!("../../Cargo.toml");
const DEPENDENCIES: &str = include_str!("../../docs/DEPENDENCIES.md");

/// Names of the crates in one section of the manifest.
fn crates(section: &str) -> Vec<&'static str> {
    let (_, after) = MANIFEST.split_once(&format!("\n[{section}]\n")).unwrap();
    let lines = after.lines().take_while(|line| !line.starts_with('['));
    let names = lines.filter_map(|line| line.split_once([' ', '.', '=']).map(|(name, _)| name));
    names.filter(|name| !name.is_empty() && !name.starts_with('#')).collect()
}

#[test]
fn every_dependency_is_explained() {
    let own = ["migrations", "testbed"];
    for section in ["dependencies", "dev-dependencies"] {
        let names = crates(section);
        assert!(names.len() > 2, "{section}: {names:?}");
        for name in names.into_iter().filter(|name| !own.contains(name)) {
            let named = DEPENDENCIES.split(|c: char| !(c.is_alphanumeric() || "-_".contains(c)));
            assert!(
                named.into_iter().any(|word| word == name),
                "{section}: {name} is not in docs/DEPENDENCIES.md"
            );
        }
    }
}
