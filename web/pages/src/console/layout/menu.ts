import type { IconName } from '../ui/icons';
import type { Overview } from '../api/overview';

export interface Entry {
  /** Route, icon and key of the text. */
  name: IconName;
  /** How many there wait for an operator. */
  waiting?: (overview: Overview) => number;
}

export const menu: { title: string; entries: Entry[] }[] = [
  { title: 'live', entries: [{ name: 'overview' }, { name: 'rooms' }, { name: 'users' }] },
  {
    title: 'moderation',
    entries: [{ name: 'review', waiting: ({ review }) => review.waiting }, { name: 'banned-words' }],
  },
  {
    title: 'business',
    entries: [
      { name: 'gifts', waiting: ({ gifts }) => gifts.flagged },
      { name: 'gift-types' },
      { name: 'callbacks', waiting: ({ callbacks }) => callbacks.failed },
    ],
  },
  { title: 'system', entries: [{ name: 'administrators' }, { name: 'operations' }, { name: 'configuration' }] },
];
