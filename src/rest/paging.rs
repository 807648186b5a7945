//! Which page a request wants: `page_num` and `page_size`.

use common::page::{DEFAULT_SIZE, MAX_SIZE, Paging};

use super::error::Invalid;
use super::params::Params;

/// Reads `page_num` and `page_size`.
///
/// # Errors
/// [`Invalid`] when one is not an integer or is below 1.
pub fn paging(params: &Params) -> Result<Paging, Invalid> {
    let num = at_least_one(params, "page_num", 1)?;
    let size = at_least_one(params, "page_size", DEFAULT_SIZE)?;
    Ok(Paging { num, size: size.min(MAX_SIZE) })
}

fn at_least_one(params: &Params, name: &str, default: u64) -> Result<u64, Invalid> {
    let wide: i128 = params.number(name, i128::from(default))?;
    let value = u64::try_from(wide).ok().filter(|&value| value >= 1);
    value.ok_or_else(|| Invalid(format!("{name}: must be an integer from 1")))
}
