//! Who asks for exactly what it will call can be given it.

use serde_json::{Value, json};

use crate::situation::Situation;

fn permit(rule: &str) -> String {
    format!("[[rule]]\nid = \"p\"\neffect = \"permit\"\n{rule}\n")
}

/// Where the scope pins what is referred to, it is known, from whichever end the relation is written.
#[test]
fn a_comparison_with_what_the_scope_pins_is_known() {
    let close = Situation::new(&permit(
        r#"why.ticket = { same_as = "args.ticket" }
           what = { tool = "close", args = { ticket = "any" } }"#,
    ));
    let ticket = |own| json!([{ "tool": "close", "args": { "ticket": own } }]);
    assert!(close.granted(&ticket(json!("T-7"))));
    assert!(close.granted(&ticket(json!({ "all": [{ "prefix": "T-" }, { "eq": "T-7" }] }))));
    assert!(!close.granted(&ticket(json!("T-8"))));
    assert!(!close.granted(&ticket(json!({ "one_of": ["T-7", "T-8"] }))));
    assert!(!close.granted(&ticket(json!("any"))));

    let moved = Situation::new(&permit(
        r#"what = { tool = "move", args = { from = "any", to = { not = { same_as = "args.from" } } } }"#,
    ));
    let scope = |from, to| json!([{ "tool": "move", "args": { "from": from, "to": to } }]);
    assert!(moved.granted(&scope(json!("A"), json!("B"))));
    assert!(
        moved.granted(&scope(json!({ "one_of": ["A", "B"] }), json!({ "one_of": ["C", "D"] })))
    );
    assert!(
        !moved.granted(&scope(json!({ "one_of": ["A", "B"] }), json!({ "one_of": ["B", "C"] })))
    );
    assert!(!moved.granted(&scope(json!("A"), json!("A"))));
    assert!(!moved.granted(&scope(json!("A"), json!("any"))));
    // Nothing is the same as what is not filled in, and neither is it another.
    assert!(!moved.granted(&scope(json!("A"), json!({ "eq": "" }))));
    assert!(moved.granted(&scope(json!("any"), json!({ "not": { "same_as": "args.from" } }))));
    let grant = moved.request(&scope(json!("A"), json!("B"))).unwrap();
    let call = |from, to| json!({ "tool": "move", "args": { "from": from, "to": to } });
    assert_eq!(moved.call(&grant, &call("A", "B")), Ok(()));
    assert!(moved.call(&grant, &call("B", "A")).is_err());
}

/// A condition that compares with two parts of the call is asked once for each pair that the scope leaves: sixteen at most.
#[test]
fn a_scope_that_leaves_few_ways_is_known_in_each_and_one_that_leaves_more_is_open() {
    let apart = Situation::new(&permit(
        r#"what = { tool = "move", args = { from = "any", by = "any", to = { all = [{ not = { same_as = "args.from" } }, { not = { same_as = "args.by" } }] } } }"#,
    ));
    let some = |first: &str, many: usize| -> Value {
        json!({ "one_of": (0..many).map(|n| format!("{first}{n}")).collect::<Vec<_>>() })
    };
    let scope = |from: usize, by: usize| {
        let to = json!({ "prefix": "to" });
        json!([{ "tool": "move", "args": { "from": some("f", from), "by": some("b", by), "to": to } }])
    };
    for (from, by, known) in
        [(1, 1, true), (2, 8, true), (4, 4, true), (4, 5, false), (1, 17, false)]
    {
        assert_eq!(apart.granted(&scope(from, by)), known, "{from} and {by}");
    }
}

#[test]
fn a_resource_may_be_named_by_an_argument_that_the_scope_pins() {
    let named = Situation::new(&permit(
        r#"what = { tool = "read", args = { name = "any" }, resource = { type = "doc", id = { same_as = "args.name" } } }"#,
    ));
    let scope = |name, id| json!([{ "tool": "read", "args": { "name": name }, "resource": { "type": "doc", "id": id } }]);
    assert!(named.granted(&scope(json!("a"), json!("a"))));
    assert!(!named.granted(&scope(json!("a"), json!("b"))));
    assert!(!named.granted(&scope(json!("a"), json!("any"))));
    assert!(named.granted(&scope(json!("any"), json!({ "same_as": "args.name" }))));
    // What is compared with may lie inside of an argument.
    let inside = Situation::new(&permit(
        r#"what = { tool = "read", args = { q = "any" }, resource = { type = "doc", id = { same_as = "args.q.name" } } }"#,
    ));
    let scope = |q| json!([{ "tool": "read", "args": { "q": q }, "resource": { "type": "doc", "id": "a" } }]);
    assert!(inside.granted(&scope(json!({ "fields": { "name": "a" }, "other_fields": "any" }))));
    assert!(inside.granted(&scope(json!({ "eq": { "name": "a", "page": 2 } }))));
    assert!(!inside.granted(&scope(json!({ "fields": { "name": "b" } }))));
    assert!(!inside.granted(&scope(json!({ "eq": { "page": 2 } }))));
}

/// Who may act is named by the resource: the scope says by which.
#[test]
fn a_group_that_the_resource_names_is_looked_up_among_ones_own() {
    let pull = Situation::new(&permit(
        r#"who  = { groups = { some = { same_as = "resource.attrs.readers" } } }
           what = { tool = "pull", resource = { type = "repo", id = "any" } }"#,
    ));
    let scope = |readers| json!([{ "tool": "pull", "resource": { "type": "repo", "id": "r1", "attrs": { "readers": readers } } }]);
    assert!(pull.granted(&scope(json!("r1-readers"))));
    assert!(pull.granted(&scope(json!({ "one_of": ["r1-readers", "staff"] }))));
    assert!(!pull.granted(&scope(json!({ "one_of": ["r1-readers", "r2-readers"] }))));
    assert!(!pull.granted(&scope(json!("r2-readers"))));
    assert!(!pull.granted(&scope(json!("any"))));
    let grant = pull.request(&scope(json!("r1-readers"))).unwrap();
    let call = |readers: &str| json!({ "tool": "pull", "resource": { "type": "repo", "id": "r1", "attrs": { "readers": readers } } });
    assert_eq!(pull.call(&grant, &call("r1-readers")), Ok(()));
    assert!(pull.call(&grant, &call("staff")).is_err());

    let team = Situation::new(&permit(
        r#"who  = { attrs = { team = { same_as = "resource.attrs.team" } } }
           what = { tool = "pull", resource = { type = "repo", id = "any" } }"#,
    ));
    let scope = |own| json!([{ "tool": "pull", "resource": { "type": "repo", "id": "any", "attrs": { "team": own } } }]);
    assert!(team.granted(&scope(json!("red"))));
    assert!(!team.granted(&scope(json!("blue"))));
}

/// A forbid that hangs on what the call will say acts at the calls, unless the scope has settled it.
#[test]
fn a_forbid_that_compares_with_the_call_refuses_a_request_only_where_it_acts_on_all_of_it() {
    let policy = |forbid: &str| {
        format!(
            "{}[[rule]]\nid = \"f\"\neffect = \"forbid\"\nwhat = {{ tool = \"t\" }}\n{forbid}\n",
            permit(r#"what = { tool = "t", args = "any" }"#)
        )
    };
    let customer = |own| json!([{ "tool": "t", "args": { "customer": own } }]);
    let call = json!({ "tool": "t", "args": { "customer": "c1" } });
    let other = hallpass::Context::new().with("customer", "c2");
    let context = policy(r#"when = { customer = { not = { same_as = "args.customer" } } }"#);
    let context = Situation::new(&context).with("customer", "c1");
    let grant = context.request(&customer(json!("c1"))).unwrap();
    assert_eq!(context.call(&grant, &call), Ok(()));
    assert!(context.call_with(&grant, &call, &other).is_err());
    assert!(context.granted(&customer(json!("any"))));
    assert!(context.granted(&customer(json!({ "one_of": ["c1", "c2"] }))));
    assert!(!context.granted(&customer(json!("c2"))));
    assert!(!context.granted(&customer(json!({ "one_of": ["c2", "c3"] }))));

    // Whatever it will be compared with, what was not stated leaves it unknown.
    let unstated = policy(r#"when = { tenant = { not = { same_as = "args.customer" } } }"#);
    assert!(!Situation::new(&unstated).granted(&customer(json!("any"))));
    let who = policy(r#"who = { attrs = { team = { same_as = "args.customer" } } }"#);
    let who = Situation::new(&who);
    assert!(who.granted(&customer(json!("any"))));
    assert!(who.granted(&customer(json!("blue"))));
    assert!(!who.granted(&customer(json!("red"))));
    let groups = policy(r#"who = { groups = { some = { same_as = "args.customer" } } }"#);
    let groups = Situation::new(&groups);
    assert!(groups.granted(&customer(json!("any"))) && groups.granted(&customer(json!("x"))));
    assert!(!groups.granted(&customer(json!("staff"))));
    // A request is all that it speaks at: then it acts where it may.
    let once =
        policy("on = [\"request\"]\nwho = { attrs = { team = { same_as = \"args.customer\" } } }");
    let once = Situation::new(&once);
    assert!(!once.granted(&customer(json!("any"))));
    // As `["blue"]` it can't be compared with a text, unless the scope says that it is one.
    assert!(!once.granted(&customer(json!("blue"))));
    assert!(once.granted(&customer(json!({ "type": "text", "eq": "blue" }))));
}

/// Where a permit leaves a value open, there is nothing to search for, however much a scope says of it.
#[test]
fn whatever_a_scope_says_lies_within_anything() {
    let field = |n: usize| (format!("f{n}"), json!("x"));
    let fields: serde_json::Map<_, _> = (0..40).map(field).collect();
    let deep = json!({ "fields": fields });
    let optional = |own: &serde_json::Value| json!({ "any": [own, { "present": false }] });
    let scope = |own: serde_json::Value| json!([{ "tool": "t", "args": { "a": own } }]);
    let anything = Situation::new(&permit(
        r#"what = { tool = "t", args = { a = { any = ["any", { present = false }] } } }"#,
    ));
    for own in [
        optional(&deep),
        deep.clone(),
        json!({ "any": [deep.clone(), { "prefix": "a", "suffix": "b" }, { "present": false }] }),
        json!({ "not": { "fields": { "f": "x" } } }),
        json!({ "each": optional(&deep) }),
        json!("any"),
        json!({ "present": false }),
    ] {
        assert!(anything.granted(&scope(own.clone())), "{own}");
    }
    let there = Situation::new(&permit(r#"what = { tool = "t", args = { a = "any" } }"#));
    assert!(there.granted(&scope(deep.clone())));
    assert!(!there.granted(&scope(optional(&deep))));
    let filled =
        Situation::new(&permit(r#"what = { tool = "t", args = { a = { present = true } } }"#));
    for (own, granted) in [
        (json!({ "eq": {} }), true),
        (json!({ "eq": [] }), true),
        (json!({ "eq": 0 }), true),
        (json!({ "eq": false }), true),
        (json!({ "one_of": [{}, { "a": 1 }] }), true),
        (json!({ "fields": { "a": "any" } }), true),
        (deep.clone(), true),
        (json!({ "eq": "" }), false),
        (json!({ "eq": null }), false),
        (json!({ "one_of": ["a", ""] }), false),
        (optional(&deep), false),
    ] {
        assert_eq!(filled.granted(&scope(own.clone())), granted, "{own}");
    }
}

/// Fields are compared one by one: not in all the ways in which they can be together.
#[test]
fn many_fields_lie_within_as_many() {
    let policy = |field: &str| {
        let fields: Vec<String> = (0..24).map(|n| format!("f{n} = {field}")).collect();
        permit(&format!(
            "what = {{ tool = \"t\", args = {{ a = {{ fields = {{ {} }} }} }} }}",
            fields.join(", ")
        ))
    };
    let scope = |own: serde_json::Value| {
        let fields: serde_json::Map<_, _> =
            (0..24).map(|n| (format!("f{n}"), own.clone())).collect();
        json!([{ "tool": "t", "args": { "a": { "fields": fields } } }])
    };
    let either = Situation::new(&policy(r#"{ any = [{ max = 4 }, { min = 4 }] }"#));
    assert!(either.granted(&scope(json!({ "min": 1, "max": 9 }))));
    let texts = Situation::new(&policy(r#"{ not = { contains = "/" } }"#));
    assert!(texts.granted(&scope(json!({ "glob": "*.pdf" }))));
    assert!(!texts.granted(&scope(json!({ "glob": "**" }))));
}

/// Of a field that has no field, there is but one.
#[test]
fn an_empty_object_is_compared_as_what_it_is() {
    let exactly = Situation::new(&permit(
        r#"what = { tool = "t", args = { a = { any = [{ eq = {} }, { fields = { page = "any" } }] } } }"#,
    ));
    let scope = |own: serde_json::Value| json!([{ "tool": "t", "args": { "a": own } }]);
    assert!(exactly.granted(&scope(json!({ "eq": {} }))));
    assert!(exactly.granted(&scope(json!({ "fields": {} }))));
    assert!(exactly.granted(&scope(
        json!({ "fields": { "page": { "any": [{ "max": 3 }, { "present": false }] } } })
    )));
    assert!(!exactly.granted(&scope(json!({ "fields": { "size": "any" } }))));
}
