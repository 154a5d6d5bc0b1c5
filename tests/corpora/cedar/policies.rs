//! The policies of the tables, in the language of this crate.

/// Each set's policy. Where one policy of a table takes two rules, the second is named after it.
pub(crate) const POLICIES: &[(&str, &str)] = &[
    (
        "example_use_cases/1a",
        r#"
        [[rule]]
        id     = "policy0"
        effect = "permit"
        who    = { id = "User::alice" }
        what   = { tool = "view", resource = { type = "Photo", id = "VacationPhoto94.jpg" } }
        "#,
    ),
    (
        "example_use_cases/2a",
        r#"
        [[rule]]
        id     = "policy0"
        effect = "permit"
        who    = { groups = { has_any = ["UserGroup::jane_friends"] } }
        what   = { tool = "view", resource = { type = "Photo", id = "VacationPhoto94.jpg" } }
        "#,
    ),
    (
        "example_use_cases/2b",
        r#"
        [[rule]]
        id     = "policy0"
        effect = "permit"
        who    = { id = "User::alice" }
        what.tool     = "view"
        what.resource = { type = "any", id = "any", attrs = { in = { has_any = ["Album::jane_vacation"] } } }
        "#,
    ),
    (
        "example_use_cases/2c",
        r#"
        [[rule]]
        id     = "policy0"
        effect = "permit"
        who    = { id = "User::alice" }
        what.tool     = { one_of = ["view", "edit", "comment"] }
        what.resource = { type = "any", id = "any", attrs = { in = { has_any = ["Album::jane_vacation"] } } }
        "#,
    ),
    (
        "example_use_cases/3a",
        r#"
        [[rule]]
        id     = "policy0"
        effect = "permit"
        what.tool     = "view"
        what.resource = { type = "any", id = "any", attrs = { in = { has_any = ["Album::jane_vacation"] } } }
        "#,
    ),
    (
        "example_use_cases/3b",
        r#"
        [[rule]]
        id     = "policy0"
        effect = "permit"
        who    = { id = "User::alice" }
        what.tool     = { one_of = ["listAlbums", "listPhotos", "view"] }
        what.resource = { type = "any", id = "any", attrs = { in = { has_any = ["Account::jane"] } } }
        "#,
    ),
    (
        "example_use_cases/3c",
        r#"
        [[rule]]
        id     = "policy0"
        effect = "permit"
        who    = { id = "User::alice" }
        what.tool     = "any"
        what.resource = { type = "any", id = "any", attrs = { in = { has_any = ["Album::jane_vacation"] } } }
        "#,
    ),
    (
        "example_use_cases/4a",
        r#"
        [[rule]]
        id     = "policy0"
        effect = "permit"
        who    = { attrs = { department = "HardwareEngineering", jobLevel = { min = 5 } } }
        what.tool     = { one_of = ["listPhotos", "view"] }
        what.resource = { type = "any", id = "any", attrs = { in = { has_any = ["Album::device_prototypes"] } } }
        "#,
    ),
    (
        "example_use_cases/4d",
        r#"
        [[rule]]
        id     = "policy0"
        effect = "permit"
        what.tool     = "any"
        what.resource = { type = "any", id = "any", attrs = { account_owner = { same_as = "who.id" } } }
        "#,
    ),
    (
        "example_use_cases/4e",
        r#"
        [[rule]]
        id     = "policy0"
        effect = "permit"
        what.tool     = "view"
        what.resource = { type = "Photo", id = "any", attrs = { account_owner_department = { same_as = "who.attrs.department" } } }
        "#,
    ),
    (
        // One permit has no "or" across attributes: two permits do.
        "example_use_cases/4f",
        r#"
        [[rule]]
        id     = "policy0"
        effect = "permit"
        what.tool     = "any"
        what.resource = { type = "any", id = "any", attrs = { account_owner = { same_as = "who.id" } } }

        [[rule]]
        id     = "policy0-admins"
        effect = "permit"
        what.tool     = "any"
        what.resource = { type = "any", id = "any", attrs = { admins = { some = { same_as = "who.id" } } } }
        "#,
    ),
    (
        "example_use_cases/5b",
        r#"
        [[rule]]
        id     = "policy0"
        effect = "permit"
        what.tool     = "addPhoto"
        what.resource = { type = "any", id = "any", attrs = { in = { has_any = ["Account::alice"] } } }
        when.photo.fields = { filetype = { one_of = ["JPEG", "PNG"] }, filesize_mb = { max = 1 } }

        [[rule]]
        id     = "policy0-team"
        effect = "permit"
        who    = { groups = { has_any = ["UserGroup::AVTeam"] } }
        what.tool     = "addPhoto"
        what.resource = { type = "any", id = "any", attrs = { in = { has_any = ["Account::alice"] } } }
        when.photo.fields = { filetype = "RAW", filesize_mb = { max = 100 } }
        "#,
    ),
    (
        // As an address, in whatever spelling it comes.
        "ip/1",
        r#"
        [[rule]]
        id     = "policy0"
        effect = "permit"
        what   = { tool = "view", resource = { type = "Photo", id = "VacationPhoto94.jpg" } }
        when   = { source_ip = { cidr = "222.222.222.222" } }
        "#,
    ),
    (
        // Loopback and multicast, of either family, are blocks of addresses.
        "ip/2",
        r#"
        [[rule]]
        id     = "policy0"
        effect = "permit"
        what   = { tool = "view", resource = { type = "Photo", id = "VacationPhoto94.jpg" } }
        when   = { source_ip = { not = { cidr = ["127.0.0.0/8", "::1/128", "224.0.0.0/4", "ff00::/8"] } } }
        "#,
    ),
    (
        "ip/3",
        r#"
        [[rule]]
        id     = "policy0"
        effect = "permit"
        what   = { tool = "view", resource = { type = "Photo", id = "VacationPhoto94.jpg" } }
        when   = { source_ip = { cidr = "222.222.222.0/24" } }
        "#,
    ),
    (
        "decimal/1",
        r#"
        [[rule]]
        id     = "policy0"
        effect = "permit"
        what   = { tool = "view", resource = { type = "Photo", id = "VacationPhoto94.jpg" } }
        when   = { confidence_score = { above = 0.75 } }
        "#,
    ),
    (
        "decimal/2",
        r#"
        [[rule]]
        id     = "policy0"
        effect = "permit"
        what   = { tool = "view", resource = { type = "Photo", id = "VacationPhoto94.jpg" } }
        when   = { confidence_score = { min = 0.4, max = 0.5 } }
        "#,
    ),
    (
        "multi/1",
        r#"
        [[rule]]
        id     = "policy0"
        effect = "permit"
        who    = { id = "User::alice" }
        what.tool     = "view"
        what.resource = { type = "any", id = "any", attrs = { in = { has_any = ["Album::jane_vacation"] } } }

        [[rule]]
        id     = "policy1"
        effect = "permit"
        who    = { id = "User::bob" }
        what.tool     = { one_of = ["view", "edit"] }
        what.resource = { type = "any", id = "any", attrs = { in = { has_any = ["Account::bob"] } } }
        "#,
    ),
    (
        "multi/2",
        r#"
        [[rule]]
        id     = "policy0"
        effect = "permit"
        what.tool     = "view"
        what.resource = { type = "any", id = "any", attrs = { in = { has_any = ["Album::jane_vacation"] } } }

        [[rule]]
        id     = "policy1"
        effect = "forbid"
        who    = { id = "User::bob" }
        what   = { tool = "view", resource = { attrs = { in = { has_any = ["Album::jane_vacation"] } } } }
        "#,
    ),
    (
        "multi/3",
        r#"
        [[rule]]
        id     = "policy0"
        effect = "permit"
        who    = { groups = { has_any = ["UserGroup::alice_friends"] } }
        what.tool     = "view"
        what.resource = { type = "any", id = "any", attrs = { in = { has_any = ["Account::alice"] } } }

        [[rule]]
        id     = "policy1"
        effect = "forbid"
        what.resource.attrs = { private = true, account_owner = { not = { same_as = "who.id" } } }
        "#,
    ),
    (
        "multi/4",
        r#"
        [[rule]]
        id     = "policy0"
        effect = "permit"
        who    = { groups = { has_any = ["UserGroup::alice_friends"] } }
        what.tool     = "view"
        what.resource = { type = "any", id = "any", attrs = { in = { has_any = ["Account::alice"] } } }

        [[rule]]
        id     = "policy1"
        effect = "permit"
        who    = { attrs = { department = "Sales" } }
        what.tool     = "any"
        what.resource = { type = "any", id = "any", attrs = { in = { has_any = ["Album::alice_vacation"] } } }

        [[rule]]
        id     = "policy2"
        effect = "forbid"
        what.resource.attrs = { private = true, account_owner = { not = { same_as = "who.id" } } }

        [[rule]]
        id     = "policy3"
        effect = "forbid"
        when   = { authenticated = false }
        "#,
    ),
    (
        "multi/5",
        r#"
        [[rule]]
        id     = "policy0"
        effect = "permit"
        who    = { attrs = { department = "Sales" } }
        what.tool     = "any"
        what.resource = { type = "any", id = "any", attrs = { in = { has_any = ["Album::alice_vacation"] } } }

        [[rule]]
        id     = "policy1"
        effect = "forbid"
        when   = { authenticated = { not = true } }

        [[rule]]
        id     = "policy2"
        effect = "permit"
        who    = { attrs = { jobLevel = { min = 7 } } }
        what   = { tool = "view", resource = "any" }
        "#,
    ),
];
