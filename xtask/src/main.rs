//! Set-up and checks of this workspace that need logic.
fn main() {}
