//! Lets a release build notice new pages, which it embeds (`src/pages`). Others read them from the folder.

fn main() {
    println!("cargo::rerun-if-changed=build.rs");
    if std::env::var("PROFILE").is_ok_and(|profile| profile == "release") {
        println!("cargo::rerun-if-changed=web/pages");
    }
}
