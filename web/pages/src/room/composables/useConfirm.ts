/** Asks before what cannot be undone. */

import { readonly, shallowRef } from 'vue';

export interface Question {
  readonly title: string;
  readonly text: string;
  /** What the button that goes ahead says. */
  readonly action: string;
}

const question = shallowRef<Question | null>(null);
let answer: ((isYes: boolean) => void) | null = null;

/** Answers true when the visitor goes ahead. */
function confirm(asked: Question): Promise<boolean> {
  settle(false);
  question.value = asked;
  return new Promise((resolve) => (answer = resolve));
}

function settle(isYes: boolean): void {
  question.value = null;
  answer?.(isYes);
  answer = null;
}

export function useConfirm() {
  return { question: readonly(question), confirm, settle };
}
