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
  for (let x = -16; x <= WIDTH + 16; x += 16) {
    const y = middle + height * Math.sin(phase + (x / WIDTH) * turns * 2 * Math.PI);
    points.push(`${x} ${y.toFixed(1)}`);
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

const FACES = ['🎁', '💎', '🚀', '👑', '🎉', '🦄', '🍀', '⭐'];
const KNOWN: readonly (readonly [RegExp, string])[] = [
  [/rose|flower|玫瑰|花/i, '🌹'],
  [/heart|love|爱|心/i, '💖'],
  [/rocket|火箭/i, '🚀'],
  [/car|车/i, '🏎️'],
  [/crown|皇冠/i, '👑'],
  [/diamond|gem|钻/i, '💎'],
  [/cake|蛋糕/i, '🎂'],
  [/coffee|tea|咖啡|茶/i, '☕'],
  [/beer|cheers|啤酒|干杯/i, '🍻'],
  [/star|星/i, '⭐'],
  [/firework|烟花/i, '🎆'],
  [/lolli|candy|糖/i, '🍭'],
  [/clap|like|thumb|赞|掌/i, '👏'],
];

/** A face for a gift type without a picture. */
export function giftFace(gift: { readonly gift_id: number; readonly name: string }): string {
  const known = KNOWN.find(([pattern]) => pattern.test(gift.name));
  return known?.[1] ?? FACES[gift.gift_id % FACES.length] ?? '🎁';
}

/** What an avatar without a picture shows. */
export const initialOf = (name: string): string => [...name.trim()][0]?.toUpperCase() ?? '·';
