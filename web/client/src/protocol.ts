/** What goes over the wire of `GET /realtime`: one JSON document per text frame. */

/** A place in a channel: offsets rise by one within an epoch and mean nothing in another. */
export interface Position {
  /** Names one unbroken run of the channel's offsets. */
  readonly epoch: string;
  /** The offset of the last message before this place. */
  readonly offset: number;
}

/** Answer to `connect`. */
export interface Hello {
  /** The server's name for this connection. */
  readonly client: string;
  /** Whose token it was. */
  readonly user_id: string;
  /** The node that took the connection. */
  readonly node_id: number;
  /** Seconds between two pings of the server. */
  readonly ping_s: number;
  /** When the token ends, in Unix seconds. */
  readonly expires_at: number;
}

/** A message as the server stores it. */
export type Pub =
  | {
      readonly from: string;
      readonly action: string;
      readonly data: unknown;
      readonly ts: number;
      readonly deleted?: false;
    }
  | { readonly deleted: true; readonly ts: number };

/** A message with its place in the channel. */
export interface Publication {
  readonly offset: number;
  readonly pub: Pub;
}

/** Answer to `subscribe`. */
export interface SubscribeResult extends Position {
  readonly channel: string;
  /** Whether all that came after the position asked for is in `publications`. */
  readonly recovered?: boolean;
  readonly publications?: readonly Publication[];
}

/** Answer to `publish`. */
export interface PublishResult {
  readonly offset: number;
}

/** Answer to `history`. */
export interface HistoryResult extends Position {
  /** Oldest first. */
  readonly publications: readonly Publication[];
  /** Whether nothing between the position asked for and the first one is gone. */
  readonly complete: boolean;
}

/** Answer to `presence`. */
export interface PresenceResult {
  readonly online_count: number;
  /** At most 100 of them. */
  readonly users: readonly PresentUser[];
}

/** Someone who is in a room. */
export interface PresentUser {
  readonly user_id: string;
  readonly nick: string;
  readonly avatar: string;
}

/** Answer to `refresh`. */
export interface RefreshResult {
  readonly expires_at: number;
}

/** Why the server refused a request. Codes are those of the HTTP API. */
export interface ErrorBody {
  readonly code: number;
  readonly message: string;
  readonly retry_after_ms?: number;
}

/** What the server says unasked about a channel. */
export interface ChannelPush {
  readonly channel: string;
  readonly epoch?: string;
  readonly offset?: number;
  readonly pub?: Pub;
  /** Messages before this position may be missing. */
  readonly lost?: true;
  readonly unsubscribed?: { readonly code: number; readonly message: string };
}

/** Any frame of the server. */
export interface ServerFrame {
  readonly id?: number;
  readonly result?: unknown;
  readonly error?: ErrorBody;
  readonly push?: Partial<ChannelPush>;
}

/** Why a connection ended. Below 3500 the client comes back, but for 1009; codes from 4000 on are the client's own. */
export const CloseCode = {
  Normal: 1000,
  /** No close frame came: the network, or a handshake that was refused. */
  Abnormal: 1006,
  /** A frame or a message was longer than the server takes. */
  MessageTooBig: 1009,
  ServerError: 3000,
  /** The server shuts down; the client comes back after a longer, random while. */
  ShuttingDown: 3001,
  TokenExpired: 3005,
  TooSlow: 3008,
  Silent: 3009,
  TooManyConnections: 3010,
  BadToken: 3500,
  Banned: 3501,
  ProtocolViolation: 3502,
  Flooding: 3503,
  /** Nothing was heard of the server, not even an answer to a ping. */
  ServerSilent: 4000,
  /** The server did not say hello in time. */
  ConnectTimeout: 4001,
  /** The server sent something that is not of the protocol. */
  BadFrame: 4002,
  /** The token provider failed. */
  NoToken: 4003,
} as const;

const FIRST_PERMANENT = 3500;
const LAST_PERMANENT = 3999;

/** Whether the server asks not to come back after closing with `code`. */
export function isPermanent(code: number): boolean {
  return code === CloseCode.MessageTooBig || (code >= FIRST_PERMANENT && code <= LAST_PERMANENT);
}
