//! Who is calling: the signature of backends, the token of apps, and the passwords of operators.
//!
//! Nothing here knows a transport or a database; the extractors that turn a request into an
//! identity stand beside these files and use them.

pub mod account_status;
pub mod backend;
pub mod console;
pub mod identity;
pub mod outgoing;
pub mod own_writes;
pub mod password;
pub mod signature;
pub mod token;
pub mod webhook;

pub use account_status::{AccountStatus, Ban, Refused};
pub use backend::BackendKeys;
pub use identity::{
    ADMIN_ROLE, AccountStore, Admin, Administrators, Authenticator, Backend, Client, Done, IsEnded,
    SignedBackend, StatusFuture, WriteLimit,
};
pub use own_writes::OwnWrites;
pub use password::{PasswordCheck, PasswordError, Passwords};
pub use signature::{Credentials, ReplayGuard, RequestParts, ServerSignature, SignatureError, SignedHeaders};
pub use token::{Claims, TokenError, TokenKeys, TokenService};
pub use webhook::WebhookSigner;
