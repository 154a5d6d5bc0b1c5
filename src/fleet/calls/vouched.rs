//! Whom other nodes may attest.

use std::sync::Arc;

/// Which nodes may attest which subjects to this one: none unless it is said.
#[derive(Clone, Debug, Default)]
pub(in crate::fleet) struct Vouched(Arc<Vec<(Box<str>, Box<str>)>>);

impl Vouched {
    /// Lets a node attest a subject, or all that begin with what stands before a `*` at the end.
    pub(in crate::fleet) fn add(&mut self, node: &str, subjects: &str) {
        Arc::make_mut(&mut self.0).push((node.into(), subjects.into()));
    }

    /// Whether a node may attest somebody who is known by all of these names.
    pub(super) fn covers<'n>(&self, node: &str, mut names: impl Iterator<Item = &'n str>) -> bool {
        names.all(|name| {
            let of_node = self.0.iter().filter(|(own, _)| **own == *node);
            of_node.into_iter().any(|(_, subjects)| match subjects.strip_suffix('*') {
                Some(prefix) => name.starts_with(prefix),
                None => **subjects == *name,
            })
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_node_attests_whom_it_may_and_no_one_else() {
        let mut vouched = Vouched::default();
        vouched.add("n1", "agent-*");
        vouched.add("n1", "ada");
        let covers = |node, names: &[&str]| vouched.covers(node, names.iter().copied());
        assert!(covers("n1", &["agent-7"]) && covers("n1", &["ada", "agent-1"]));
        assert!(!covers("n1", &["adam"]) && !covers("n1", &["bob"]) && !covers("n2", &["ada"]));
        assert!(!covers("n1", &["agent-7", "bob"]), "all of its names");
    }
}
