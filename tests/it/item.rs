//! Items below the routes: races, events, crashes, statements, and what happens when the anchor leaves.

mod bed;
mod crashes;
mod ending;
mod races;
mod statements;
