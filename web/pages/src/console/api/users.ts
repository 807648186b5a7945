import { segment, type Page } from '../../shared/http';
import { admin, type Wanted } from './admin';

/** A user as rooms and lists name them. */
export interface User {
  user_id: string;
  nick: string;
  avatar: string;
  im_userid: number;
  extends: Record<string, string> | null;
}

export interface Account extends User {
  created_at: number;
  /** Unix seconds; null is not banned, 0 forever. */
  banned_until: number | null;
}

export interface AccountDetails extends Account {
  rooms_live?: string[];
}

export const listUsers = (query: Wanted & { keyword: string }, signal: AbortSignal) =>
  admin<Page<Account>>('GET', '/user/list', { query, signal });

export const readUser = (userId: string, signal: AbortSignal) =>
  admin<AccountDetails>('GET', `/user/info/${segment(userId)}`, { signal });
