//! What happened in a life, counted.

macro_rules! tally {
    ($($what:ident),* $(,)?) => {
        /// How often what happened, so that a test can see that it saw it.
        #[derive(Clone, Copy, Debug, Default)]
        pub(crate) struct Tally {
            $(pub(crate) $what: usize,)*
        }

        impl Tally {
            pub(crate) fn all(&self) -> Vec<(&'static str, usize)> {
                vec![$((stringify!($what), self.$what)),*]
            }

            pub(crate) fn add(&mut self, other: &Tally) {
                $(self.$what += other.$what;)*
            }
        }
    };
}

tally!(
    acts,
    ruled,
    ruled_again,
    requests_ruled,
    ruled_by_parts,
    granted,
    later,
    delegated,
    third_hops,
    trimmed,
    asked_in_vain,
    renewed,
    not_renewed,
    drifted,
    shortened,
    two_rates,
    permitted,
    permitted_to_delegates,
    permitted_bound,
    replayed,
    superseded,
    limited,
    completed,
    noted,
    permitted_by_notes,
    started,
    refused_starts,
    told_running,
    tripped,
    withdrawn,
    hung,
    ran_late,
    unknown_keys,
    rekeyed,
    restarted,
    minted,
    minted_anew,
    minted_in_vain,
    not_minted,
    shared_credentials,
    withdrawn_credentials,
    handed_over,
    lost,
);
