import { useI18n } from 'vue-i18n';
import { liftPlatformBan } from '../../api/moderation';
import { useActions } from '../../ui/use-actions';

/** The end of a ban from the platform. */
export function useLifting() {
  const { t } = useI18n();
  const { act, isBusy } = useActions();

  async function lift(user: { user_id: string; nick: string }, then: () => Promise<void>) {
    const name = user.nick || user.user_id;
    const isDone = await act({
      key: user.user_id,
      confirm: {
        title: t('sanction.platform.lift'),
        text: t('sanction.platform.liftText', { user: name }),
        button: t('sanction.platform.lift'),
      },
      run: () => liftPlatformBan(user.user_id),
      done: t('sanction.platform.lifted', { user: name }),
    });
    if (isDone) await then();
  }

  return { lift, isBusy };
}
