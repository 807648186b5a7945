/** What an operator does: asked, carried out, and told how it went. */

import { ElMessageBox, ElNotification } from 'element-plus';
import { reactive } from 'vue';
import { useI18n } from 'vue-i18n';
import { session } from '../session';
import { useErrorText } from './error-text';
import { tellDone } from './tell';

export interface Action<T> {
  /** Names the control that is busy meanwhile. */
  key: string;
  /** The question; nothing is asked when absent. */
  confirm?: { title: string; text: string; button: string; isDangerous?: boolean };
  run: () => Promise<T>;
  /** What is said when it went well. */
  done: string | ((answer: T) => string);
}

/** `act` answers whether the action was carried out. */
export function useActions() {
  const { t } = useI18n();
  const explain = useErrorText();
  const busy = reactive(new Set<string>());

  async function act<T>({ key, confirm, run, done }: Action<T>): Promise<boolean> {
    if (busy.has(key) || (confirm && !(await asks(confirm)))) return false;
    busy.add(key);
    try {
      const answer = await run();
      tellDone(typeof done === 'string' ? done : done(answer));
      return true;
    } catch (error) {
      // Whoever is logged out sees the login.
      if (session.state.userId) tell(error);
      return false;
    } finally {
      busy.delete(key);
    }
  }

  function asks({ title, text, button, isDangerous }: NonNullable<Action<unknown>['confirm']>): Promise<boolean> {
    const box = ElMessageBox.confirm(text, title, {
      confirmButtonText: button,
      cancelButtonText: t('action.cancel'),
      confirmButtonType: isDangerous ? 'danger' : 'primary',
      type: isDangerous ? 'warning' : '',
    });
    return box.then(
      () => true,
      () => false,
    );
  }

  function tell(error: unknown) {
    const { text, request } = explain(error);
    const message = request ? `${text} (${t('error.request', { id: request })})` : text;
    ElNotification.error({ title: t('error.failed'), message, duration: 0, offset: 60 });
  }

  return { act, isBusy: (key: string) => busy.has(key) };
}
