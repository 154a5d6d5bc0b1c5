//! Tokens narrowed by their holder, at the gate that gave them.

use std::time::Duration;

use hallpass::clock::{ManualClock, Timestamp};
use hallpass::identity::Identity;
use hallpass::prelude::*;
use hallpass::scope::{any, each, eq, glob, max, min, not, one_of, reference, same_as};
use hallpass::token::hazmat::append_block;
use hallpass::token::{BlockError, MAX_ATTENUATIONS, MintError};
use serde_json::{Value, json};

struct Setup {
    broker: Broker,
    gate: Gate,
    clock: ManualClock,
    agent: Identity,
    task: Task,
    grant: Grant,
}

const START: i64 = 1_767_225_600_000;

fn at(seconds: i64) -> Timestamp {
    Timestamp::from_unix_millis(START + seconds * 1000).unwrap()
}

/// A grant of `db.query` on two tables, at most 1000 rows, and of `mail.send`.
fn setup() -> Setup {
    let policy = Policy::builder()
        .rule(
            Rule::permit("analysts")
                .tools(["db.query", "mail.send"])
                .any_args()
                .ttl(Duration::from_secs(300)),
        )
        .rule(Rule::forbid("no-zero").tool("db.query").arg("limit", eq(0)))
        .build()
        .unwrap();
    let clock = ManualClock::new(at(0));
    let broker = Broker::builder(policy).clock(clock.clone()).build().unwrap();
    let gate = broker.gate();
    let agent = broker.assert_identity("agent-7").unwrap();
    let task = broker.open(&agent, Purpose::new("reporting")).unwrap();
    let scope = Scope::tool("db.query")
        .arg("table", one_of(["orders", "customers"]))
        .arg("limit", max(1000))
        .and_tool("mail.send")
        .arg("to", glob("*@acme.test"));
    let grant = task.request(scope, &Context::new()).unwrap();
    Setup { broker, gate, clock, agent, task, grant }
}

impl Setup {
    fn call(&self, token: &Token, tool: &str, args: Value) -> Result<(), Reason> {
        let call = Call::new(tool, args).unwrap();
        self.gate
            .authorize(token, &self.agent, call, &Context::new())
            .map(drop)
            .map_err(|denial| denial.reason())
    }

    fn query(&self, token: &Token, table: &str, limit: i64) -> Result<(), Reason> {
        self.call(token, "db.query", json!({ "table": table, "limit": limit }))
    }
}

fn orders(limit: i64) -> Scope {
    Scope::tool("db.query").arg("table", eq("orders")).arg("limit", max(limit))
}

#[test]
fn a_narrowed_token_covers_what_both_say() {
    let setup = setup();
    let narrowed = setup.grant.token().attenuate(&orders(100), None).unwrap();
    assert_eq!(setup.query(&narrowed, "orders", 100), Ok(()));
    assert_eq!(setup.query(&narrowed, "orders", 101), Err(Reason::OutOfScope));
    assert_eq!(setup.query(&narrowed, "customers", 1), Err(Reason::OutOfScope));
    assert_eq!(
        setup.call(&narrowed, "mail.send", json!({ "to": "a@acme.test" })),
        Err(Reason::OutOfScope)
    );
    // The token it came from is as it was.
    assert_eq!(setup.query(setup.grant.token(), "customers", 1000), Ok(()));
}

/// attacks 50, 59, 60: whatever is written into a block, the grant and every block before it count
#[test]
fn a_wider_block_gives_nothing_back() {
    let setup = setup();
    let narrowed = setup.grant.token().attenuate(&orders(100), None).unwrap();
    for wide in [
        Scope::tool("db.query").any_args().any_resource(),
        Scope::tool("db.query").arg("table", any()).arg("limit", any()),
        Scope::tool("db.query").arg("table", not(eq("orders"))).arg("limit", min(0)),
        Scope::tool("db.query").arg("table", glob("**")).other_args(),
        Scope::tool("db.drop").any_args().and(orders(10_000)),
    ] {
        let wider = narrowed.attenuate(&wide, None).unwrap();
        assert_eq!(setup.query(&wider, "customers", 1), Err(Reason::OutOfScope), "{wide:?}");
        assert_eq!(setup.query(&wider, "orders", 101), Err(Reason::OutOfScope), "{wide:?}");
        assert_eq!(setup.query(&wider, "salaries", 1), Err(Reason::OutOfScope), "{wide:?}");
        assert_eq!(setup.call(&wider, "db.drop", json!({})), Err(Reason::OutOfScope));
    }
}

/// The closed world holds in blocks: an argument that a block does not name is not covered by it.
#[test]
fn an_argument_that_a_block_does_not_name_is_outside() {
    let setup = setup();
    let only_table = Scope::tool("db.query").arg("table", eq("orders"));
    let narrowed = setup.grant.token().attenuate(&only_table, None).unwrap();
    assert_eq!(setup.query(&narrowed, "orders", 1), Err(Reason::OutOfScope));
    let opened = setup.grant.token().attenuate(&only_table.other_args(), None).unwrap();
    assert_eq!(setup.query(&opened, "orders", 1), Ok(()));
    // A value of another kind, or an empty list, is not covered either.
    let list = |tables: Value| json!({ "table": tables, "limit": 1 });
    assert_eq!(setup.call(&opened, "db.query", list(json!([]))), Err(Reason::OutOfScope));
    assert_eq!(setup.call(&opened, "db.query", list(json!(["orders"]))), Ok(()));
    assert_eq!(
        setup.call(&opened, "db.query", list(json!(["orders", "customers"]))),
        Err(Reason::OutOfScope)
    );
}

/// attack 54: a block has no way to speak of rules, limits or approvals, so they still apply
#[test]
fn todays_rules_apply_to_a_narrowed_token() {
    let setup = setup();
    let narrowed = setup.grant.token().attenuate(&orders(100), None).unwrap();
    assert_eq!(setup.query(&narrowed, "orders", 0), Err(Reason::Forbidden));
}

/// attack 55
#[test]
fn a_block_can_end_a_token_earlier_and_never_later() {
    let setup = setup();
    let token = setup.grant.token();
    let earlier = token.attenuate(&orders(100), Some(at(60))).unwrap();
    let later = token.attenuate(&orders(100), Some(at(9_000))).unwrap();
    let back = earlier.attenuate(&orders(100), Some(at(9_000))).unwrap();
    setup.clock.advance(Duration::from_millis(59_999));
    for token in [&earlier, &later, &back] {
        assert_eq!(setup.query(token, "orders", 1), Ok(()));
    }
    setup.clock.advance(Duration::from_millis(1));
    assert_eq!(setup.query(&earlier, "orders", 1), Err(Reason::Expired));
    assert_eq!(setup.query(&back, "orders", 1), Err(Reason::Expired));
    assert_eq!(setup.query(&later, "orders", 1), Ok(()));
    setup.clock.advance(Duration::from_secs(240));
    assert_eq!(setup.query(&later, "orders", 1), Err(Reason::Expired));
}

/// Blocks of kinds that are read in full, and of plain ones that are only looked at, each in its place.
#[test]
fn a_denial_counts_every_block_of_the_token() {
    let setup = setup();
    let plain = orders(100);
    let full = || Scope::tool("db.query").arg("table", glob("o*")).arg("limit", not(eq(50)));
    let narrowed = |scopes: &[&Scope]| {
        let token = Token::from_text(setup.grant.token().expose().to_owned());
        scopes.iter().fold(token, |token, scope| token.attenuate(scope, None).unwrap())
    };
    let why = |token: &Token, limit: i64| {
        let call = Call::new("db.query", json!({ "table": "orders", "limit": limit })).unwrap();
        let asked = setup.gate.check(token, &setup.agent, &call, &Context::new());
        asked.map(drop).map_err(|denial| (denial.reason(), denial.explain().to_string()))
    };
    let (small, full) = (orders(10), full());
    for (scopes, limit, hop) in [
        (&[&plain, &full, &plain, &full, &small][..], 11, 5),
        (&[&plain, &full, &plain, &full, &small], 50, 2),
        (&[&plain, &plain, &plain, &full, &small], 50, 4),
        (&[&plain, &small, &plain], 11, 2),
        (&[&full, &small, &full], 11, 2),
        (&[&small, &full, &plain], 50, 1),
    ] {
        let token = narrowed(scopes);
        assert_eq!(why(&token, 1), Ok(()));
        let (reason, said) = why(&token, limit).unwrap_err();
        assert_eq!(reason, Reason::OutOfScope);
        assert!(said.contains(&format!("attenuation {hop}:")), "{hop}: {said}");
    }
    // One that cannot be read is refused wherever it stands, although those around it are not built.
    let broken = append_block(&narrowed(&[&plain, &full]), b"\x02\0\0").unwrap();
    let broken = broken.attenuate(&plain, None).unwrap();
    let (reason, said) = why(&broken, 1).unwrap_err();
    assert_eq!(reason, Reason::UnsupportedToken);
    assert!(said.contains("attenuation 3:"), "{said}");
}

/// Whether a block is built or only looked at, its end is one.
#[test]
fn each_of_several_blocks_can_be_the_one_that_ends_first() {
    let setup = setup();
    let full = Scope::tool("db.query").arg("table", glob("o*")).arg("limit", any());
    let plain = orders(100);
    let pairs = [(&plain, &full), (&full, &plain), (&plain, &plain), (&full, &full)];
    let ends = [(Some(60), Some(90)), (Some(90), Some(60)), (Some(60), None), (None, Some(60))];
    let mut tokens = Vec::new();
    for (first, second) in pairs {
        for (one, other) in ends {
            let token = setup.grant.token().attenuate(first, one.map(at)).unwrap();
            let token = token.attenuate(second, other.map(at)).unwrap();
            tokens.push(token.attenuate(&plain, None).unwrap());
        }
    }
    setup.clock.advance(Duration::from_millis(59_999));
    for token in &tokens {
        assert_eq!(setup.query(token, "orders", 1), Ok(()));
    }
    setup.clock.advance(Duration::from_millis(1));
    for token in &tokens {
        assert_eq!(setup.query(token, "orders", 1), Err(Reason::Expired));
    }
}

/// attack 152
#[test]
fn a_block_that_is_not_understood_makes_the_token_worthless() {
    let setup = setup();
    let token = setup.grant.token();
    let good = token.attenuate(&orders(100), None).unwrap();
    for block in
        [&b"?"[..], &[2], &[2, 0], &[2, 0, 0], &[1, 0, 0], &[3, 0, 0], &[2, 2, 0], b"\x02\x01"]
    {
        let refused = append_block(token, block).unwrap();
        let denial = setup
            .gate
            .authorize(
                &refused,
                &setup.agent,
                Call::new("db.query", json!({})).unwrap(),
                &Context::new(),
            )
            .unwrap_err();
        assert_eq!(denial.reason(), Reason::UnsupportedToken, "{block:?}");
        assert_eq!(denial.code(), Code::InvalidToken);
        // In front of good blocks and behind them.
        let before = refused.attenuate(&orders(100), None).unwrap();
        let behind = append_block(&good, block).unwrap();
        assert_eq!(setup.query(&before, "orders", 1), Err(Reason::UnsupportedToken));
        assert_eq!(setup.query(&behind, "orders", 1), Err(Reason::UnsupportedToken));
    }
}

/// What it refuses is settled, whatever stands behind it: that does not make a denial dear.
#[test]
fn behind_a_block_that_refuses_only_ends_are_read() {
    let setup = setup();
    let narrowed = setup.grant.token().attenuate(&orders(100), None).unwrap();
    let behind = |block: &[u8]| append_block(&narrowed, block).unwrap();
    let no_scope = behind(&[2, 0]);
    assert_eq!(setup.query(&no_scope, "orders", 101), Err(Reason::OutOfScope));
    assert_eq!(setup.query(&no_scope, "orders", 100), Err(Reason::UnsupportedToken));
    let unknown = behind(b"?");
    assert_eq!(setup.query(&unknown, "orders", 101), Err(Reason::UnsupportedToken));
    let ended = narrowed.attenuate(&orders(100), Some(at(0))).unwrap();
    assert_eq!(setup.query(&ended, "orders", 101), Err(Reason::Expired));
    // A wider one behind it gives nothing back, and is not asked in its place.
    let wider = narrowed.attenuate(&orders(1000), None).unwrap();
    assert_eq!(setup.query(&wider, "orders", 101), Err(Reason::OutOfScope));
}

#[test]
fn a_narrowed_token_dies_with_its_grant_and_is_its_holders_alone() {
    let setup = setup();
    let narrowed = setup.grant.token().attenuate(&orders(100), None).unwrap();
    let other = setup.broker.assert_identity("agent-8").unwrap();
    let call = Call::new("db.query", json!({ "table": "orders", "limit": 1 })).unwrap();
    let denial = setup.gate.authorize(&narrowed, &other, call, &Context::new()).unwrap_err();
    assert_eq!(denial.reason(), Reason::NotTheHolder);
    assert!(!setup.task.revoke_grant(&setup.grant).is_empty());
    assert_eq!(setup.query(&narrowed, "orders", 1), Err(Reason::Revoked));
}

/// Renewal raises the serial, and a narrowed token carries that of the token it came from.
#[test]
fn what_was_narrowed_from_a_superseded_token_is_refused() {
    let mut setup = setup();
    let old = setup.grant.token().attenuate(&orders(100), None).unwrap();
    let presented = old.present(&call(1), at(0)).unwrap();
    setup.task.renew(&mut setup.grant, &setup.agent, &Context::new()).unwrap();
    assert_eq!(setup.query(&old, "orders", 1), Err(Reason::Superseded));
    let denial =
        setup.gate.authorize(&presented, &setup.agent, call(1), &Context::new()).unwrap_err();
    assert_eq!(denial.reason(), Reason::Superseded);
    let new = setup.grant.token().attenuate(&orders(100), None).unwrap();
    assert_eq!(setup.query(&new, "orders", 1), Ok(()));
}

fn call(limit: i64) -> Call {
    Call::new("db.query", json!({ "table": "orders", "limit": limit })).unwrap()
}

#[test]
fn a_listing_shows_no_tool_that_an_attenuation_leaves_out() {
    let setup = setup();
    let list = |token: &Token| {
        let tools = setup.gate.tools(token, &setup.agent, &Context::new()).unwrap();
        tools.iter().map(|tool| tool.as_str().to_owned()).collect::<Vec<_>>()
    };
    assert_eq!(list(setup.grant.token()), ["db.query", "mail.send"]);
    let narrowed = setup.grant.token().attenuate(&orders(100), None).unwrap();
    assert_eq!(list(&narrowed), ["db.query"], "an agent is shown no more than it may use");
    let nothing = narrowed.attenuate(&Scope::tool("mail.send").any_args(), None).unwrap();
    assert!(list(&nothing).is_empty());
}

#[test]
fn a_holder_gives_its_grant_up_with_a_narrowed_token_too() {
    let setup = setup();
    let expired = setup.grant.token().attenuate(&orders(100), Some(at(0))).unwrap();
    assert_eq!(setup.gate.give_up(&expired, &setup.agent).unwrap_err().reason(), Reason::Expired);
    let narrowed = setup.grant.token().attenuate(&orders(100), None).unwrap();
    setup.gate.give_up(&narrowed, &setup.agent).unwrap();
    assert_eq!(setup.query(setup.grant.token(), "orders", 1), Err(Reason::Revoked));
}

#[test]
fn what_cannot_be_said_in_a_block_is_refused_when_it_is_written() {
    let setup = setup();
    let token = setup.grant.token();
    let refused = |scope: Scope| token.attenuate(&scope, None).unwrap_err();
    for scope in [
        Scope::default(),
        Scope::tool("no spaces"),
        Scope::tool("db.query").arg("table", one_of::<&str>([])),
        Scope::tool("db.query").arg("table", same_as("who.attrs.team")),
        Scope::tool("db.query").arg("table", each(same_as("when.other"))),
        Scope::tool("db.query").arg("table", reference("who.groups").as_one_of()),
        Scope::tool("db.query").arg("table", one_of(0..512)),
    ] {
        assert!(
            matches!(refused(scope.clone()), MintError::Block(BlockError::Scope(_))),
            "{scope:?}"
        );
    }
    let long = Scope::tool("db.query").arg("table", eq("x".repeat(4090)));
    assert!(matches!(refused(long), MintError::FieldLength { field: "block", .. }));
}

#[test]
fn a_token_can_be_narrowed_only_so_often_and_every_hop_counts() {
    let setup = setup();
    let mut token = setup.grant.token().attenuate(&orders(1000), None).unwrap();
    for hop in 1..MAX_ATTENUATIONS {
        token = token.attenuate(&orders(1000 - hop as i64), None).unwrap();
        assert_eq!(setup.query(&token, "orders", 1000 - hop as i64), Ok(()));
        assert_eq!(setup.query(&token, "orders", 1001 - hop as i64), Err(Reason::OutOfScope));
    }
    assert_eq!(token.attenuate(&orders(1), None).unwrap_err(), MintError::TooManyBlocks);
}
