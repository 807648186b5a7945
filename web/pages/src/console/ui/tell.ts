import { ElMessage } from 'element-plus';

/** Says that something was done, where it hides nothing that one reads or presses. */
export function tellDone(text: string): void {
  ElMessage({ message: text, type: 'success', placement: 'bottom' });
}
