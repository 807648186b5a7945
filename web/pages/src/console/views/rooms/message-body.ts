import type { MessageBody } from '../../api/rooms';

/** What a list shows of a message. */
export interface ShownMessage {
  from: string;
  action: string;
  text: string;
  isDeleted: boolean;
}

/** Where chat messages of the SDKs and the web client have their words. */
const TEXTS = ['content', 'msgContent', 'text', 'message'];

export function readBody(body: MessageBody | string): ShownMessage {
  const { from = '', action = '', data, deleted = false } = typeof body === 'string' ? parse(body) : body;
  return { from, action, text: words(data), isDeleted: deleted };
}

function parse(text: string): MessageBody {
  try {
    return JSON.parse(text) as MessageBody;
  } catch {
    return { data: text };
  }
}

function words(data: unknown): string {
  if (data === undefined || data === null) return '';
  if (typeof data !== 'object') return String(data);
  const fields = data as Record<string, unknown>;
  const found = TEXTS.map((name) => fields[name]).find((value) => typeof value === 'string');
  return typeof found === 'string' ? found : JSON.stringify(data);
}
