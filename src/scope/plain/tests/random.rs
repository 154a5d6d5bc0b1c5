//! What is plain, of scopes and calls at random.

use super::*;

fn leaves() -> impl Strategy<Value = Constraint> {
    let text = || "[ab/]{1,2}";
    prop_oneof![
        3 => Just(any()),
        1 => Just(present()),
        1 => Just(absent()),
        2 => scalars().prop_map(eq),
        2 => vec(scalars(), 1..5).prop_map(one_of),
        1 => (-1..4_i32).prop_map(min),
        1 => (-1..4_i32).prop_map(below),
        1 => text().prop_map(|text| prefix(&text)),
        1 => text().prop_map(|text| suffix(&text)),
        1 => text().prop_map(|text| contains(&text)),
        1 => (0..3_u64, 0..2_u64).prop_map(|(low, more)| len(low..=low + more)),
        1 => sample::select(vec!["/", ".", "/a", "a", "a/b"]).prop_map(under),
    ]
}

/// Of the kinds that are plain.
fn plain_constraints() -> impl Strategy<Value = Constraint> {
    prop_oneof![3 => leaves(), 1 => vec(leaves(), 1..4).prop_map(all_of)]
        .prop_filter("can be meant", |own| own.check().is_ok())
}

fn capabilities(
    constraints: impl Strategy<Value = Constraint> + Clone + 'static,
    of_resources: bool,
) -> impl Strategy<Value = Vec<Capability>> {
    let of_args = (sample::select(&ARGS[..]), constraints.clone())
        .prop_map(|(name, own)| Condition::new(Fact::arg(name), own));
    let facts = vec![Fact::ResourceType, Fact::ResourceId, Fact::ResourceAttr("a".into())];
    let of_resource =
        (sample::select(facts), constraints).prop_map(|(fact, own)| Condition::new(fact, own));
    let resources = [ResourceOpenness::None, ResourceOpenness::Named, ResourceOpenness::Any];
    let one = (
        sample::select(&TOOLS[..]),
        vec(of_args, 0..4),
        vec(of_resource, 0..=usize::from(of_resources)),
        arbitrary::<bool>(),
        sample::select(resources.to_vec()),
    );
    let one = one.prop_map(|(name, of_args, of_resource, other_args, resource)| {
        let resource = if of_resource.is_empty() { resource } else { ResourceOpenness::Named };
        let conditions = of_args.into_iter().chain(of_resource).collect();
        Capability { tool: tool(name), conditions, openness: Openness { other_args, resource } }
    });
    vec(one, 1..4)
}

fn calls(values: impl Strategy<Value = Value>) -> impl Strategy<Value = (ToolName, CallWitness)> {
    let args = vec((sample::select(&["a", "b", "ab", "", "z"][..]), values), 0..4);
    (sample::select(&TOOLS[..]), args, arbitrary::<bool>()).prop_map(|(name, pairs, resource)| {
        let mut args = Object::new();
        for (name, value) in pairs {
            // A name met again keeps its first value.
            let _ = args.insert(name, value);
        }
        (tool(name), CallWitness { args, resource: resource.then(Default::default) })
    })
}

fn all_values() -> impl Strategy<Value = Value> {
    prop_oneof![values(), sample::select(&READ[..]).prop_map(Value::from)]
}

/// Pieces of the bytes changed, left out, put in, said twice and exchanged.
fn edited(mut bytes: Vec<u8>, edits: &[(u8, Index, Index, u8)]) -> Vec<u8> {
    for (edit, from, to, byte) in edits {
        let (from, to) = (from.index(bytes.len() + 1), to.index(bytes.len() + 1));
        let (from, to) = (from.min(to), from.max(to));
        match edit {
            0 if from < bytes.len() => bytes[from] = *byte,
            1 => drop(bytes.drain(from..to)),
            2 => bytes.insert(from, *byte),
            3 => {
                let piece = bytes[from..to].to_vec();
                drop(bytes.splice(to..to, piece));
            }
            _ => bytes[from..to].rotate_left(usize::from(*byte) % (to - from).max(1)),
        }
    }
    bytes
}

proptest! {
    /// attack 66, attack 152: the short way says nothing that the long way does not
    #[test]
    fn what_is_told_plainly_is_so(
        capabilities in prop_oneof![
            capabilities(plain_constraints().boxed(), true),
            capabilities(mixed_constraints().boxed(), true),
        ],
        call in calls(all_values()),
    ) {
        let Some(bytes) = encoded(&capabilities) else { return Ok(()) };
        plainness(&bytes, &call.0, &call.1);
    }

    #[test]
    fn of_plain_kinds_and_values_without_parts_all_is_told_plainly(
        capabilities in capabilities(plain_constraints().boxed(), false),
        (tool, call) in calls(scalars()),
    ) {
        let bytes = encoded(&capabilities).unwrap();
        prop_assert!(is_plain(&bytes));
        let parts = (tool.as_str(), &call.args, call.resource.is_some());
        let covered = Capability::first_covering(&capabilities, parts, &call, &Meter::ample()).is_some();
        let told = if covered { Plainly::Covers } else { Plainly::Refuses };
        prop_assert_eq!(plainly(&bytes, (&tool, &call.args, call.resource.is_some())), told);
    }

    /// attack 66, attack 68
    #[test]
    fn no_other_bytes_are_plain_than_those_that_can_be_read(
        capabilities in capabilities(plain_constraints().boxed(), true),
        call in calls(all_values()),
        edits in vec(
            (0..5u8, arbitrary::<Index>(), arbitrary::<Index>(), prop_oneof![0..26u8, arbitrary::<u8>()]),
            1..4,
        ),
    ) {
        let bytes = edited(encoded(&capabilities).unwrap(), &edits);
        plainness(&bytes, &call.0, &call.1);
    }

    #[test]
    fn no_bytes_at_all_are_plain_that_cannot_be_read(
        bytes in vec(prop_oneof![0..26u8, arbitrary::<u8>()], 0..80),
        call in calls(scalars()),
    ) {
        let of_a = [b"\x01\x01t\0\x01\x01\x01a".as_slice(), &bytes].concat();
        for bytes in [bytes, of_a] {
            plainness(&bytes, &call.0, &call.1);
        }
    }
}
