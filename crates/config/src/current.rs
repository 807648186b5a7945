//! Settings that may change while the server runs.
//!
//! Whoever uses such a setting holds a [`Current`] and looks at it each time; [`Reloads`] knows how each is
//! made from a configuration, and makes them anew when there is another one.

use std::sync::{Arc, Mutex, PoisonError};

use arc_swap::{ArcSwap, Guard};

use super::{Config, Loaded, Problem};

/// A setting as it is now. Clones are of the same setting; looking at it takes no lock.
pub struct Current<T>(Arc<ArcSwap<T>>);

impl<T> Clone for Current<T> {
    fn clone(&self) -> Self {
        Self(Arc::clone(&self.0))
    }
}

impl<T> Current<T> {
    /// One that nobody changes.
    #[must_use]
    pub fn fixed(value: T) -> Self {
        Self(Arc::new(ArcSwap::from_pointee(value)))
    }

    /// As it is now; not to be kept.
    #[must_use]
    pub fn get(&self) -> Guard<Arc<T>> {
        self.0.load()
    }
}

type Renewal = Box<dyn Fn(&Config) + Send + Sync>;

/// The configuration that the server runs with, and what was made of its reloadable part.
pub struct Reloads {
    running: Mutex<Config>,
    renewals: Mutex<Vec<Renewal>>,
    warnings: Current<Vec<Problem>>,
}

impl Reloads {
    /// Of a server that starts with this configuration.
    #[must_use]
    pub fn new(loaded: impl Into<Loaded>) -> Self {
        let Loaded { config, warnings } = loaded.into();
        Self { running: Mutex::new(config), renewals: Mutex::default(), warnings: Current::fixed(warnings) }
    }

    /// What there is to say about the configuration that the server runs with.
    #[must_use]
    pub fn warnings(&self) -> Current<Vec<Problem>> {
        self.warnings.clone()
    }

    /// A setting that is made of the configuration, now and after each reload. It may only look at what
    /// [`Config::take_reloadable`] names.
    ///
    /// # Errors
    /// When it cannot be made now. Where that happens at a reload, it stays as it was.
    pub fn try_derive<T: Send + Sync + 'static, E>(
        &self,
        make: impl Fn(&Config) -> Result<T, E> + Send + Sync + 'static,
    ) -> Result<Current<T>, E> {
        let running = self.running.lock().unwrap_or_else(PoisonError::into_inner);
        let current = Current::fixed(make(&running)?);
        let kept = current.clone();
        let renewal = move |config: &Config| {
            if let Ok(value) = make(config) {
                kept.0.store(Arc::new(value));
            }
        };
        self.renewals.lock().unwrap_or_else(PoisonError::into_inner).push(Box::new(renewal));
        Ok(current)
    }

    /// As [`Reloads::try_derive`], where nothing can go wrong.
    pub fn derive<T: Send + Sync + 'static>(
        &self,
        make: impl Fn(&Config) -> T + Send + Sync + 'static,
    ) -> Current<T> {
        let Ok(current) = self.try_derive(move |config| Ok::<_, std::convert::Infallible>(make(config)));
        current
    }

    /// Takes over what can be taken over from `new`. Answers the sections that have other changes as well,
    /// which need a restart.
    pub fn apply(&self, new: &Loaded) -> Vec<&'static str> {
        let Loaded { config: new, warnings } = new;
        let mut running = self.running.lock().unwrap_or_else(PoisonError::into_inner);
        running.take_reloadable(new);
        self.warnings.0.store(Arc::new(warnings_after(&self.warnings.get(), warnings)));
        for renewal in self.renewals.lock().unwrap_or_else(PoisonError::into_inner).iter() {
            renewal(&running);
        }
        running.sections_unlike(new)
    }
}

/// Of what is reloaded the `new` ones hold, of what needs a restart the `former` ones: at their places in the new
/// files, or at none where these say it no more.
fn warnings_after(former: &[Problem], new: &[Problem]) -> Vec<Problem> {
    let is_reloaded = |warning: &&Problem| {
        let key = warning.key();
        key.starts_with("auth.") || RELOADED_KEYS.contains(&key)
    };
    let lasting = former.iter().filter(|warning| !is_reloaded(warning)).map(|warning| {
        let here = new.iter().find(|other| other.says_as(warning));
        here.cloned().unwrap_or_else(|| warning.without_line())
    });
    let mut warnings: Vec<_> = lasting.chain(new.iter().filter(is_reloaded).cloned()).collect();
    warnings.sort();
    warnings
}

/// What [`Config::take_reloadable`] takes over, of that which there are warnings about; and all of `auth`.
const RELOADED_KEYS: [&str; 5] =
    ["callback.secret", "callback.secrets", "gift.secret", "hooks.allow", "hooks.secret"];

impl Config {
    /// Takes over from `new` all that a running server can change: keys, secrets, who may call without
    /// them, and what is logged.
    fn take_reloadable(&mut self, new: &Self) {
        self.auth = new.auth.clone();
        self.callback.secrets.clone_from(&new.callback.secrets);
        self.gift.secret = new.gift.secret.clone();
        self.hooks.allow.clone_from(&new.hooks.allow);
        self.hooks.secret = new.hooks.secret.clone();
        self.log.filter.clone_from(&new.log.filter);
        self.log.slow_statement_ms = new.log.slow_statement_ms;
    }

    /// The names of the sections in which two configurations differ.
    fn sections_unlike(&self, other: &Self) -> Vec<&'static str> {
        // All of them: another section does not compile before it is here.
        let Self {
            node,
            account,
            httpq,
            auth,
            cache,
            mysql,
            im,
            rtc,
            pili,
            cron,
            prome,
            callback,
            censor,
            gift,
            hooks,
            live,
            demo,
            realtime,
            events,
            limits,
            log,
            traces,
        } = self;
        let are_alike = [
            ("node", *node == other.node),
            ("account", *account == other.account),
            ("httpq", *httpq == other.httpq),
            ("auth", *auth == other.auth),
            ("cache", *cache == other.cache),
            ("mysql", *mysql == other.mysql),
            ("im", *im == other.im),
            ("rtc", *rtc == other.rtc),
            ("pili", *pili == other.pili),
            ("cron", *cron == other.cron),
            ("prome", *prome == other.prome),
            ("callback", *callback == other.callback),
            ("censor", *censor == other.censor),
            ("gift", *gift == other.gift),
            ("hooks", *hooks == other.hooks),
            ("live", *live == other.live),
            ("demo", *demo == other.demo),
            ("realtime", *realtime == other.realtime),
            ("events", *events == other.events),
            ("limits", *limits == other.limits),
            ("log", *log == other.log),
            ("traces", *traces == other.traces),
        ];
        are_alike.into_iter().filter(|(_, is_alike)| !is_alike).map(|(name, _)| name).collect()
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;
    use crate::{Origin, Secret};

    #[test]
    fn settings_follow_the_configuration() {
        let reloads = Reloads::new(Config::for_testing());
        let secrets = reloads.derive(|config| config.callback.secrets.len());
        let same = secrets.clone();
        let mut new = Config::for_testing();
        new.callback.secrets = vec![Secret::new("one"), Secret::new("two")];
        assert_eq!(reloads.apply(&new.into()), Vec::<&str>::new());
        assert_eq!((**secrets.get(), **same.get()), (2, 2));
    }

    #[test]
    fn what_cannot_be_made_stays_as_it_was() {
        let reloads = Reloads::new(Config::for_testing());
        let first = |config: &Config| config.auth.jwt_keys.first().cloned().ok_or(());
        let key = reloads.try_derive(first).unwrap();
        let mut new = Config::for_testing();
        new.auth.jwt_keys.clear();
        assert!(reloads.try_derive(|_| Err::<(), _>(())).is_err());
        reloads.apply(&new.into());
        assert_eq!(key.get().expose(), "test-jwt-key");
    }

    #[test]
    fn other_changes_are_named_until_they_are_undone() {
        let reloads = Reloads::new(Config::for_testing());
        let mut new = Config::for_testing();
        new.gift.secret = Secret::new("other");
        new.gift.gift_addr = "http://elsewhere".to_owned();
        new.httpq.workers += 1;
        let new = Loaded::from(new);
        assert_eq!(reloads.apply(&new), ["httpq", "gift"]);
        assert_eq!(reloads.apply(&new), ["httpq", "gift"]);
        assert!(reloads.apply(&Config::for_testing().into()).is_empty());
    }

    #[test]
    fn a_warning_goes_when_what_it_is_about_was_reloaded() {
        let warning = |key: &str| Problem::new(Origin::variable("x"), key, "is odd");
        let started = vec![warning("auth.jwt_key"), warning("cache.type"), warning("hooks.secret")];
        let reloads = Reloads::new(Loaded { config: Config::for_testing(), warnings: started });
        let told = reloads.warnings();
        let new = vec![warning("auth.server.secret_key"), warning("pili.hub")];
        reloads.apply(&Loaded { config: Config::for_testing(), warnings: new });
        let now: Vec<_> = told.get().iter().map(|warning| warning.key().to_owned()).collect();
        assert_eq!(now, ["auth.server.secret_key", "cache.type"], "a restart has to mend the cache");
    }

    #[test]
    fn a_warning_that_stays_is_shown_where_it_stands_now() {
        let at =
            |line: usize, key: &str| Problem::new(Origin::file(&"c.yaml".into(), 0, line), key, "is odd");
        let started = vec![at(3, "cache.type"), at(4, "pili.hub")];
        let reloads = Reloads::new(Loaded { config: Config::for_testing(), warnings: started });
        let told = reloads.warnings();
        reloads.apply(&Loaded { config: Config::for_testing(), warnings: vec![at(9, "cache.type")] });
        let now: Vec<_> = told.get().iter().map(ToString::to_string).collect();
        assert_eq!(now, ["c.yaml: pili.hub: is odd", "c.yaml:9: cache.type: is odd"]);
    }
}
