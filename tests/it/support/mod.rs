//! What several modules of tests need.

pub mod fake_im;
