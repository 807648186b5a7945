/** Small texts and addresses. */

/** 1,234 → 1.2K: for counters, in the way of the language. */
export function compact(count: number, language: string): string {
  return new Intl.NumberFormat(language, { notation: 'compact', maximumFractionDigits: 1 }).format(count);
}

/** The time of day of a message. */
export function timeOfDay(ms: number, language: string): string {
  return new Intl.DateTimeFormat(language, { hour: '2-digit', minute: '2-digit', hourCycle: 'h23' }).format(ms);
}

/** What others typed as an address, if a link may lead there. */
export function webAddress(text: string): string | undefined {
  if (!URL.canParse(text)) return undefined;
  const { protocol, href } = new URL(text);
  return protocol === 'https:' || protocol === 'http:' ? href : undefined;
}

/** A picture that the page may show: its policy allows those over https, and the server's own. */
export function picture(text: string): string | undefined {
  if (!text || !URL.canParse(text, location.origin)) return undefined;
  const { protocol, origin, href } = new URL(text, location.origin);
  return protocol === 'https:' || origin === location.origin ? href : undefined;
}

/** An id of one's own. `crypto.randomUUID` is for https pages only, and a demo is often plain http. */
export function randomId(bytes = 16): string {
  return Array.from(crypto.getRandomValues(new Uint8Array(bytes)), (byte) => byte.toString(16).padStart(2, '0')).join('');
}
