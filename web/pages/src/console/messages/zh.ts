import type en from './en';

export default { title: 'liveloom' } satisfies typeof en;
