/** Pictures for what has none: drawn from its id, so that it looks the same everywhere. */

/** A number from a text, for pictures only. */
export function seedOf(text: string): number {
  let hash = 2166136261;
  for (let index = 0; index < text.length; index += 1) {
    hash = Math.imul(hash ^ text.charCodeAt(index), 16777619);
  }
  // FNV leaves texts that differ in their last character alike in the high bits.
  hash ^= hash >>> 15;
  hash = Math.imul(hash, 2246822507);
  return (hash ^ (hash >>> 13)) >>> 0;
}

/** Pairs of hues that go well together, on a dark ground. */
const PALETTES: readonly (readonly [number, number])[] = [
  [222, 340],
  [262, 200],
  [190, 270],
  [340, 28],
  [160, 215],
  [285, 345],
  [205, 165],
  [18, 320],
];

export function huesOf(seed: number): readonly [number, number] {
  return PALETTES[seed % PALETTES.length] ?? [222, 340];
}

export interface Thread {
  readonly d: string;
  readonly color: string;
  readonly width: number;
  readonly opacity: number;
}

const WIDTH = 320;
const THREADS = 9;

/** Waves across a field of 320 × 180, like the threads of a loom. */
export function threadsOf(seed: number): Thread[] {
  const random = generator(seed);
  const [from, to] = huesOf(seed);
  const middle = 70 + random() * 50;
  const height = 26 + random() * 34;
  const phase = random() * 2 * Math.PI;
  return Array.from({ length: THREADS }, (_, index) => {
    const share = index / (THREADS - 1);
    const hue = from + (((to - from + 540) % 360) - 180) * share;
    return {
      d: wave(middle + (share - 0.5) * 34, height * (1 - share * 0.75), phase + share * 1.9, 1.05 + random() * 0.12),
      color: `hsl(${Math.round(hue)} 90% 68%)`,
      width: 1 + random() * 2.2,
      opacity: 0.35 + random() * 0.5,
    };
  });
}

function wave(middle: number, height: number, phase: number, turns: number): string {
  const points: string[] = [];
  for (let x = -20; x <= WIDTH + 20; x += 5) {
    const y = middle + height * Math.sin(phase + (x / WIDTH) * turns * 2 * Math.PI);
    points.push(`${x} ${y.toFixed(2)}`);
  }
  return `M${points.join('L')}`;
}

function generator(seed: number): () => number {
  let state = seed || 1;
  return () => {
    state = (Math.imul(state, 1664525) + 1013904223) >>> 0;
    return state / 2 ** 32;
  };
}

/** The pictures of gifts that GiftPicture.vue draws. */
export type GiftKind = 'rose' | 'heart' | 'cup' | 'rocket' | 'crown' | 'diamond' | 'star' | 'box';

const KINDS: readonly GiftKind[] = ['box', 'star', 'diamond', 'rocket', 'heart', 'crown', 'rose', 'cup'];

const WORDS: readonly (readonly [RegExp, GiftKind])[] = [
  [/rose|flower|bouquet|玫瑰|花/i, 'rose'],
  [/heart|love|kiss|like|爱|心|赞/i, 'heart'],
  [/coffee|tea|cup|beer|咖啡|茶|酒/i, 'cup'],
  [/rocket|plane|ship|火箭|飞机/i, 'rocket'],
  [/crown|king|queen|皇冠|王/i, 'crown'],
  [/diamond|gem|ring|钻|宝石/i, 'diamond'],
  [/star|firework|星|烟花/i, 'star'],
  [/box|present|gift|礼物|盒/i, 'box'],
];

/** The picture that fits a gift type by its name, or any. */
export function giftKind(giftId: number, name: string): GiftKind {
  const fitting = WORDS.find(([words]) => words.test(name));
  return fitting?.[1] ?? KINDS[giftId % KINDS.length] ?? 'box';
}

/** A colour that tells a user's name from others, on a dark ground. */
export const nameColor = (userId: string): string => `hsl(${seedOf(userId) % 360} 85% 78%)`;

/** What an avatar without a picture shows. */
export const initialOf = (name: string): string => [...name.trim()][0]?.toUpperCase() ?? '·';
