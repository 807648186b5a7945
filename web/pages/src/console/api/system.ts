import { segment, type Page } from '../../shared/http';
import { admin, type Wanted } from './admin';

export interface Administrator {
  user_id: string;
  user_name: string;
  description: string;
  can_log_in: boolean;
}

export interface AdministratorForm {
  user_name: string;
  user_id?: string;
  password?: string;
  /** The password until now, of whoever changes their own. */
  old_password?: string;
  description: string;
}

/** Characters of a password. */
export const PASSWORD_LENGTH = { min: 8, max: 255 };

export const listAdministrators = (query: Wanted, signal: AbortSignal) =>
  admin<Page<Administrator>>('GET', '/users', { query, signal });

export const createAdministrator = (body: AdministratorForm) => admin<Administrator>('POST', '/users', { body });

export const changeAdministrator = (userId: string, body: AdministratorForm) =>
  admin<Administrator>('PUT', `/users/${segment(userId)}`, { body });

export const deleteAdministrator = (userId: string) => admin('DELETE', `/users/${segment(userId)}`);

export interface Operation {
  id: number;
  user_id: string;
  ip: string;
  method: string;
  url: string;
  args: string;
  /** 0: never answered. */
  status_code: number;
  created_at: number | null;
}

export const listOperations = (query: Wanted & { user_id: string }, signal: AbortSignal) =>
  admin<Page<Operation>>('GET', '/operations', { query, signal });

export type Value = string | number | boolean | null | Value[] | { [key: string]: Value };

export interface Configuration {
  node_id: number;
  version: string;
  warnings: string[];
  config: { [section: string]: Value };
}

export const readConfiguration = (signal: AbortSignal) => admin<Configuration>('GET', '/config', { signal });
