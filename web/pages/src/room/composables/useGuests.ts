/** Guests on microphone seats, and the room that this one is in a PK with. */

import { ref, watch } from 'vue';
import { rooms } from '../api';
import type { Pk, Room, Seat } from '../logic/types';
import { useNames } from './useNames';
import type { RoomVisit } from './useRoom';

export function useGuests({ state, onRefresh }: RoomVisit) {
  const { learn } = useNames();
  const seats = ref<Seat[]>([]);
  const pk = ref<Pk | null>(null);
  /** The other room of the PK. */
  const rival = ref<Room | null>(null);

  async function loadSeats(): Promise<void> {
    if (!state.room?.total_mics && seats.value.length === 0) return;
    seats.value = (await rooms.seats(state.liveId)) ?? [];
    learn(seats.value.map((seat) => seat.user));
  }

  async function loadPk(): Promise<void> {
    const id = state.room?.pk_id;
    if (!id) {
      pk.value = rival.value = null;
      return;
    }
    const found = await rooms.pk(id);
    const other = found.init_room_id === state.liveId ? found.recv_room_id : found.init_room_id;
    if (rival.value?.live_id !== other) rival.value = await rooms.info(other);
    pk.value = found;
  }

  const load = async () => {
    await Promise.allSettled([loadSeats(), loadPk()]);
  };
  onRefresh(load);
  watch(() => [state.room?.pk_id, state.room?.total_mics], () => void load());

  return { seats, pk, rival, load };
}

export type Guests = ReturnType<typeof useGuests>;
