//! Growing trees when sums over rows are exact.
//!
//! If all targets are whole multiples of one power of two, and not too large, then sums over rows are the same in every
//! order, and a split's score depends on its two sets of rows alone. This engine uses that freedom; its trees equal the
//! reference path's byte by byte. It sorts columns once for all trees and keeps them sorted from node to node
//! ([`lists`]), searches columns with few values by bins ([`bins`]), knows which features are constant before it draws them
//! ([`draw`]), and treats sets of up to 16 rows as bits ([`small`]).

mod bins;
pub(crate) mod columns;
mod contest;
mod draw;
mod grow;
mod limits;
mod lists;
mod node_sums;
mod nodes;
mod row_sets;
mod search;
mod small;
pub(crate) mod targets;

pub(crate) use self::{columns::Columns, grow::grow, limits::GrowLimits, targets::WholeTargets};
