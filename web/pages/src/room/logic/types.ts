/** What the API answers about rooms (docs/api.md). */

export interface User {
  user_id: string;
  nick: string;
  avatar: string;
}

export const LiveStatus = { Created: 0, Live: 1, Ended: 2 } as const;
export type LiveStatus = (typeof LiveStatus)[keyof typeof LiveStatus];

export interface Room {
  live_id: string;
  title: string;
  notice: string;
  cover_url: string;
  anchor_info: User;
  anchor_status: number;
  pk_id: string;
  online_count: number;
  start_time: number;
  end_time: number;
  /** Empty for everybody but the anchor. */
  push_url: string;
  hls_url: string;
  flv_url: string;
  pv: number;
  uv: number;
  total_mics: number;
  live_status: LiveStatus;
  stop_reason?: string;
}

export interface Item {
  item_id: string;
  title: string;
  tags: string;
  thumbnail: string;
  link: string;
  current_price: string;
  origin_price: string;
  status: number;
}

export interface GiftType {
  gift_id: number;
  name: string;
  /** Price; 0 when the sender chooses. */
  amount: number;
  img: string;
}

/** 0 not known yet, 1 paid, 2 refused. */
export interface Gift {
  biz_id: string;
  gift_id: number;
  amount: number;
  status: 0 | 1 | 2;
}

export interface Seat {
  user: User;
  mic: boolean;
  camera: boolean;
}

export interface Pk {
  sid: string;
  init_room_id: string;
  recv_room_id: string;
  extends: Record<string, string> | null;
  status: number;
}

export interface ChatSettings {
  slow_mode_s: number;
  is_muted: boolean;
}

export interface Sanction {
  user: User;
  until: number;
}

export interface StatsEntry {
  type: number;
  page_view: number;
  unique_visitor: number;
}

export interface DemoInfo {
  is_enabled: boolean;
  version: string;
  payments: 'test' | 'service' | 'none';
  has_media: boolean;
}
