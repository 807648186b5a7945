/** What the client needs of a WebSocket: that of browsers, of Node.js 22, or of the package `ws`. */
export interface WebSocketLike {
  readonly readyState: number;
  send(text: string): void;
  close(code?: number, reason?: string): void;
  onopen: ((event: never) => void) | null;
  onmessage: ((event: never) => void) | null;
  onerror: ((event: never) => void) | null;
  onclose: ((event: never) => void) | null;
}

/** Opens a WebSocket. */
export type WebSocketConstructor = new (url: string) => WebSocketLike;

/** Time and timers. */
export interface Clock {
  /** Unix time in milliseconds. */
  now(): number;
  /** Calls `callback` once, `delayMs` from now; returns what `cancel` takes. */
  after(delayMs: number, callback: () => void): unknown;
  /** Forgets a timer; one that has fired, or undefined, is ignored. */
  cancel(timer: unknown): void;
}

/** Says when the machine loses and regains its network: `window` in browsers. */
export interface NetworkEvents {
  addEventListener(type: "online" | "offline", listener: () => void): void;
  removeEventListener(type: "online" | "offline", listener: () => void): void;
}

/** What the client stands on; tests replace parts of it. */
export interface Environment {
  readonly clock: Clock;
  /** A number from 0 to below 1. */
  readonly random: () => number;
  /** Undefined where nothing tells. */
  readonly network: NetworkEvents | undefined;
}

const systemClock: Clock = {
  now: () => Date.now(),
  after: (delayMs, callback) => setTimeout(callback, delayMs),
  cancel: (timer) => clearTimeout(timer as ReturnType<typeof setTimeout> | undefined),
};

interface Globals {
  readonly WebSocket?: WebSocketConstructor;
  readonly location?: { readonly href: string };
  readonly addEventListener?: unknown;
}

const globals = globalThis as unknown as Globals;

/** `given`, completed with what this runtime has. */
export function environment(given: Partial<Environment> = {}): Environment {
  const hasNetworkEvents = typeof globals.addEventListener === "function";
  const network = hasNetworkEvents ? (globalThis as unknown as NetworkEvents) : undefined;
  return { clock: systemClock, random: Math.random, network, ...given };
}

/** `given`, or the runtime's own WebSocket. */
export function webSocket(given: WebSocketConstructor | undefined): WebSocketConstructor {
  const constructor = given ?? globals.WebSocket;
  if (!constructor) throw new TypeError("this runtime has no WebSocket: pass one as option `WebSocket`");
  return constructor;
}

/** The endpoint of the server at `url`; a bare origin gets the path `/realtime`. */
export function endpoint(url: string): string {
  const address = new URL(url, globals.location?.href);
  address.protocol = address.protocol.replace(/^http/, "ws");
  if (address.protocol !== "ws:" && address.protocol !== "wss:") throw new TypeError(`not a web address: ${url}`);
  if (address.pathname === "/") address.pathname = "/realtime";
  address.hash = "";
  return address.href;
}
