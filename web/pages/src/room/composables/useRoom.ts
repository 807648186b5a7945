/** A room that the visitor is in: entering and leaving it, and how it stands. */

import { computed, onScopeDispose, reactive, ref, watch } from 'vue';
import { ApiError } from '../../shared/http';
import { rooms } from '../api';
import { fieldsOf, numberOf } from '../logic/lines';
import { LiveStatus, type Room } from '../logic/types';
import { useChannel } from './useChannel';
import { useNames } from './useNames';
import { useSession } from './useSession';
import { useTimer } from './useTimer';

/**
 * `in`: everything works. `over`: one can look at what the room was, and not enter it. `out`: one was in it.
 * `missing`: there is no such room.
 */
export type Phase = 'entering' | 'in' | 'over' | 'out' | 'missing' | 'failed';

/** What the channel does not tell is asked for so often. */
const REFRESH_MS = 12_000;

/** As the SDKs do, while no connection says that we are here. */
const HEARTBEAT_MS = 5_000;

export function useRoom(liveId: string) {
  const session = useSession();
  const { learn } = useNames();
  const channel = useChannel(liveId);
  const room = ref<Room | null>(null);
  const phase = ref<Phase>('entering');
  /** Why one is out, or could not enter. */
  const reason = ref('');
  const isOwn = computed(() => room.value?.anchor_info.user_id === session.state.me?.user_id);
  const isLive = computed(() => room.value?.live_status === LiveStatus.Live);
  const isEnded = computed(() => room.value?.live_status === LiveStatus.Ended);
  const refreshers = new Set<() => Promise<void> | void>();
  let isGone = false;

  function show(found: Room): void {
    learn([found.anchor_info]);
    room.value = found;
  }

  async function enter(): Promise<void> {
    phase.value = 'entering';
    reason.value = '';
    try {
      show(await rooms.info(liveId));
      if (isEnded.value) return void (phase.value = 'over');
      show(await rooms.join(liveId));
      if (isGone) return void rooms.leave(liveId);
      phase.value = 'in';
      channel.open();
    } catch (error) {
      await refuse(error);
    }
  }

  async function refuse(error: unknown): Promise<void> {
    reason.value = error instanceof Error ? error.message : String(error);
    const status = error instanceof ApiError ? error.status : 0;
    if (status === 404) phase.value = 'missing';
    else if (status === 403) phase.value = 'out';
    else if (status === 400 && (await look())) phase.value = 'over';
    else phase.value = 'failed';
  }

  /** Asks how the room is. Answers whether it could be told. */
  async function look(): Promise<boolean> {
    try {
      show(await rooms.info(liveId));
      return true;
    } catch (error) {
      if (error instanceof ApiError && error.status === 404) phase.value = 'missing';
      return false;
    }
  }

  async function refresh(): Promise<void> {
    if (phase.value !== 'in' || !(await look())) return;
    await Promise.allSettled([...refreshers].map(async (act) => act()));
  }

  async function beat(): Promise<void> {
    if (phase.value !== 'in' || channel.link.value === 'live') return;
    try {
      const { live_status } = await rooms.heartbeat(liveId);
      if (room.value) room.value.live_status = live_status;
    } catch (error) {
      // The answer to who is not in the room any more: the SDKs join again.
      if (error instanceof ApiError && error.status === 500) await rooms.join(liveId).catch(() => undefined);
    }
  }

  channel.listen((message) => {
    if (message.deleted || !room.value) return;
    const data = fieldsOf(message.data);
    if (message.action === 'online_count') room.value.online_count = numberOf(data.online_count);
    else if (message.action === 'live_started') void look();
    else if (message.action === 'live_stopped' || message.action === 'censor_stop') {
      room.value.live_status = LiveStatus.Ended;
      void look();
    } else if (/^(liveroom_pk_|pk_|liveroom_miclinker_)/.test(message.action)) void refresh();
  });
  channel.onEnd((code, why) => {
    channel.close();
    // A token that is not taken any more: who logs in again is somebody else, and enters as such.
    if (code === 3500) return void session.token().catch(refuse);
    phase.value = code === 404 ? 'missing' : 'out';
    reason.value = why;
  });

  watch(
    () => session.state.me?.user_id,
    () => void enter(),
  );
  useTimer(REFRESH_MS, refresh);
  useTimer(HEARTBEAT_MS, beat);
  onScopeDispose(() => {
    isGone = true;
    channel.close();
    // An anchor who looks at another page is still on the air.
    if (phase.value === 'in' && !isOwn.value) rooms.leave(liveId).catch(() => undefined);
  });

  // Reactive as a whole, so that templates read `room.phase`.
  return {
    channel,
    state: reactive({ liveId, room, phase, reason, isOwn, isLive, isEnded }),
    enter,
    look,
    show,
    /** Has `act` run whenever the room is asked how it is. */
    onRefresh: (act: () => Promise<void> | void) => void refreshers.add(act),
  };
}

export type RoomVisit = ReturnType<typeof useRoom>;
