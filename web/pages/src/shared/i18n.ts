/** The languages of the pages: English and Chinese. */

import { createI18n } from 'vue-i18n';

export type Language = 'en' | 'zh';

/** Where the choice of the visitor is kept. */
const KEY = 'liveloom.language';

const isLanguage = (text: unknown): text is Language => text === 'en' || text === 'zh';

/** The language chosen before, or else the browser's. */
export function preferredLanguage(): Language {
  const kept = localStorage.getItem(KEY);
  if (isLanguage(kept)) return kept;
  return navigator.languages.some((tag) => tag.toLowerCase().startsWith('zh')) ? 'zh' : 'en';
}

/** Texts by key, nested. */
export interface Messages {
  [key: string]: string | Messages;
}

/** The translations of one page; what a language lacks is shown in English. */
export function translations<T extends Messages>(en: T, zh: T) {
  const i18n = createI18n({
    legacy: false,
    locale: preferredLanguage(),
    fallbackLocale: 'en',
    messages: { en, zh } as Record<Language, Messages>,
  });
  document.documentElement.lang = i18n.global.locale.value;
  return i18n;
}

/** Keeps a choice of language. */
export function keepLanguage(language: Language): void {
  localStorage.setItem(KEY, language);
  document.documentElement.lang = language;
}
