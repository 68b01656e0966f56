//! The life of an alert: it begins, is sent, lasts and ends. Nothing here reads a clock or a storage.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

/// How often a lasting alert is sent again, in milliseconds.
pub(super) const AGAIN: u64 = 24 * 60 * 60 * 1_000;

/// An alert about one cause in one organization, or at one host. All times are milliseconds since the Unix epoch.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct State {
    /// When it was first found; 0 if that is unknown.
    pub(super) since: u64,
    #[serde(flatten)]
    pub(super) phase: Phase,
    /// Details, such as the free space.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(super) detail: Option<String>,
    /// The last message to each channel.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub(super) told: BTreeMap<String, Told>,
}

/// The current phase.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "phase", rename_all = "kebab-case")]
pub(super) enum Phase {
    /// The problem was found once, and may pass without help. Nobody is told.
    Suspected,
    /// The last look has found the problem, so the alert lasts.
    On,
    /// The last look did not find it. If the next look does not find it either, it is over since then.
    Fading {
        /// When it was first not found.
        at: u64,
    },
    /// It is over, but not every channel was told.
    Over {
        /// Since when it is over.
        at: u64,
    },
}

/// The last message to a channel.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct Told {
    /// Its time.
    pub(super) at: u64,
    /// Whether it said that the alert is over.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub(super) over: bool,
}

/// The news for a channel.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize)]
#[serde(rename_all = "kebab-case")]
pub(super) enum News {
    /// The alert has begun.
    Began,
    /// The last message was a day ago, and the alert lasts.
    Lasts,
    /// The alert is over.
    Over,
}

/// The state after a look; `None` means that there is no alert. `found` has the details of what the look has found, or
/// `None` if it has found nothing. `may_pass` says that an alert only begins with the second look in a row that finds
/// it.
pub(super) fn after(before: Option<State>, found: Option<Option<String>>, may_pass: bool, now: u64) -> Option<State> {
    let Some(mut state) = before else {
        let phase = if may_pass { Phase::Suspected } else { Phase::On };
        return found.map(|detail| State { since: now, phase, detail, told: BTreeMap::new() });
    };
    state.phase = match (state.phase, &found) {
        (_, Some(_)) => Phase::On,
        (Phase::Suspected, None) => return None,
        (Phase::On, None) => Phase::Fading { at: now },
        (Phase::Fading { at }, None) => Phase::Over { at },
        (over @ Phase::Over { .. }, None) => over,
    };
    state.detail = found.unwrap_or(state.detail);
    if state.since == 0 {
        state.since = now;
    }
    Some(state)
}

impl State {
    /// An alert whose stored state can't be read: it is only known that it existed.
    pub(super) fn unknown() -> Self {
        Self { since: 0, phase: Phase::Suspected, detail: None, told: BTreeMap::new() }
    }

    /// Whether the alert lasts now.
    pub(super) fn lasts(&self) -> bool {
        matches!(self.phase, Phase::On | Phase::Fading { .. })
    }

    /// The news for a channel.
    pub(super) fn news(&self, channel: &str, now: u64) -> Option<News> {
        let told = self.told.get(channel);
        match (self.phase, told) {
            (Phase::Suspected, _) => None,
            (Phase::On | Phase::Fading { .. }, None | Some(Told { over: true, .. })) => Some(News::Began),
            // If a clock was wrong, the last message may be in the future.
            (Phase::On, Some(told)) => (now.abs_diff(told.at) >= AGAIN).then_some(News::Lasts),
            (Phase::Fading { .. }, Some(_)) => None,
            (Phase::Over { .. }, Some(Told { over: true, .. })) => None,
            (Phase::Over { .. }, _) => Some(News::Over),
        }
    }

    /// Records that the channel was told the news.
    pub(super) fn tell(&mut self, channel: &str, now: u64) {
        let over = matches!(self.phase, Phase::Over { .. });
        self.told.insert(channel.to_owned(), Told { at: now, over });
    }

    /// Whether the alert is over and all these channels know it, so that it can be deleted.
    pub(super) fn is_done<'c>(&self, mut channels: impl Iterator<Item = &'c str>) -> bool {
        let knows = |channel: &str| self.told.get(channel).is_some_and(|told| told.over);
        matches!(self.phase, Phase::Over { .. }) && channels.all(knows)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const NOW: u64 = 1_800_000_000_000;
    const MINUTE: u64 = 60_000;
    const MAIL: &str = "mail:ops@example.com";

    /// The messages after looks that find the alert (`x`) or not (`-`). There is one look a minute, and after each one
    /// a try to send. After a look that is written as `X` or `_`, sending fails.
    fn told(looks: &str, may_pass: bool) -> String {
        let (mut state, mut told) = (None, String::new());
        for (number, look) in (0..).zip(looks.chars()) {
            let now = NOW + number * MINUTE;
            let found = look.eq_ignore_ascii_case(&'x').then_some(None);
            state = after(state, found, may_pass, now);
            let news = state.as_ref().and_then(|state: &State| state.news(MAIL, now));
            let works = matches!(look, 'x' | '-');
            told.push(match news {
                None => '.',
                Some(_) if !works => '!',
                Some(News::Began) => 'b',
                Some(News::Lasts) => 'l',
                Some(News::Over) => 'o',
            });
            if let Some(state) = state.as_mut().filter(|_| works && news.is_some()) {
                state.tell(MAIL, now);
            }
            state = state.filter(|state| !state.is_done([MAIL].into_iter()));
        }
        told
    }

    #[test]
    fn p9_an_alert_is_told_when_it_begins_and_when_it_is_over_and_a_flicker_is_not() {
        for (looks, may_pass, expected) in [
            ("xxxx--x", false, "b....ob"),
            ("x-x-x--", false, "b.....o"),
            ("x-x-x-x", true, "......."),
            ("x-", true, ".."),
            ("xx--", true, ".b.o"),
            ("x-----", false, "b.o..."),
            ("------", false, "......"),
        ] {
            assert_eq!(told(looks, may_pass), expected, "{looks}");
        }
    }

    #[test]
    fn p9_what_could_not_be_told_is_told_later_and_not_lost() {
        for (looks, expected) in [
            // The end is sent even if the beginning could not be sent.
            ("XXX__--", "!!!!!o."),
            ("XXxx--", "!!b..o"),
            ("xx__--", "b..!o."),
            // The alert began again before anybody was told that it was over.
            ("xx__xx", "b..!.."),
        ] {
            assert_eq!(told(looks, false), expected, "{looks}");
        }
    }

    #[test]
    fn p9_an_alert_that_lasts_is_told_again_once_a_day() {
        let mut state = after(None, Some(None), false, NOW).unwrap();
        let mut told = Vec::new();
        for minute in 0..3 * 24 * 60 {
            let now = NOW + minute * MINUTE;
            state = after(Some(state), Some(None), false, now).unwrap();
            if let Some(news) = state.news(MAIL, now) {
                state.tell(MAIL, now);
                told.push((news, minute / (24 * 60)));
            }
        }
        assert_eq!(told, [(News::Began, 0), (News::Lasts, 1), (News::Lasts, 2)]);
    }

    #[test]
    fn p9_each_channel_is_told_by_itself() {
        let mut state = after(None, Some(Some("x".into())), false, NOW).unwrap();
        state.tell(MAIL, NOW);
        assert_eq!((state.news(MAIL, NOW), state.news("webhook", NOW)), (None, Some(News::Began)));
        for _ in 0..2 {
            state = after(Some(state), None, false, NOW).unwrap();
        }
        state.tell(MAIL, NOW);
        assert!(state.is_done([MAIL].into_iter()) && !state.is_done([MAIL, "webhook"].into_iter()));
        assert!(state.is_done([].into_iter()), "nobody is there to be told");
        assert_eq!(state.detail.as_deref(), Some("x"), "what was found stays, to be told at the end");
    }

    #[test]
    fn p9_what_is_stored_is_read_again() {
        let mut state = after(None, Some(Some("x".into())), true, NOW).unwrap();
        for _ in 0..4 {
            let text = serde_json::to_vec(&state).unwrap();
            assert_eq!(serde_json::from_slice::<State>(&text).unwrap(), state);
            let found = matches!(state.phase, Phase::Suspected).then_some(None);
            state.tell(MAIL, NOW);
            state = after(Some(state), found, true, NOW + 1).unwrap();
        }
        assert_eq!(state.phase, Phase::Over { at: NOW + 1 });
    }
}
