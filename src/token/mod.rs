//! Tokens: the signed, ephemeral wire form of a grant.
