/** The time, kept up to date: what is told relative to it moves along. */

import { readonly, ref } from 'vue';

const EVERY_MS = 2_000;

const time = ref(Date.now());
setInterval(() => (time.value = Date.now()), EVERY_MS);

/** Unix milliseconds, at most two seconds old. */
export const now = readonly(time);
