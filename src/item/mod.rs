//! Items for sale in a room: the list, its order, which one the anchor explains, and the recordings
//! of explanations.

mod demonstration;
pub mod demonstration_handlers;
mod demonstration_queries;
mod dto;
mod error;
pub mod handlers;
mod order;
mod queries;
mod record;
mod seller;
mod service;
mod view;

pub use dto::{
    AddItems, DeleteItems, DeleteRecords, DeletedRecords, ItemOrder, ItemStatus, KeyValue, MergeExtends,
    MoveItem, NewItem, RecordId, SetOrders, SetStatuses, UpdateItem,
};
pub use error::Error;
pub use order::Orders;
pub use seller::Seller;
pub use service::{Items, Parts};
pub use view::{ItemView, RecordStatus, RecordView};
