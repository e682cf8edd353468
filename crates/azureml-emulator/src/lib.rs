#![doc = include_str!("../README.md")]

mod arm;
mod authority;
mod blob;
mod clock;
mod cloud_metadata;
mod connections;
mod contents;
mod door;
mod durable;
mod emulator;
mod environment;
mod error;
mod front;
mod history;
mod jobs;
mod moment;
mod place;
mod process;
mod proxy;
mod run;
mod secrets;
mod settings;
mod signature;
mod store;
mod token;
mod world;

pub use clock::Clock;
pub use emulator::{Emulator, EmulatorBuilder};
pub use environment::{Environment, Shell, Way};
pub use error::Error;

/// A result with this crate's [`Error`].
pub type Result<T, E = Error> = std::result::Result<T, E>;
