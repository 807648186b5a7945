//! Figures of the cache, printed and not judged: `cargo test -- --ignored --nocapture speed`.
