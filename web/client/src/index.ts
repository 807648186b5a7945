/** Client of liveloom's realtime protocol: chat, notices and barrage of live rooms over one WebSocket. */
export type { BackoffOptions } from "./backoff.js";
export { Client } from "./client.js";
export type { ClientEvents, ClientState, Disconnected, HistoryOptions } from "./client.js";
export type { Closed } from "./connection.js";
export type { TokenProvider } from "./credentials.js";
export type { Emitter } from "./emitter.js";
export type { Clock, Environment, NetworkEvents, WebSocketConstructor, WebSocketLike } from "./environment.js";
export { DisconnectedError, ProtocolError, RealtimeError, RequestError, TimeoutError, TokenError } from "./errors.js";
export type { Outcome } from "./errors.js";
export type { ClientOptions } from "./options.js";
export { CloseCode, isPermanent } from "./protocol.js";
export type {
  ErrorBody,
  Hello,
  HistoryResult,
  Position,
  PresenceResult,
  PresentUser,
  Pub,
  Publication,
  PublishResult,
} from "./protocol.js";
export type {
  DeletedMessage,
  Lost,
  Message,
  PublishedMessage,
  Subscribed,
  Subscription,
  SubscriptionEvents,
  SubscriptionState,
  Unsubscribed,
} from "./subscription.js";
