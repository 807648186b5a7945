import { admin } from './admin';

export interface Node {
  node_id: number;
  host: string;
  pid: number;
  version: string;
  started_at: number;
  seen_ms_ago: number;
  is_leader: boolean;
  /** Whether it answered this call. */
  is_answering: boolean;
  cpu_seconds_total: number;
  memory_bytes: number;
  connections: number;
  requests_total: number;
  messages_total: number;
  deliveries_total: number;
  gifts_total: number;
  likes_total: number;
}

export interface Job {
  name: string;
  every_ms: number;
  node_id: number;
  last_at_ms: number | null;
  last_took_ms: number;
  last_is_ok: boolean;
  runs_total: number;
  failures_total: number;
}

export interface Overview {
  at_ms: number;
  rooms_live: number;
  users_online: number;
  messages_total: number;
  gifts_total: number;
  likes_total: number;
  requests_total: number;
  callbacks: { pending: number; failed: number; oldest_s: number };
  gifts: { waiting: number; flagged: number };
  review: { waiting: number };
  leader: { node_id: number; preferred_node_id: number | null } | null;
  nodes: Node[];
  jobs: Job[];
  warnings: string[];
  /** Keys of the configuration whose secrets are known or can be guessed. */
  weak_secrets: string[];
}

export const readOverview = (signal: AbortSignal) => admin<Overview>('GET', '/overview', { signal });
