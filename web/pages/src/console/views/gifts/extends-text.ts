/** A map of texts as lines `key=value`, as people edit it. */

export function toLines(map: Record<string, string> | null): string {
  return Object.entries(map ?? {})
    .map(([key, value]) => `${key}=${value}`)
    .join('\n');
}

/** Undefined when a line has no key. */
export function fromLines(text: string): Record<string, string> | undefined {
  const lines = text.split('\n').filter((line) => line.trim());
  const pairs = lines.map((line) => [line.slice(0, line.indexOf('=')).trim(), line.slice(line.indexOf('=') + 1)] as const);
  const areGood = lines.every((line) => line.indexOf('=') > 0) && pairs.every(([key]) => key);
  return areGood ? Object.fromEntries(pairs) : undefined;
}
