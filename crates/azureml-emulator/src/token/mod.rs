//! Tokens, and the services that hand them out.

mod identity;
mod jwt;
mod sign_in;

pub(crate) use self::{
    identity::answer as answer_identity,
    jwt::{Claims, TokenIssuer},
    sign_in::answer as answer_sign_in,
};
