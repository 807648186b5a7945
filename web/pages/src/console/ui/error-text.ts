import { useI18n } from 'vue-i18n';
import { ApiError } from '../../shared/http';

/** A failure in words, with the id under which the server's log has the call. */
export interface ErrorText {
  text: string;
  request: string;
}

export function useErrorText(): (error: unknown) => ErrorText {
  const { t } = useI18n();
  return (error) => {
    if (!(error instanceof ApiError)) return { text: error instanceof Error ? error.message : String(error), request: '' };
    if (error.status === 0) return { text: t('error.unreachable'), request: '' };
    return { text: error.message || t('error.status', { status: error.status }), request: error.requestId };
  };
}
