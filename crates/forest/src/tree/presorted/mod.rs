//! Growing trees on columns that were sorted once for all of them.
//!
//! Splits are searched with whole numbers, whose sums are the same in every order. If the targets are whole multiples of one
//! power of two, and not too large, they are these numbers ([`targets`]), and a split's score depends on its two sets of rows
//! alone. Others are rounded ([`real_targets`]): then the numbers leave few candidates, most often one, and where there are
//! more, and in all sums that are stored, scikit-learn's order of additions is repeated ([`in_order`]). Either way trees equal
//! the reference path's byte by byte.
//!
//! Columns stay sorted from node to node ([`lists`]) or are searched by bins if they have few values ([`bins`]); constant
//! features are known before they are drawn ([`draw`]); sets of up to 16 rows are bits of a word ([`small`]). Features have
//! numbers of the engine's own, in which those with two values come last ([`places`]). The order of rows
//! that scikit-learn would leave is found by [`row_order`] with [`sweeps`] or, where ties are rare, [`rare_ties`], and in small
//! sets by [`set_order`].

mod bins;
mod boundaries;
mod close_values;
pub(crate) mod columns;
mod contest;
mod cuts;
mod draw;
mod few_rows;
mod gain_bounds;
mod grow;
mod in_order;
mod limits;
mod lists;
mod node_sums;
mod nodes;
mod packed_rows;
mod places;
mod rare_ties;
pub(crate) mod real_targets;
mod records;
mod row_order;
mod row_sets;
mod search;
mod set_order;
mod small;
mod sweeps;
pub(crate) mod targets;

pub(crate) use self::{
    columns::Columns,
    grow::grow,
    limits::GrowLimits,
    real_targets::RealTargets,
    targets::{TreeTargets, WholeTargets},
};
