/** Numbers and times as the reader's language and zone write them. */

import { computed } from 'vue';
import { useI18n } from 'vue-i18n';
import { now } from './now';

const UNITS: [Intl.RelativeTimeFormatUnit, number][] = [
  ['day', 86_400],
  ['hour', 3_600],
  ['minute', 60],
];

const DAY = { month: 'short', day: 'numeric' } as const;
const TIME = { hour: '2-digit', minute: '2-digit', hourCycle: 'h23' } as const;

export function useFormat() {
  const { locale } = useI18n();
  const formats = computed(() => {
    const tag = locale.value;
    return {
      integer: new Intl.NumberFormat(tag, { maximumFractionDigits: 0 }),
      rate: new Intl.NumberFormat(tag, { maximumFractionDigits: 1 }),
      percent: new Intl.NumberFormat(tag, { style: 'percent', maximumFractionDigits: 1 }),
      short: new Intl.DateTimeFormat(tag, { ...DAY, ...TIME, second: '2-digit' }),
      dated: new Intl.DateTimeFormat(tag, { year: 'numeric', ...DAY, ...TIME }),
      full: new Intl.DateTimeFormat(tag, { dateStyle: 'full', timeStyle: 'long' }),
      clock: new Intl.DateTimeFormat(tag, { ...TIME, second: '2-digit' }),
      relative: new Intl.RelativeTimeFormat(tag, { numeric: 'auto', style: 'short' }),
      unit: (unit: string, maximumFractionDigits = 0) =>
        new Intl.NumberFormat(tag, { style: 'unit', unit, unitDisplay: 'short', maximumFractionDigits }),
    };
  });

  const integer = (value: number) => formats.value.integer.format(value);
  const rate = (value: number) => formats.value.rate.format(value);
  const percent = (value: number) => formats.value.percent.format(value);
  const clock = (ms: number) => formats.value.clock.format(ms);
  const full = (ms: number) => formats.value.full.format(ms);

  /** To the second; with the year when that is another one. */
  function moment(ms: number): string {
    const isThisYear = new Date(ms).getFullYear() === new Date().getFullYear();
    return (isThisYear ? formats.value.short : formats.value.dated).format(ms);
  }

  /** How far from now, in the largest unit that fits. */
  function distance(ms: number): string {
    const seconds = (ms - now.value) / 1000;
    const [unit, length] = UNITS.find(([, each]) => Math.abs(seconds) >= each) ?? (['second', 1] as const);
    return formats.value.relative.format(Math.round(seconds / length), unit);
  }

  function bytes(value: number): string {
    if (value >= 1e9) return formats.value.unit('gigabyte', 1).format(value / 1e9);
    return formats.value.unit('megabyte').format(value / 1e6);
  }

  /** A time between two moments, in its largest unit. */
  function duration(seconds: number): string {
    const [unit, length] = UNITS.find(([, each]) => seconds >= each) ?? (['second', 1] as const);
    return formats.value.unit(unit).format(Math.round(seconds / length));
  }

  const millis = (value: number) => formats.value.unit('millisecond').format(value);

  return { integer, rate, percent, moment, distance, clock, full, bytes, duration, millis };
}
