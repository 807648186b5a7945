//! The states of a PK.

/// Where a PK is in its life: the column `status`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Status {
    /// The receiver was asked. Only in adopted databases: here, who starts a PK has agreed on it.
    Waiting,
    /// Both anchors agreed.
    Agreed,
    /// The initiator publishes in the other room.
    InitDone,
    /// The receiver publishes in the other room.
    RecvDone,
    /// Both do.
    BothDone,
    /// The receiver refused.
    Rejected,
    /// It is over.
    Stopped,
}

/// One of the two anchors of a PK.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Side {
    /// Who asked for it.
    Init,
    /// Who was asked.
    Recv,
}

impl Status {
    /// The status of a stored number; an unknown one is a PK that is over.
    #[must_use]
    pub fn of_column(value: Option<i32>) -> Self {
        match value {
            Some(0) | None => Self::Waiting,
            Some(1) => Self::Agreed,
            Some(2) => Self::InitDone,
            Some(3) => Self::RecvDone,
            Some(4) => Self::BothDone,
            Some(5) => Self::Rejected,
            Some(_) => Self::Stopped,
        }
    }

    /// The number that is stored and shown.
    #[must_use]
    pub fn column(self) -> i32 {
        match self {
            Self::Waiting => 0,
            Self::Agreed => 1,
            Self::InitDone => 2,
            Self::RecvDone => 3,
            Self::BothDone => 4,
            Self::Rejected => 5,
            Self::Stopped => 6,
        }
    }

    /// Whether it binds its rooms no more.
    #[must_use]
    pub fn is_over(self) -> bool {
        matches!(self, Self::Rejected | Self::Stopped)
    }

    /// The status after `side` reported that it publishes in the other room.
    #[must_use]
    pub fn after_report(self, side: Side) -> Self {
        match (self, side) {
            (Self::Waiting | Self::Agreed | Self::InitDone, Side::Init) => Self::InitDone,
            (Self::Waiting | Self::Agreed | Self::RecvDone, Side::Recv) => Self::RecvDone,
            (Self::RecvDone, Side::Init) | (Self::InitDone, Side::Recv) => Self::BothDone,
            (Self::BothDone | Self::Rejected | Self::Stopped, _) => self,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn both_sides_in_any_order_lead_to_four_and_repeats_change_nothing() {
        for order in [[Side::Init, Side::Recv], [Side::Recv, Side::Init]] {
            let first = Status::Agreed.after_report(order[0]);
            assert_eq!(first.column(), if order[0] == Side::Init { 2 } else { 3 });
            assert_eq!(first.after_report(order[0]), first);
            let both = first.after_report(order[1]);
            assert_eq!(both, Status::BothDone);
            assert!(order.iter().all(|side| both.after_report(*side) == both));
        }
    }

    #[test]
    fn numbers_survive_storing() {
        for number in 0..=6 {
            assert_eq!(Status::of_column(Some(number)).column(), number);
        }
        assert!(Status::of_column(Some(99)).is_over());
    }
}
