/** What an anchor may do about the people in the room. */

import { reactive } from 'vue';
import { moderations } from '../api';
import { fieldsOf, type Line, textOf } from '../logic/lines';
import type { ChatSettings } from '../logic/types';
import type { RoomVisit } from './useRoom';

export function useModeration({ channel, state }: RoomVisit) {
  const { liveId } = state;
  const muted = reactive(new Set<string>());

  async function load(): Promise<void> {
    const { list } = await moderations.mutes(liveId);
    muted.clear();
    list.forEach(({ user }) => muted.add(user.user_id));
  }

  channel.listen((message) => {
    if (message.deleted) return;
    const userId = textOf(fieldsOf(message.data).user_id);
    if (message.action === 'muted') muted.add(userId);
    else if (message.action === 'unmuted') muted.delete(userId);
  });

  return {
    muted,
    load,
    mute: async (userId: string) => {
      await moderations.mute(liveId, userId);
      muted.add(userId);
    },
    unmute: async (userId: string) => {
      await moderations.unmute(liveId, userId);
      muted.delete(userId);
    },
    kick: (userId: string) => moderations.kick(liveId, userId),
    deleteLine: ({ epoch, offset }: Line) => moderations.deleteMessage(liveId, epoch, offset),
    change: async (settings: Partial<ChatSettings>) => void (await moderations.change(liveId, settings)),
  };
}

export type Moderation = ReturnType<typeof useModeration>;
