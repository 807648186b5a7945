/** Who is logged in. The session itself is a cookie that scripts cannot read; nothing of it is kept here. */

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

const state = reactive<{ userId: string; failure: unknown }>({ userId: '', failure: null });

export const session = {
  /** The administrator, empty when nobody is logged in; why that could not be found out. */
  state: readonly(state),

  /** Whether somebody is logged in; asks the server when the page does not know. */
  async isOpen(): Promise<boolean> {
    if (state.userId) return true;
    try {
      open(await call<Session>('GET', '/admin/session', { headers: OWN }));
    } catch (error) {
      state.failure = error instanceof ApiError && error.status === 401 ? null : error;
    }
    return state.userId !== '';
  },

  async logIn(name: string, password: string): Promise<void> {
    open(await call<Session>('POST', '/manager/session', { body: { user_name: name, password } }));
  },

  async logOut(): Promise<void> {
    await call('DELETE', '/manager/session', { headers: OWN });
    session.forget();
  },

  /** The server does not know the session any more. */
  forget(): void {
    state.userId = '';
  },
};

function open(found: Session): void {
  state.userId = found.user_id;
  state.failure = null;
}
