//! `prometheus/` and `grafana/`: valid, complete, and about what a server really tells.

mod bed;
mod dashboards;
mod expression;
mod files;
mod gateway;
mod live;
mod nodes;
mod prometheus;
mod rules;
