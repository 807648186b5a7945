/** Calls of the server's API: every answer is an envelope (docs/api.md). */

/** What the server said when it refused. */
export class ApiError extends Error {
  constructor(
    /** HTTP status; 0 when the server could not be reached. */
    readonly status: number,
    /** The envelope's code. */
    readonly code: number,
    message: string,
    /** Names the call in the server's log. */
    readonly requestId: string,
    /** What came with the refusal. */
    readonly data?: unknown,
  ) {
    super(message);
    this.name = 'ApiError';
  }
}

/** A page of a list. */
export interface Page<T> {
  total_count: number;
  page_total: number;
  end_page: boolean;
  list: T[];
}

export type Method = 'GET' | 'POST' | 'PUT' | 'DELETE';

/** What may go with a call. */
export interface Call {
  /** Query parameters; those that are undefined or '' are left out. */
  query?: Record<string, string | number | boolean | undefined>;
  /** Sent as JSON. */
  body?: unknown;
  headers?: Record<string, string>;
  signal?: AbortSignal;
}

interface Envelope {
  request_id?: string;
  code?: number;
  message?: string;
  data?: unknown;
}

const TIMEOUT_MS = 15_000;

/**
 * Calls the server and answers the envelope's data.
 *
 * @throws ApiError when the server refuses, cannot be reached or does not answer in 15 s.
 */
export async function call<T>(method: Method, path: string, options: Call = {}): Promise<T> {
  const headers: Record<string, string> = { ...options.headers };
  if (options.body !== undefined) headers['Content-Type'] = 'application/json';
  const timeout = AbortSignal.timeout(TIMEOUT_MS);
  let response: Response;
  let envelope: Envelope;
  try {
    response = await fetch(address(path, options.query), {
      method,
      headers,
      body: options.body === undefined ? null : JSON.stringify(options.body),
      signal: options.signal ? AbortSignal.any([options.signal, timeout]) : timeout,
      cache: 'no-store',
    });
    envelope = (await response.json()) as Envelope;
  } catch (error) {
    if (options.signal?.aborted) throw error;
    throw new ApiError(0, 0, error instanceof Error ? error.message : String(error), '');
  }
  const { code = response.status, message = response.statusText, request_id = '', data } = envelope;
  if (!response.ok || code !== 0) throw new ApiError(response.status, code, message, request_id, data);
  return data as T;
}

function address(path: string, query: Call['query']): string {
  const params = new URLSearchParams();
  for (const [name, value] of Object.entries(query ?? {})) {
    if (value !== undefined && value !== '') params.set(name, String(value));
  }
  const text = params.toString();
  return text ? `${path}?${text}` : path;
}

/** One part of a path, with everything that would end it escaped. */
export const segment = (text: string | number): string => encodeURIComponent(text);
