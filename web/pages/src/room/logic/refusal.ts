/** Why the server took a message not, in words of the page's language. */

import { DisconnectedError, RequestError, TimeoutError } from '@liveloom/client';

/** A key of the translations with what goes into it. */
export interface Words {
  readonly key: string;
  readonly params: Readonly<Record<string, string | number>>;
}

const words = (key: string, params: Words['params'] = {}): Words => ({ key, params });

/** The server's reasons, as src/moderation/refusal.rs words them. */
const REASONS: Record<string, string> = {
  'you are muted in this room': 'refused.muted',
  'you are banned from this room': 'refused.banned',
  'the room is muted': 'refused.roomMuted',
  'the message has a banned word': 'refused.bannedWord',
  'you are not in the room': 'refused.notInRoom',
};

export function refusalOf(error: unknown): Words {
  if (error instanceof RequestError) {
    const seconds = Math.max(1, Math.ceil((error.retryAfterMs ?? 0) / 1000));
    const known = REASONS[error.message];
    if (known === 'refused.muted' && error.retryAfterMs) return words('refused.mutedFor', { n: seconds });
    if (known) return words(known);
    if (error.code === 429) return words('refused.tooFast', { n: seconds });
    if (error.code === 413) return words('refused.tooLong');
    return words('refused.other', { reason: error.message });
  }
  if (error instanceof DisconnectedError && error.outcome === 'not-sent') return words('refused.offline');
  if (error instanceof DisconnectedError || error instanceof TimeoutError) return words('refused.unknown');
  return words('refused.other', { reason: error instanceof Error ? error.message : String(error) });
}
