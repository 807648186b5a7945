//! Who moderates, and whom they may act on.

use std::collections::HashSet;

use actix_web::FromRequest;

use super::error::Error;
use crate::auth::{Admin, Backend, Client};
use crate::rest::ApiError;

/// One who wants to moderate a room.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Actor<'a> {
    /// A user, who has to be the room's anchor or one of its moderators.
    User(&'a str),
    /// An administrator.
    Admin(&'a str),
    /// A business backend.
    Backend,
}

/// In which role somebody moderates.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Role {
    /// The room's anchor.
    Anchor,
    /// A moderator of the room.
    Moderator,
    /// An administrator.
    Admin,
    /// A business backend.
    Server,
}

impl Role {
    /// As it is stored and shown.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::Anchor => "anchor",
            Self::Moderator => "moderator",
            Self::Admin => "admin",
            Self::Server => "server",
        }
    }
}

impl Actor<'_> {
    /// The id of a user or an administrator; empty for a backend.
    #[must_use]
    pub fn id(&self) -> &str {
        match self {
            Self::User(id) | Self::Admin(id) => id,
            Self::Backend => "",
        }
    }

    /// From whom the room's messages about it are: a user of the room, or the system.
    #[must_use]
    pub fn sender(&self) -> &str {
        match self {
            Self::User(id) => id,
            Self::Admin(_) | Self::Backend => "",
        }
    }

    /// The role in a room of that anchor and those moderators.
    ///
    /// # Errors
    /// [`Error::NotModerator`] for a user who is neither.
    pub fn role(&self, anchor_id: &str, is_moderator: bool) -> Result<Role, Error> {
        match self {
            Self::Admin(_) => Ok(Role::Admin),
            Self::Backend => Ok(Role::Server),
            Self::User(id) if *id == anchor_id => Ok(Role::Anchor),
            Self::User(_) if is_moderator => Ok(Role::Moderator),
            Self::User(_) => Err(Error::NotModerator),
        }
    }

    /// The role in which they act on `target`, in a room of that anchor and those moderators.
    ///
    /// # Errors
    /// [`Error::NotModerator`]; [`Error::TargetIsAnchor`] and [`Error::TargetIsModerator`] for those
    /// whom nobody, or no moderator, may act on.
    pub fn role_against(
        &self,
        target: &str,
        anchor_id: &str,
        moderators: &HashSet<String>,
    ) -> Result<Role, Error> {
        let role = self.role(anchor_id, moderators.contains(self.id()))?;
        if target == anchor_id {
            return Err(Error::TargetIsAnchor);
        }
        if role == Role::Moderator && moderators.contains(target) {
            return Err(Error::TargetIsModerator);
        }
        Ok(role)
    }
}

/// A caller who may be an [`Actor`]. The routes of all are the same.
pub trait Moderator: FromRequest<Error = ApiError> + 'static {
    /// As whom they act.
    fn actor(&self) -> Actor<'_>;
}

impl Moderator for Client {
    fn actor(&self) -> Actor<'_> {
        Actor::User(self.user_id())
    }
}

impl Moderator for Admin {
    fn actor(&self) -> Actor<'_> {
        Actor::Admin(self.user_id())
    }
}

impl Moderator for Backend {
    fn actor(&self) -> Actor<'_> {
        Actor::Backend
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn rights_follow_the_roles() {
        let moderators: HashSet<String> = ["mod", "other-mod"].map(str::to_owned).into();
        let against = |actor: Actor<'_>, target: &str| actor.role_against(target, "anchor", &moderators);
        assert!(matches!(against(Actor::User("anchor"), "mod"), Ok(Role::Anchor)));
        assert!(matches!(against(Actor::User("mod"), "guest"), Ok(Role::Moderator)));
        assert!(matches!(against(Actor::User("mod"), "other-mod"), Err(Error::TargetIsModerator)));
        assert!(matches!(against(Actor::User("guest"), "guest"), Err(Error::NotModerator)));
        // An administrator's id is no user's.
        assert!(matches!(against(Actor::Admin("guest"), "mod"), Ok(Role::Admin)));
        assert!(matches!(against(Actor::Backend, "mod"), Ok(Role::Server)));
        for actor in [Actor::User("anchor"), Actor::User("mod"), Actor::Admin("a"), Actor::Backend] {
            assert!(matches!(against(actor, "anchor"), Err(Error::TargetIsAnchor)));
        }
    }
}
