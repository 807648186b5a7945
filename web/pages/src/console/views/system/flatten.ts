import type { Value } from '../../api/system';

/** A key of the configuration with its value in words. */
export interface Entry {
  /** Path in its section. */
  key: string;
  text: string;
  isSecret: boolean;
}

/** What the server shows in place of a secret. */
const MASK = '***';

/** The leaves of a section; lists of plain values stay one leaf. */
export function flatten(path: string, value: Value): Entry[] {
  if (Array.isArray(value)) {
    if (value.every((each) => typeof each !== 'object' || each === null)) return [leaf(path, value.map(show).join(', '))];
    return value.flatMap((each, place) => flatten(`${path}.${place}`, each));
  }
  if (typeof value === 'object' && value !== null) {
    return Object.entries(value).flatMap(([key, each]) => flatten(`${path}.${key}`, each));
  }
  return [leaf(path, show(value))];
}

const show = (value: Value): string => (value === null ? '' : String(value));
const isSecret = (text: string) => text !== '' && text.split(', ').every((each) => each === MASK);
const leaf = (key: string, text: string): Entry => ({ key, text, isSecret: isSecret(text) });
