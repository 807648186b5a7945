/** The chat of a room: its lines, and saying something. */

import type { Message } from '@liveloom/client';
import { ref, shallowRef } from 'vue';
import { moderations } from '../api';
import { BARRAGE, CHAT, fieldsOf, keyOf, type Line, lineOf, numberOf, textOf, WELCOME } from '../logic/lines';
import { refusalOf, type Words } from '../logic/refusal';
import type { ChatSettings } from '../logic/types';
import { useNames } from './useNames';
import type { RoomVisit } from './useRoom';
import { useSession } from './useSession';

/** More lines than these nobody scrolls through. */
const KEPT = 300;

export function useChat({ channel, state }: RoomVisit) {
  const { want } = useNames();
  const session = useSession();
  const lines = shallowRef<readonly Line[]>([]);
  const settings = ref<ChatSettings>({ slow_mode_s: 0, is_muted: false });
  /** Why what was said last was not taken. */
  const refusal = ref<Words | null>(null);
  const deleted = new Set<string>();
  let atNew: (line: Line) => void = () => undefined;

  function lineFrom(message: Message): Line | null {
    if (message.deleted || deleted.has(keyOf(message.epoch, message.offset))) return null;
    const line = lineOf(message);
    if (!line) return null;
    want(line.kind === 'notice' ? line.user : line.from);
    return line;
  }

  function add(fresh: readonly Line[]): void {
    const there = new Set(lines.value.map((line) => line.key));
    const added = fresh.filter((line) => !there.has(line.key));
    if (added.length === 0) return;
    lines.value = [...lines.value, ...added].toSorted(inOrder).slice(-KEPT);
  }

  function drop(key: string): void {
    deleted.add(key);
    lines.value = lines.value.filter((line) => line.key !== key);
  }

  async function loadPast(): Promise<void> {
    const past = await channel.history().catch(() => []);
    add(past.map(lineFrom).filter((line) => line !== null));
  }

  async function begin(): Promise<void> {
    await loadPast();
    settings.value = await moderations.settings(state.liveId).catch(() => settings.value);
    if (!state.isOwn) await channel.publish(WELCOME, {}).catch(() => undefined);
  }

  /** Says `text`; answers whether it was taken. */
  async function say(text: string, isBarrage: boolean): Promise<boolean> {
    const { user_id = '', nick = '' } = session.state.me ?? {};
    // As the SDKs put it; this page itself looks the sender up.
    const data = { content: text, sender: { user_id, nick }, senderRoomId: state.liveId };
    try {
      await channel.publish(isBarrage ? BARRAGE : CHAT, data);
      refusal.value = null;
      return true;
    } catch (error) {
      refusal.value = refusalOf(error);
      return false;
    }
  }

  channel.listen((message, { isLate }) => {
    if (message.deleted) return;
    const data = fieldsOf(message.data);
    if (message.action === 'deleted') drop(keyOf(textOf(data.epoch), numberOf(data.offset)));
    else if (message.action === 'slow_mode') settings.value.slow_mode_s = numberOf(data.seconds);
    else if (message.action === 'room_muted') settings.value.is_muted = data.is_muted === true;
    // Other rules, another answer.
    const isAboutMe = data.user_id === session.state.me?.user_id;
    if (['slow_mode', 'room_muted'].includes(message.action) || (message.action === 'unmuted' && isAboutMe)) {
      refusal.value = null;
    }
    const line = lineFrom(message);
    if (!line) return;
    add([line]);
    if (!isLate) atNew(line);
  });
  channel.onBegin(() => void begin());
  channel.onGap(() => void loadPast());

  return {
    lines,
    settings,
    refusal,
    say,
    /** Calls `act` for each line that is said now. */
    onNew: (act: (line: Line) => void) => void (atNew = act),
  };
}

const inOrder = (one: Line, other: Line): number =>
  one.epoch === other.epoch ? one.offset - other.offset : one.ts - other.ts;

export type Chat = ReturnType<typeof useChat>;
