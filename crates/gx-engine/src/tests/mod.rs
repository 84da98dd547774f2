//! The path of a command behind HTTP, on both SQL engines, with everything that may break broken.

mod clock;
mod collecting;
mod courier;
mod dead;
mod faults;
mod keeping;
mod lanes;
mod path;
mod promoting;
mod rig;
mod telling;
