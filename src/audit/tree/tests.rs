//! The tree against the definition of RFC 6962, said again in the plainest way.

use proptest::prelude::*;

use super::*;
use crate::audit::ChainTag;

/// The root over leaves, as the RFC defines it.
fn naive_root(leaves: &[TreeHash]) -> TreeHash {
    match leaves {
        [] => TreeHash::of_empty_tree(),
        [leaf] => *leaf,
        _ => {
            let (left, right) = leaves.split_at(leaves.len().next_power_of_two() / 2);
            TreeHash::above(naive_root(left), naive_root(right))
        }
    }
}

/// The path of a leaf, as the RFC defines it.
fn naive_path(index: usize, leaves: &[TreeHash]) -> Vec<TreeHash> {
    if leaves.len() == 1 {
        return vec![];
    }
    let (left, right) = leaves.split_at(leaves.len().next_power_of_two() / 2);
    let (mut path, other) = match index < left.len() {
        true => (naive_path(index, left), right),
        false => (naive_path(index - left.len(), right), left),
    };
    path.push(naive_root(other));
    path
}

fn leaves(count: usize) -> Vec<TreeHash> {
    (0..count).map(|index| TreeHash::of_leaf(&index.to_be_bytes())).collect()
}

/// A tree over leaves: where it stands, and what is stored of it.
fn grown(leaves: &[TreeHash]) -> (Frontier, Vec<TreeHash>) {
    let (mut frontier, mut stored) = (Frontier::default(), Vec::new());
    for leaf in leaves {
        frontier.push(*leaf, |hash| stored.push(hash));
    }
    (frontier, stored)
}

fn from(stored: &[TreeHash]) -> impl FnMut(u64) -> Result<TreeHash, ()> {
    |at| stored.get(usize::try_from(at).unwrap()).copied().ok_or(())
}

fn hex(text: &str) -> Vec<u8> {
    (0..text.len() / 2)
        .map(|at| u8::from_str_radix(&text[2 * at..2 * at + 2], 16).unwrap())
        .collect()
}

/// The eight leaves and roots that implementations of Certificate Transparency test themselves with.
#[test]
fn roots_are_those_of_certificate_transparency() {
    let data = [
        "",
        "00",
        "10",
        "2021",
        "3031",
        "40414243",
        "5051525354555657",
        "606162636465666768696a6b6c6d6e6f",
    ];
    let roots = [
        "6e340b9cffb37a989ca544e6bb780a2c78901d3fb33738768511a30617afa01d",
        "fac54203e7cc696cf0dfcb42c92a1d9dbaf70ad9e621f4bd8d98662f00e3c125",
        "aeb6bcfe274b70a14fb067a5e5578264db0fa9b51af5e0ba159158f329e06e77",
        "d37ee418976dd95753c1c73862b9398fa2a2cf9b4ff0fdfe8b30cd95209614b7",
        "4e3bbb1f7b478dcfe71fb631631519a3bca12c9aefca1612bfce4c13a86264d4",
        "76e67dadbcdf1e10e1b74ddc608abd2f98dfb16fbce75277b5232a127f2087ef",
        "ddb89be403809e325750d3d263cd78929c2942b7942a34b77e122c9594a74c8c",
        "5dc9da79a70659a9ad559cb701ded9a2ab9d823aad2f4960cfe370eff4604328",
    ];
    let mut frontier = Frontier::default();
    for (data, root) in data.iter().zip(roots) {
        frontier.push(TreeHash::of_leaf(&hex(data)), |_| {});
        assert_eq!(frontier.root().as_bytes()[..], hex(root), "{}", frontier.size());
    }
}

#[test]
fn a_leaf_is_over_length_line_and_tag() {
    let tag = ChainTag::from_bytes([7; 32]);
    let data = [&[0, 0, 0, 0, 0, 0, 0, 3][..], "{é".as_bytes(), &[7; 32]].concat();
    assert_eq!(leaf_of("{é", &tag), TreeHash::of_leaf(&data));
    // Neither a node nor a leaf passes for the other.
    let (left, right) = (leaf_of("a", &tag), leaf_of("b", &tag));
    let both = [&left.as_bytes()[..], right.as_bytes()].concat();
    assert_ne!(TreeHash::above(left, right), TreeHash::of_leaf(&both));
}

#[test]
fn a_hash_has_one_spelling() {
    let hash = TreeHash::from_bytes(std::array::from_fn(|at| at as u8));
    let text = hash.to_string();
    assert_eq!(text.parse(), Ok(hash));
    let trailing = text.replace("8=", "9=");
    for bad in ["", &text[..43], &text[1..], &format!("{text}="), &format!(" {text}"), &trailing] {
        assert!(bad.parse::<TreeHash>().is_err(), "{bad}");
    }
}

#[test]
fn places_that_no_number_holds_are_none() {
    assert_eq!(stored_position(63, 0), Some(u64::MAX - 1));
    for (level, index) in [(64, 0), (63, 1), (63, 2), (1, u64::MAX), (0, u64::MAX)] {
        assert_eq!(stored_position(level, index), None, "{level} {index}");
    }
}

/// Every size, index and pair of sizes there is of a small tree: right proofs pass, and nothing else does.
#[test]
fn small_trees_are_proved_as_the_definition_says_and_no_otherwise() {
    let all = leaves(20);
    let (_, stored) = grown(&all);
    for size in 1..=all.len() {
        let root = naive_root(&all[..size]);
        let tree = (size as u64, root);
        assert_eq!(grown(&all[..size]).0.root(), root);
        assert_eq!(stored_count(size as u64) as usize, grown(&all[..size]).1.len());
        for index in 0..size {
            let path = inclusion(index as u64, size as u64, &mut from(&stored)).unwrap().unwrap();
            assert_eq!(path, naive_path(index, &all[..size]), "{index} of {size}");
            for (other, leaf) in all.iter().enumerate() {
                assert_eq!(included(*leaf, index as u64, tree, &path), other == index);
            }
            assert!(!included(all[index], size as u64, tree, &path));
        }
        for before in 1..=size {
            let old = (before as u64, naive_root(&all[..before]));
            let proof = consistency(old.0, tree.0, &mut from(&stored)).unwrap().unwrap();
            assert!(consistent(old, tree, &proof), "{before} in {size}");
            for other in (1..=size).filter(|other| *other != before) {
                let other = (other as u64, naive_root(&all[..other]));
                assert!(!consistent(other, tree, &proof), "{other:?} in {size} as {before}");
                assert!(!consistent((old.0, other.1), tree, &proof));
            }
        }
        assert_eq!(inclusion(size as u64, size as u64, &mut from(&stored)), Ok(None));
        assert_eq!(consistency(size as u64 + 1, size as u64, &mut from(&stored)), Ok(None));
        assert!(consistent((0, TreeHash::of_empty_tree()), tree, &[]));
        assert!(!consistent((0, root), tree, &[]) && !consistent(tree, (0, root), &[]));
    }
}

proptest! {
    /// A proof of which anything is changed, left out, added or swapped shows nothing.
    #[test]
    fn a_proof_that_is_not_the_one_that_was_made_shows_nothing(
        size in 2_usize..300, index in 0_usize..300, before in 1_usize..300,
        at in 0_usize..9, bit in 0_usize..256, how in 0..4,
    ) {
        let (index, before) = (index % size, 1 + before % (size - 1));
        let all = leaves(size);
        let (frontier, stored) = grown(&all);
        let tree = (size as u64, frontier.root());
        let old = (before as u64, naive_root(&all[..before]));
        let path = inclusion(index as u64, tree.0, &mut from(&stored)).unwrap().unwrap();
        prop_assert!(included(all[index], index as u64, tree, &path));
        let proof = consistency(old.0, tree.0, &mut from(&stored)).unwrap().unwrap();
        prop_assert!(consistent(old, tree, &proof));
        let spoil = |mut path: Vec<TreeHash>| {
            let at = at % path.len();
            match how {
                0 => {
                    let mut bytes = *path[at].as_bytes();
                    bytes[bit / 8] ^= 1 << (bit % 8);
                    path[at] = TreeHash::from_bytes(bytes);
                }
                1 => drop(path.remove(at)),
                2 => path.insert(at, TreeHash::of_leaf(b"more")),
                _ => path.push(tree.1),
            }
            path
        };
        prop_assert!(!included(all[index], index as u64, tree, &spoil(path)));
        prop_assert!(!consistent(old, tree, &spoil(proof)));
    }
}
