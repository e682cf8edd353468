//! Files to blobs and back: the engine below [`Datastores`](crate::Datastores), models, data, environments and code.
//!
//! [`Container`] knows how to get into a container of a storage account and sends single requests, again where that helps. Uploads and
//! downloads are built on it: [`upload()`] of [`LocalFiles`] and [`download()`] of everything below a path.

mod bearer;
mod blocks;
mod container;
mod download;
mod local_files;
mod options;
mod refusal;
mod sas;
mod upload;

pub(crate) use container::Container;
pub use download::Downloaded;
pub(crate) use download::download;
pub(crate) use local_files::LocalFiles;
pub use options::{TransferOptions, TransferProgress};
pub(crate) use upload::{Confirmation, upload};
