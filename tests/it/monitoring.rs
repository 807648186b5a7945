//! `prometheus/` and `grafana/`: valid, complete, and about what a server really tells.

mod bed;
mod dashboards;
mod expression;
mod files;
mod gateway;
pub mod live;
mod nodes;
pub mod prometheus;
mod rules;
