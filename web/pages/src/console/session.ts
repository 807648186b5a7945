/**
 * Who is logged in. The session itself is a cookie that scripts cannot read; all that is kept here is until when there
 * may be one, so that whoever never logged in is not asked about.
 */

import { reactive, readonly } from 'vue';
import { ApiError, call } from '../shared/http';

interface Session {
  user_id: string;
  /** Unix seconds. */
  expires_at: number;
}

/**
 * Makes a call one of the console's own: another site can have the browser send the cookie, but not this header.
 */
export const OWN = { 'X-Liveloom-Console': '1' };

/** Where it is kept until when there may be a session, Unix seconds. */
const UNTIL = 'liveloom.console.until';

const state = reactive<{ userId: string; failure: unknown }>({ userId: '', failure: null });

export const session = {
  /** The administrator, empty when nobody is logged in; why that could not be found out. */
  state: readonly(state),

  /** Whether somebody is logged in; asks the server when the page does not know. */
  async isOpen(): Promise<boolean> {
    if (state.userId) return true;
    if (Number(localStorage.getItem(UNTIL)) * 1000 < Date.now()) return false;
    try {
      open(await call<Session>('GET', '/admin/session', { headers: OWN }));
    } catch (error) {
      const isUnknown = error instanceof ApiError && error.status === 401;
      if (isUnknown) session.forget();
      state.failure = isUnknown ? null : error;
    }
    return state.userId !== '';
  },

  async logIn(name: string, password: string): Promise<void> {
    open(await call<Session>('POST', '/manager/session', { body: { user_name: name, password } }));
  },

  async logOut(): Promise<void> {
    await call('DELETE', '/admin/session', { headers: OWN });
    session.forget();
  },

  /** The server does not know the session any more. */
  forget(): void {
    state.userId = '';
    localStorage.removeItem(UNTIL);
  },
};

function open(found: Session): void {
  state.userId = found.user_id;
  state.failure = null;
  localStorage.setItem(UNTIL, String(found.expires_at));
}
