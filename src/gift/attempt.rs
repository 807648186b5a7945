//! Who asks the payment service, and where a test may end the process meanwhile.

/// Who asks the payment service.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum AttemptBy {
    /// The call that sends the gift.
    Send,
    /// A backend's call that asks again.
    Redo,
    /// The job.
    Settle,
}

/// The steps of an asker at which a test may end the process.
pub(super) struct Steps {
    pub claimed: &'static str,
    pub answered: &'static str,
    pub ending: &'static str,
    pub ended: &'static str,
}

impl AttemptBy {
    pub(super) fn name(self) -> &'static str {
        match self {
            Self::Send => "send",
            Self::Redo => "redo",
            Self::Settle => "settle",
        }
    }

    pub(super) fn steps(self) -> Steps {
        match self {
            Self::Send | Self::Redo => Steps {
                claimed: "gift.claimed",
                answered: "gift.answered",
                ending: "gift.ending",
                ended: "gift.ended",
            },
            Self::Settle => Steps {
                claimed: "settle.claimed",
                answered: "settle.answered",
                ending: "settle.ending",
                ended: "settle.ended",
            },
        }
    }
}
