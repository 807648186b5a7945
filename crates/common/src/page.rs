//! Paging: `page_num`, `page_size` in, `{total_count, page_total, end_page, list}` out.

use serde::Serialize;
use utoipa::ToSchema;

/// Rows of the largest page; a larger `page_size` counts as this.
pub const MAX_SIZE: u64 = 200;

/// Rows of a page when nobody says.
pub const DEFAULT_SIZE: u64 = 10;

/// Which page is wanted.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Paging {
    /// From 1.
    pub num: u64,
    /// 1 to [`MAX_SIZE`].
    pub size: u64,
}

impl Paging {
    /// Rows before this page; saturates, since a page that far out is empty anyway.
    #[must_use]
    pub fn offset(self) -> u64 {
        const LARGEST: u64 = i64::MAX.unsigned_abs();
        (self.num - 1).saturating_mul(self.size).min(LARGEST)
    }
}

/// One page of a list.
#[derive(Debug, Serialize, ToSchema)]
pub struct Page<T> {
    /// Rows in all pages.
    pub total_count: u64,
    /// Pages in all.
    pub page_total: u64,
    /// Whether this is the last page, or beyond it.
    pub end_page: bool,
    /// The rows of this page.
    pub list: Vec<T>,
}

impl<T> Page<T> {
    /// The page `paging` of `total_count` rows.
    #[must_use]
    pub fn new(paging: Paging, total_count: u64, list: Vec<T>) -> Self {
        Self {
            total_count,
            page_total: total_count.div_ceil(paging.size),
            end_page: paging.num.saturating_mul(paging.size) >= total_count,
            list,
        }
    }
}
