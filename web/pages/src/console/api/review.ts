import type { Page } from '../../shared/http';
import { admin, type Wanted } from './admin';
import type { LiveStatus } from './rooms';

/** What the review service looks for. */
export const SCENES = ['pulp', 'terror', 'politician', 'ads'] as const;
export type Scene = (typeof SCENES)[number];

export interface ReviewSettings extends Record<Scene, boolean> {
  enable: boolean;
  /** Seconds between two pictures. */
  interval: number;
}

/** Seconds between two pictures: what the server takes. */
export const MAX_INTERVAL_S = 60;
/** Pictures that one verdict takes. */
export const PICTURES_AT_ONCE = 200;

export const readReviewSettings = (signal: AbortSignal) => admin<ReviewSettings>('GET', '/censor/config', { signal });
export const saveReviewSettings = (body: ReviewSettings) => admin('POST', '/censor/config', { body });

/** A room with pictures; times in Unix milliseconds, 0 when unset. */
export interface ReviewedRoom {
  live_id: string;
  title: string;
  anchor_id: string;
  nick: string;
  live_status: LiveStatus;
  stop_reason: string;
  start_at: number;
  time: number;
  count: number;
  violation_count: number;
  ai_count: number;
}

export interface Picture extends Record<Scene, string> {
  id: number;
  url: string;
  created_at: number;
  suggestion: string;
  live_id: string;
  is_review: 0 | 1;
  review_answer: 0 | 1 | 2;
  review_user_id: string;
  review_time: number;
}

export const listReviewedRooms = (query: Wanted & { is_review?: string }, signal: AbortSignal) =>
  admin<Page<ReviewedRoom>>('GET', '/censor/live', { query, signal });

export const listPictures = (query: Wanted & { is_review?: string; live_id?: string }, signal: AbortSignal) =>
  admin<Page<Picture>>('GET', '/censor/record', { query, signal });

/** 1 pass, 2 violation. */
export type Answer = 1 | 2;

export interface Audit {
  live_id: string;
  image_list: number[];
  review_answer: Answer;
  notify?: boolean;
  message?: string;
}

export const audit = (body: Audit) => admin('POST', '/censor/audit', { body });
