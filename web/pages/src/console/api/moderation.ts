import { segment, type Page } from '../../shared/http';
import { admin, type Wanted } from './admin';
import type { User } from './users';

export interface ChatSettings {
  slow_mode_s: number;
  is_muted: boolean;
}

export interface Moderator {
  user: User;
  by: string;
  role: Role;
  created_at: number;
}

export type Role = 'anchor' | 'moderator' | 'admin' | 'server';

/** A mute or a ban; `until` 0 is forever. */
export interface Sanction {
  user: User;
  until: number;
  reason: string;
  by: string;
  role?: Role;
  created_at: number;
}

/** How long and why; forever when the time is absent. */
export interface NewSanction {
  duration_s?: number;
  reason?: string;
}

/** What may be imposed on a user in a room. */
export type SanctionKind = 'mutes' | 'bans';

const path = (liveId: string) => `/live/${segment(liveId)}/moderation`;

export const readChatSettings = (liveId: string, signal: AbortSignal) =>
  admin<ChatSettings>('GET', path(liveId), { signal });

export const changeChatSettings = (liveId: string, body: ChatSettings) =>
  admin<ChatSettings>('PUT', path(liveId), { body });

export const listModerators = (liveId: string, query: Wanted, signal: AbortSignal) =>
  admin<Page<Moderator>>('GET', `${path(liveId)}/moderators`, { query, signal });

export const appoint = (liveId: string, userId: string) =>
  admin('PUT', `${path(liveId)}/moderators/${segment(userId)}`);

export const dismiss = (liveId: string, userId: string) =>
  admin('DELETE', `${path(liveId)}/moderators/${segment(userId)}`);

export const listSanctions = (liveId: string, kind: SanctionKind, query: Wanted, signal: AbortSignal) =>
  admin<Page<Sanction>>('GET', `${path(liveId)}/${kind}`, { query, signal });

export const imposeSanction = (liveId: string, kind: SanctionKind, userId: string, body: NewSanction) =>
  admin('PUT', `${path(liveId)}/${kind}/${segment(userId)}`, { body });

export const liftSanction = (liveId: string, kind: SanctionKind, userId: string) =>
  admin('DELETE', `${path(liveId)}/${kind}/${segment(userId)}`);

export const kick = (liveId: string, userId: string, reason: string) =>
  admin('POST', `${path(liveId)}/kick/${segment(userId)}`, { body: reason ? { reason } : {} });

export const deleteMessage = (liveId: string, epoch: string, offset: number) =>
  admin('DELETE', `${path(liveId)}/messages/${segment(epoch)}/${offset}`);

export const listPlatformBans = (query: Wanted, signal: AbortSignal) =>
  admin<Page<Sanction>>('GET', '/bans', { query, signal });

export const imposePlatformBan = (userId: string, body: NewSanction) =>
  admin('PUT', `/bans/${segment(userId)}`, { body });

export const liftPlatformBan = (userId: string) => admin('DELETE', `/bans/${segment(userId)}`);

export interface BannedWord {
  word: string;
  by: string;
  created_at: number;
}

/** How many words one call takes. */
export const WORDS_AT_ONCE = 200;
/** Characters of a word. */
export const WORD_LENGTH = 64;

export const listBannedWords = (query: Wanted, signal: AbortSignal) =>
  admin<Page<BannedWord>>('GET', '/banned_words', { query, signal });

export const addBannedWords = (words: string[]) =>
  admin<{ count: number }>('POST', '/banned_words', { body: { words } });

export const deleteBannedWords = (words: string[]) =>
  admin<{ count: number }>('POST', '/banned_words/delete', { body: { words } });
