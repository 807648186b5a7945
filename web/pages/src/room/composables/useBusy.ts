/** An action under way: its control is off meanwhile, and its failure is told. */

import { ref } from 'vue';
import { useToasts } from './useToasts';

/** Wraps `act`, so that it runs once at a time. Answers whether it succeeded. */
export function useBusy<Args extends unknown[]>(act: (...args: Args) => Promise<void>) {
  const isBusy = ref(false);
  const { failed } = useToasts();
  async function run(...args: Args): Promise<boolean> {
    if (isBusy.value) return false;
    isBusy.value = true;
    try {
      await act(...args);
      return true;
    } catch (error) {
      failed(error);
      return false;
    } finally {
      isBusy.value = false;
    }
  }
  return { isBusy, run };
}
