import { segment, type Page } from '../../shared/http';
import { admin, type Wanted } from './admin';
import type { User } from './users';

/** 0 created, 1 live, 2 ended. */
export type LiveStatus = 0 | 1 | 2;

export interface Room {
  live_id: string;
  title: string;
  notice: string;
  cover_url: string;
  extends: Record<string, string> | null;
  anchor_info: User;
  anchor_status: 0 | 1;
  pk_id: string;
  online_count: number;
  start_time: number;
  end_time: number;
  chat_id: number;
  push_url: string;
  hls_url: string;
  rtmp_url: string;
  flv_url: string;
  pv: number;
  uv: number;
  total_mics: number;
  live_status: LiveStatus;
  stop_reason?: string;
  stop_by?: string;
  stop_at?: number;
}

/** A kept message of a room. */
export interface Message {
  epoch: string;
  offset: number;
  at_ms: number;
  body: MessageBody | string;
}

export interface MessageBody {
  from?: string;
  action?: string;
  data?: unknown;
  deleted?: boolean;
}

export interface RoomStats {
  info: { type: number; type_description: string; page_view: number; unique_visitor: number }[];
}

const path = (liveId: string) => `/live/${segment(liveId)}`;

export const listRooms = (query: Wanted & { live_status: string; keyword: string }, signal: AbortSignal) =>
  admin<Page<Room>>('GET', '/live/list', { query, signal });

export const readRoom = (liveId: string, signal: AbortSignal) => admin<Room>('GET', path(liveId), { signal });

export const listRoomUsers = (liveId: string, query: Wanted, signal: AbortSignal) =>
  admin<Page<User>>('GET', `${path(liveId)}/users`, { query, signal });

export const readRoomStats = (liveId: string, signal: AbortSignal) =>
  admin<RoomStats>('GET', `${path(liveId)}/stats`, { signal });

export const readMessages = (liveId: string, limit: number, signal: AbortSignal) =>
  admin<Message[]>('GET', `${path(liveId)}/messages`, { query: { limit }, signal });

/** Ends a live; `message` is what the room is told. */
export const stopRoom = (liveId: string, message: string) =>
  admin('POST', `/censor/stoplive/${segment(liveId)}`, { body: message ? { message } : {} });
