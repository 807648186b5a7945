//! Likes: counted, written, taken over, told; and what a kill at each step leaves.

mod adoption;
mod bed;
mod counting;
mod crash;
mod notices;
