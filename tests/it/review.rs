//! Jobs of the review service, whatever fails or is killed: one for each live, none lost sight of.

mod bed;
mod crashes;
mod jobs;
