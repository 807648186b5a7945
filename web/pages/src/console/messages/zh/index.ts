import type en from '../en';
import business from './business';
import monitoring from './monitoring';
import review from './review';
import rooms from './rooms';
import shell from './shell';
import users from './users';

export default { ...shell, ...monitoring, ...rooms, ...users, ...business, ...review } satisfies typeof en;
