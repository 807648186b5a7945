/** Calls of the administration API. */

import { call, ApiError, type Call, type Method } from '../../shared/http';
import { OWN, session } from '../session';

/**
 * Calls `/admin{path}` and answers its data. A 401 ends the session that the page knows of.
 *
 * @throws ApiError
 */
export async function admin<T>(method: Method, path: string, options: Call = {}): Promise<T> {
  try {
    return await call<T>(method, `/admin${path}`, { ...options, headers: { ...options.headers, ...OWN } });
  } catch (error) {
    if (error instanceof ApiError && error.status === 401) session.forget();
    throw error;
  }
}

/** Which page of a list is wanted, and what it is narrowed to. */
export type Wanted = { page_num: number; page_size: number };
