/** The state of the whole, asked for every few seconds while somebody looks at the page. */

import { effectScope, reactive, shallowRef, watch } from 'vue';
import { readOverview, type Overview } from './api/overview';
import { session } from './session';

/** What the charts keep of an answer. */
export interface Point {
  at_ms: number;
  users: number;
  messages: number;
  gifts: number;
  likes: number;
  requests: number;
}

const KEEP_MS = 5 * 60_000;
/** Rates are over so long: the nodes tell their sums every 2 s, just before or just after an answer. */
const RATE_MS = 6_000;
const WATCHED_MS = 2_000;
const ASIDE_MS = 10_000;

const now = shallowRef<Overview>();
/** The answer that rates are counted from. */
const before = shallowRef<Overview>();
let recent: Overview[] = [];
const points = shallowRef<readonly Point[]>([]);
const state = reactive({ error: null as unknown, since: 0 });

/** How many pages show it; the rest of the console needs it less often. */
let watchers = 0;
let timer: ReturnType<typeof setTimeout> | undefined;
let running: AbortController | undefined;

/** The last answer, one from a few seconds before, the points of the last minutes, since when there is no answer. */
export const overview = {
  now,
  before,
  points,
  state,
  /** Asks now. */
  refresh: () => void poll(),
  /** Asks more often until the returned function is called. */
  watch(): () => void {
    watchers += 1;
    void poll();
    return () => (watchers -= 1);
  },
};

async function poll() {
  clearTimeout(timer);
  if (running || document.hidden || !session.state.userId) return;
  const mine = (running = new AbortController());
  try {
    take(await readOverview(mine.signal));
    state.error = null;
    state.since = 0;
  } catch (error) {
    if (mine.signal.aborted) return;
    state.error = error;
    state.since ||= Date.now();
  } finally {
    if (running === mine) running = undefined;
  }
  if (session.state.userId) timer = setTimeout(poll, watchers ? WATCHED_MS : ASIDE_MS);
}

function take(answer: Overview) {
  if (now.value && answer.at_ms <= now.value.at_ms) return;
  const last = (before.value = recent[0]);
  now.value = answer;
  // One older than the time of a rate stays, for when answers are rare.
  const { length } = recent;
  recent = [...recent.filter(({ at_ms }, place) => at_ms > answer.at_ms - RATE_MS || place === length - 1), answer];
  if (!last) return;
  const seconds = (answer.at_ms - last.at_ms) / 1000;
  // A sum that fell is that of a node which began anew, or went.
  const rate = (sum: (from: Overview) => number) => Math.max(0, (sum(answer) - sum(last)) / seconds);
  const point: Point = {
    at_ms: answer.at_ms,
    users: answer.users_online,
    messages: rate((from) => from.messages_total),
    gifts: rate((from) => from.gifts_total),
    likes: rate((from) => from.likes_total),
    requests: rate((from) => from.requests_total),
  };
  points.value = [...points.value.filter(({ at_ms }) => at_ms > answer.at_ms - KEEP_MS), point];
}

function forget() {
  running?.abort();
  now.value = before.value = undefined;
  recent = [];
  points.value = [];
  state.error = null;
  state.since = 0;
}

document.addEventListener('visibilitychange', () => void poll());
const follow = (userId: string) => (userId ? void poll() : forget());
effectScope(true).run(() => watch(() => session.state.userId, follow, { immediate: true }));
