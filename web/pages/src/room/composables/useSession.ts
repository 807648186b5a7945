/** Who the visitor is: a user of the demo, one for each tab, who stays the same over a reload. */

import { reactive, readonly } from 'vue';
import { ApiError, call, type Call, type Method } from '../../shared/http';
import type { DemoInfo } from '../logic/types';

export interface Me {
  user_id: string;
  nick: string;
  access_token: string;
  /** Unix seconds. */
  expires_at: number;
}

/** `off`: this server has no demo. */
export type SessionStatus = 'starting' | 'ready' | 'off' | 'failed';

interface State {
  status: SessionStatus;
  me: Me | null;
  info: DemoInfo | null;
  error: unknown;
}

const KEY = 'liveloom.demo.user';

/** A token that ends within this time is not used any more. */
const LEAST_LIFE_S = 120;

/** Codes of a token that the server does not take (any more). */
const NOT_TAKEN = new Set([401, 499]);

const state = reactive<State>({ status: 'starting', me: null, info: null, error: null });

let login: Promise<Me> | null = null;

function kept(): Me | null {
  try {
    const me = JSON.parse(sessionStorage.getItem(KEY) ?? 'null') as Me | null;
    return me && isUsable(me) ? me : null;
  } catch {
    return null;
  }
}

const isUsable = (me: Me): boolean => me.expires_at - LEAST_LIFE_S > Date.now() / 1000;

function keep(me: Me): Me {
  sessionStorage.setItem(KEY, JSON.stringify(me));
  state.me = me;
  return me;
}

/** A new user; callers at the same time get the same one. */
function logIn(): Promise<Me> {
  const nick = state.me?.nick;
  login ??= call<Me>('POST', '/demo/login', { body: nick ? { nick } : {} })
    .then(keep)
    .finally(() => (login = null));
  return login;
}

async function start(): Promise<void> {
  state.status = 'starting';
  try {
    state.info = await call<DemoInfo>('GET', '/demo/info');
    if (state.info.is_enabled) {
      state.me = kept() ?? (await logIn());
      state.status = 'ready';
    } else {
      state.status = 'off';
    }
  } catch (error) {
    state.error = error;
    state.status = error instanceof ApiError && error.status === 404 ? 'off' : 'failed';
  }
}

/** A token that the server takes, as far as this page knows. */
async function token(): Promise<string> {
  const me = state.me && isUsable(state.me) ? state.me : await logIn();
  return me.access_token;
}

/** Gives up a token that the server does not take. */
function expire(used: string): void {
  if (state.me?.access_token === used) state.me = { ...state.me, expires_at: 0 };
}

/** Calls the API as the visitor; logs in again, once, when the token is not taken. */
export async function callAsMe<T>(method: Method, path: string, options: Call = {}): Promise<T> {
  const attempt = (used: string) =>
    call<T>(method, path, { ...options, headers: { ...options.headers, Authorization: `Bearer ${used}` } });
  const used = await token();
  try {
    return await attempt(used);
  } catch (error) {
    if (!(error instanceof ApiError) || !NOT_TAKEN.has(error.code)) throw error;
    expire(used);
    return attempt(await token());
  }
}

async function rename(nick: string): Promise<void> {
  await callAsMe('PUT', '/client/user/user', { body: { nick } });
  if (state.me) keep({ ...state.me, nick });
}

export function useSession() {
  return { state: readonly(state), start, token, expire, rename };
}
