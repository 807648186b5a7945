//! `prometheus/` and `grafana/`: valid, complete, and about what a server really tells.

mod bed;
mod dashboards;
mod expression;
mod files;
mod live;
mod prometheus;
mod rules;
