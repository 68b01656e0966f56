//! The floor of each room: the order in which rooms may use each other.

/// The floors of a crate.
pub(super) struct Plan {
    /// The crate's folder in the workspace, which is the picture's name too.
    pub(super) folder: &'static str,
    /// From the top down: what the floor is there for, and its rooms. Rooms on one floor do not know each other.
    pub(super) floors: &'static [(&'static str, &'static [&'static str])],
    /// Who uses whom against this order all the same. Nothing is to be added here, and what is gone from the house has
    /// to be gone from here.
    pub(super) debts: &'static [(&'static str, &'static str)],
}

impl Plan {
    /// The floor of a room, counted from the top.
    pub(super) fn floor(&self, room: &str) -> Option<usize> {
        self.floors.iter().position(|(_, rooms)| rooms.contains(&room))
    }

    /// All rooms, from the top down.
    pub(super) fn rooms(&self) -> impl Iterator<Item = &'static str> {
        self.floors.iter().flat_map(|(_, rooms)| rooms.iter().copied())
    }
}

/// The component.
pub(super) const GUEST: Plan = Plan {
    folder: "guest",
    floors: &[
        ("what the contract exports", &["component"]),
        ("what comes in", &["directory", "jobs"]),
        ("SCIM requests, at once or later", &["endpoint"]),
        ("connectors, log and events", &["connector", "journal", "streams"]),
        ("Insomnia's rules", &["provisioning"]),
        ("records and indexes, and when to try again", &["store", "retry_after"]),
        ("SCIM, and what the host gives", &["protocol", "capability"]),
        ("texts, secrets, and the list of rules", &["jws", "opaque", "secret", "sentence", "text", "url", "rules"]),
    ],
    debts: &[],
};

/// The host.
pub(super) const HOST: Plan = Plan {
    folder: "host",
    floors: &[
        ("the program", &["cli"]),
        ("both faces and SCIM in one router", &["routes"]),
        ("two faces", &["page", "api"]),
        ("what carries requests", &["server"]),
        ("what the operator is told", &["alerts"]),
        ("how all organizations stand, and the key that seals their secrets", &["fleet", "host_key"]),
        ("acts of one organization, and its jobs", &["organization", "scheduler"]),
        ("all organizations", &["provisioner"]),
        ("errors, the log, and what is wrong", &["error", "journal", "condition"]),
        ("the component", &["component"]),
        ("what the contract speaks of", &["connector", "delivery", "event", "guard", "oauth", "scim"]),
        (
            "what the host gives by itself",
            &["storage", "email", "http", "registry", "api_keys", "urls", "alarm", "sign_ins"],
        ),
        ("what a backend may give instead", &["capability", "directory", "timestamp"]),
        ("files that are read while they are sent, and files for their owner only", &["download", "private_files"]),
        ("turns, limits, counts, traces", &["fair", "ledger", "metrics", "quota", "traces"]),
        ("what the log says once an hour", &["hourly"]),
    ],
    debts: &[
        ("capability", "alarm"),
        ("capability", "component"),
        ("journal", "error"),
        ("journal", "organization"),
        ("provisioner", "organization"),
        ("provisioner", "scheduler"),
        ("provisioner", "server"),
    ],
};
