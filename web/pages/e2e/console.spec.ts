/** An operator goes through the console: every page, and on each what one does there. */

import { expect, test, type APIRequestContext, type Browser, type Locator, type Page } from '@playwright/test';
import { demoUser, logIn, operator, picture, watch, type DemoUser } from './support';

/** A session that has ended meanwhile is told so by a 401. */
const NOT_LOGGED_IN = /status of 401/;

const row = (page: Page, text: string): Locator => page.getByRole('row').filter({ hasText: text });
const dialog = (page: Page, name: string): Locator => page.getByRole('dialog', { name });
const menu = (page: Page, name: string): Locator =>
  page.getByRole('navigation', { name: 'Pages of the console' }).getByRole('link', { name });

/** Takes one of the choices that stand beside one another. */
async function choose(page: Page | Locator, group: string, choice: string): Promise<void> {
  await page.getByRole('radiogroup', { name: group }).getByText(choice, { exact: true }).click();
}

/** Answers the question that an action asks before it is carried out. */
async function confirm(page: Page, title: string, button: string): Promise<void> {
  await dialog(page, title).getByRole('button', { name: button, exact: true }).click();
}

async function said(page: Page, text: string): Promise<void> {
  await expect(page.getByText(text).last()).toBeVisible();
}

interface LiveRoom {
  id: string;
  title: string;
  anchor: DemoUser;
  viewer: DemoUser;
  /** Ends the viewer's heartbeats. */
  leave(): void;
}

/** A live room with a viewer who stays. */
async function liveRoom(request: APIRequestContext, title: string): Promise<LiveRoom> {
  const anchor = await demoUser(request, 'Anna the anchor');
  const viewer = await demoUser(request, 'Victor the viewer');
  const { live_id: id } = await anchor.call<{ live_id: string }>('POST', '/client/live/room/instance', { title });
  await anchor.call('PUT', `/client/live/room/${id}`);
  await viewer.call('POST', `/client/live/room/user/${id}`);
  const beats = setInterval(() => void viewer.call('GET', `/client/live/room/heartbeat/${id}`).catch(() => {}), 4_000);
  return { id, title, anchor, viewer, leave: () => clearInterval(beats) };
}

/** Sends a gift of the first gift type. */
async function sendGift({ id, viewer }: LiveRoom): Promise<{ biz_id: string; amount: number; name: string }> {
  const [type] = await viewer.call<{ gift_id: number; name: string; amount: number }[]>('GET', '/client/gift/config/-1');
  expect(type).toBeDefined();
  const { gift_id, name, amount } = type!;
  const sent = await viewer.call<{ biz_id: string }>('POST', '/client/gift/send', { live_id: id, gift_id, amount });
  return { biz_id: sent.biz_id, amount, name };
}

test('only the right password opens the console, at the page that was asked for', async ({ page }, info) => {
  const complaints = watch(page);
  await page.goto('/console/banned-words');
  await picture(page, info, 'console-login');
  await page.getByLabel('User name').fill(operator.name);
  await page.getByLabel('Password').fill('not the password');
  await page.getByRole('button', { name: 'Log in' }).click();
  await expect(page.getByRole('alert')).toContainText('The name or the password is wrong.');

  await logIn(page);
  await expect(page).toHaveURL(/\/console\/banned-words$/);
  await expect(page.getByTestId('who')).toHaveText(operator.name);
  expect(await page.evaluate(() => [JSON.stringify(localStorage), JSON.stringify(sessionStorage), document.cookie].join())).not.toContain('eyJ');

  // A session that is over leads to the login, and from there back.
  await menu(page, 'Rooms').click();
  await expect(page).toHaveURL(/\/console\/rooms$/);
  await page.context().clearCookies();
  await page.getByRole('button', { name: 'Refresh' }).click();
  await expect(page).toHaveURL(/\/console\/login\?to=\/rooms$/);
  await logIn(page);
  await expect(page).toHaveURL(/\/console\/rooms$/);

  await page.getByRole('button', { name: 'Log out' }).click();
  await expect(page.getByRole('button', { name: 'Log in' })).toBeVisible();
  await page.goto('/console/users');
  await expect(page).toHaveURL(/\/console\/login\?to=/);
  complaints.none(NOT_LOGGED_IN, /status of 403/);
});

test('the overview moves, and its figures lead to the lists', async ({ page, request }, info) => {
  const room = await liveRoom(request, 'A room to count');
  const complaints = watch(page);
  await page.goto('/console');
  await logIn(page);
  await expect(page.getByTestId('tile-roomsLive')).toHaveText(/[1-9]/);
  await expect(page.getByTestId('tile-usersOnline')).toHaveText(/[1-9]/);
  // The page's own calls are among the requests.
  await expect(page.getByTestId('tile-requests')).toHaveText(/[1-9]/);
  await expect(page.getByTestId('tile-leader')).toHaveText(/^Node \d+$/);
  await expect(page.getByTestId('chart')).toHaveCount(4);
  const messages = page.getByRole('img', { name: /^Messages per second/ });
  await expect(messages).toHaveAttribute('aria-label', /Messages: now [\d.,]+, at most [\d.,]+/);
  const before = await messages.getAttribute('aria-label');
  await sendGift(room);
  await expect(messages).not.toHaveAttribute('aria-label', before ?? '');

  const nodes = page.getByRole('region', { name: 'Nodes' });
  await expect(nodes.getByRole('row')).toHaveCount(2);
  await expect(nodes).toContainText('leader');
  await expect(nodes.getByText(/^[\d.,]+%$/)).toBeVisible();
  await expect(page.getByRole('region', { name: 'Jobs of the leader' }).getByText('good').first()).toBeVisible();
  await picture(page, info, 'console-overview');

  // A server that is away is told of, and looked for until it is back.
  await page.context().setOffline(true);
  await expect(page.getByRole('alert')).toContainText('The server has not been reachable since');
  await page.context().setOffline(false);
  await expect(page.getByRole('alert')).toHaveCount(0);

  await page.getByTestId('tile-roomsLive').click();
  await expect(page).toHaveURL(/rooms\?live_status=1/);
  await expect(row(page, room.id)).toBeVisible();
  room.leave();
  complaints.none(NOT_LOGGED_IN, /ERR_INTERNET_DISCONNECTED/);
});

test('a room is looked at, moderated and stopped', async ({ page, request }, info) => {
  const room = await liveRoom(request, 'A room to stop');
  const gift = await sendGift(room);
  const complaints = watch(page);
  await page.goto('/console/rooms');
  await logIn(page);
  await page.getByRole('textbox', { name: 'Title, room or anchor' }).fill(room.id);
  await page.keyboard.press('Enter');
  await expect(page).toHaveURL(new RegExp(`keyword=${room.id}`));
  await expect(row(page, room.id)).toContainText('Live');
  await picture(page, info, 'console-rooms');
  await page.getByRole('link', { name: room.title }).click();
  await expect(page.getByRole('heading', { name: room.title })).toBeVisible();
  await expect(page.getByText('rtmp://').first()).toBeVisible();

  await page.getByRole('tab', { name: 'Users' }).click();
  const viewer = row(page, room.viewer.user_id);
  await expect(viewer).toBeVisible();
  await picture(page, info, 'console-room');
  await viewer.getByRole('button', { name: 'Make moderator' }).click();
  await confirm(page, 'Make moderator', 'Make moderator');
  await said(page, `${room.viewer.nick} is a moderator now.`);
  await viewer.getByRole('button', { name: 'Mute' }).click();
  const mute = dialog(page, `Mute ${room.viewer.nick}`);
  await choose(mute, 'For how long', '1 day');
  await mute.getByLabel('Reason').fill('shouting');
  await mute.getByRole('button', { name: 'Mute' }).click();
  await said(page, `${room.viewer.nick} is muted.`);

  await page.getByRole('tab', { name: 'Messages' }).click();
  const announced = row(page, 'gift_notify');
  await expect(announced).toContainText(String(gift.amount));
  await announced.getByRole('button', { name: 'Delete' }).click();
  await confirm(page, 'Delete the message', 'Delete');
  await said(page, 'The message is deleted.');
  await expect(row(page, 'gift_notify')).toHaveCount(0);

  await page.getByRole('tab', { name: 'Moderation' }).click();
  await expect(page.getByRole('region', { name: 'Moderators' })).toContainText(room.viewer.user_id);
  const mutes = page.getByRole('region', { name: 'Mutes' });
  await expect(mutes).toContainText('shouting');
  await picture(page, info, 'console-room-moderation');
  await mutes.getByRole('button', { name: 'Unmute' }).click();
  await confirm(page, 'Unmute', 'Unmute');
  await said(page, 'Nobody is muted.');
  await page.getByRole('button', { name: 'Ban a user' }).click();
  const ban = dialog(page, 'Ban a user');
  await ban.getByLabel('User id').fill(room.viewer.user_id);
  await ban.getByRole('button', { name: 'Ban', exact: true }).click();
  const bans = page.getByRole('region', { name: 'Bans' });
  await expect(bans).toContainText(room.viewer.user_id);
  await said(page, 'The room has no moderators.');
  await bans.getByRole('button', { name: 'Lift the ban' }).click();
  await confirm(page, 'Lift the ban', 'Lift the ban');
  await said(page, 'Nobody is banned from this room.');

  await page.getByRole('tab', { name: 'Statistics' }).click();
  await expect(row(page, 'Gifts')).toContainText(String(gift.amount));

  await page.getByRole('button', { name: 'Stop', exact: true }).click();
  const stop = dialog(page, 'Stop the live');
  await stop.getByLabel('What the room is told').fill('Against the rules');
  await stop.getByRole('button', { name: 'Stop the live' }).click();
  await said(page, 'The live is stopped.');
  await expect(page.getByText('Ended', { exact: true })).toBeVisible();

  await menu(page, 'Operation log').click();
  const noted = row(page, `/admin/censor/stoplive/${room.id}`);
  await expect(noted).toContainText('Against the rules');
  await expect(noted).toContainText('200');
  await expect(noted).toContainText(operator.name);
  await picture(page, info, 'console-operations');
  room.leave();
  complaints.none();
});

test('users are banned from the platform and let in again', async ({ page, request }, info) => {
  const user = await demoUser(request, 'Uwe the user');
  const complaints = watch(page);
  await page.goto(`/console/users?keyword=${user.user_id}`);
  await logIn(page);
  const found = row(page, user.user_id);
  await expect(found).toContainText('not banned');
  await found.getByRole('button', { name: 'Ban' }).click();
  const ban = dialog(page, `Ban ${user.nick} from the platform`);
  await choose(ban, 'For how long', 'For ever');
  await ban.getByLabel('Reason').fill('fraud');
  await ban.getByRole('button', { name: 'Ban', exact: true }).click();
  await expect(found).toContainText('banned for ever');
  await picture(page, info, 'console-users');

  await found.getByRole('button', { name: 'Details' }).click();
  await expect(dialog(page, user.nick)).toContainText('banned for ever');
  await page.keyboard.press('Escape');
  await expect(dialog(page, user.nick)).toBeHidden();

  await page.getByRole('tab', { name: 'Banned from the platform' }).click();
  const banned = row(page, user.user_id);
  await expect(banned).toContainText('fraud');
  await banned.getByRole('button', { name: 'Lift the ban' }).click();
  await confirm(page, 'Lift the ban', 'Lift the ban');
  await said(page, 'Nobody is banned from the platform.');
  complaints.none();
});

test('gift types are edited, gifts are seen and refunded', async ({ page, request }, info) => {
  const room = await liveRoom(request, 'A room with gifts');
  const gift = await sendGift(room);
  const complaints = watch(page);
  await page.goto('/console/gift-types');
  await logIn(page);
  await page.getByRole('button', { name: `Edit ${gift.name}` }).click();
  const edit = dialog(page, `Edit ${gift.name}`);
  await edit.getByLabel('Price (0: the sender chooses)').fill('7');
  await edit.getByRole('button', { name: 'Save' }).click();
  await said(page, `${gift.name} is saved.`);
  await expect(row(page, gift.name).getByRole('cell', { name: '7', exact: true })).toBeVisible();
  await picture(page, info, 'console-gift-types');

  await menu(page, 'Gifts').click();
  await page.getByRole('textbox', { name: 'Room' }).fill(room.id);
  await page.keyboard.press('Enter');
  const paid = row(page, gift.biz_id);
  await expect(paid).toContainText('Paid');
  await picture(page, info, 'console-gifts');
  await paid.getByRole('button', { name: 'Refund' }).click();
  const refund = dialog(page, `Refund ${gift.name}`);
  await expect(refund).toContainText('This moves no money');
  await refund.getByLabel('Reason').fill('sent by mistake');
  await refund.getByRole('button', { name: 'Refund' }).click();
  await expect(paid).toContainText('refunded');
  await choose(page, 'State', 'Waiting');
  await said(page, 'There are no such gifts.');
  room.leave();
  complaints.none();
});

test('callbacks are filtered, review settings changed, words banned', async ({ page }, info) => {
  const complaints = watch(page);
  await page.goto('/console/callbacks');
  await logIn(page);
  await choose(page, 'State', 'Failed');
  await expect(page).toHaveURL(/state=failed/);
  await said(page, 'No event has left its room’s order.');
  await picture(page, info, 'console-callbacks');

  await menu(page, 'Content review').click();
  await said(page, 'No pictures wait for you.');
  await picture(page, info, 'console-review');
  await page.getByRole('tab', { name: 'Judged' }).click();
  await said(page, 'No pictures were judged yet.');
  await page.getByRole('tab', { name: 'Settings' }).click();
  const seconds = page.getByRole('spinbutton');
  const advertising = page.getByRole('checkbox', { name: 'Advertising' });
  const wasChosen = await advertising.isChecked();
  await seconds.fill('33');
  await advertising.press('Space');
  await page.getByRole('button', { name: 'Save' }).click();
  await confirm(page, 'Settings of the review', 'Save');
  await said(page, 'The review settings are saved.');
  await page.reload();
  await expect(seconds).toHaveValue('33');
  await expect(advertising).toBeChecked({ checked: !wasChosen });
  await picture(page, info, 'console-review-settings');

  await menu(page, 'Banned words').click();
  await page.getByRole('button', { name: 'Add words' }).click();
  const add = dialog(page, 'Add words');
  await add.getByLabel('One word or phrase a line').fill('snake oil\nfree coins');
  await add.getByRole('button', { name: 'Add', exact: true }).click();
  await said(page, 'New words: 2.');
  await expect(row(page, 'free coins')).toContainText(operator.name);
  await picture(page, info, 'console-banned-words');
  await page.getByRole('button', { name: 'Delete snake oil' }).click();
  await confirm(page, 'Delete banned words', 'Delete');
  await expect(row(page, 'snake oil')).toHaveCount(0);
  await page.getByRole('checkbox', { name: 'Choose free coins' }).press('Space');
  await page.getByRole('button', { name: 'Delete chosen (1)' }).click();
  await confirm(page, 'Delete banned words', 'Delete');
  await said(page, 'There are no banned words.');
  complaints.none();
});

/** Another administrator, in a browser of their own, who gives the former password and is logged out by the change. */
async function changesOwnPassword(browser: Browser, name: string, former: string, next: string): Promise<void> {
  const context = await browser.newContext();
  const page = await context.newPage();
  const logInWith = async (password: string) => {
    await page.getByLabel('User name').fill(name);
    await page.getByLabel('Password').fill(password);
    await page.getByRole('button', { name: 'Log in' }).click();
  };
  await page.goto('/console/administrators');
  await logInWith(former);
  await row(page, 'you').getByRole('button', { name: 'Edit' }).click();
  const edit = dialog(page, 'Edit the administrator');
  await edit.getByLabel('New password').fill(next);
  const save = edit.getByRole('button', { name: 'Save' });
  await expect(save).toBeDisabled();
  await edit.getByLabel('Password until now').fill('not the password');
  await save.click();
  await expect(edit.getByRole('alert')).toContainText('old_password');
  await edit.getByLabel('Password until now').fill(former);
  await save.click();
  await expect(page).toHaveURL(/\/console\/login/);
  await logInWith(next);
  await expect(page.getByTestId('who')).toHaveText(name);
  await context.close();
}

test('administrators are managed, and the configuration is read without its secrets', async ({ browser, page }, info) => {
  const complaints = watch(page);
  await page.goto('/console/administrators');
  await logIn(page);
  await page.getByRole('button', { name: 'Add an administrator' }).click();
  const add = dialog(page, 'Add an administrator');
  await add.getByLabel('Name to log in with').fill('second');
  await add.getByLabel('Password').fill('short');
  await expect(add.getByRole('button', { name: 'Save' })).toBeDisabled();
  await add.getByLabel('Password').fill('long enough to be taken');
  await add.getByRole('button', { name: 'Save' }).click();
  const second = row(page, 'second');
  await expect(second).toBeVisible();
  await picture(page, info, 'console-administrators');

  // The same name again is refused in words, and the form stays.
  await page.getByRole('button', { name: 'Add an administrator' }).click();
  await add.getByLabel('Name to log in with').fill('second');
  await add.getByLabel('Password').fill('long enough to be taken');
  await add.getByRole('button', { name: 'Save' }).click();
  await expect(add.getByRole('alert')).toContainText(/request \S+/);
  await add.getByRole('button', { name: 'Cancel' }).click();

  await changesOwnPassword(browser, 'second', 'long enough to be taken', 'another one, as long');
  await second.getByRole('button', { name: 'Delete' }).click();
  await confirm(page, 'Delete the administrator', 'Delete');
  await expect(second).toHaveCount(0);

  await menu(page, 'Configuration').click();
  await expect(page.getByText(/As running on node \d+/)).toBeVisible();
  await picture(page, info, 'console-configuration');
  await page.getByRole('textbox', { name: 'Key or value' }).fill('jwt_key');
  await expect(page.getByRole('region', { name: 'auth' }).getByText('*** secret').first()).toBeVisible();
  await page.getByRole('textbox', { name: 'Key or value' }).fill('no such key');
  await said(page, 'Nothing has this in its key or value.');

  await page.getByRole('combobox', { name: /Language/ }).selectOption('zh');
  await expect(page.getByRole('heading', { name: '配置' })).toBeVisible();
  await page.getByRole('link', { name: '概览' }).click();
  await expect(page.getByTestId('tile-leader')).toHaveText(/^节点 \d+$/);
  await picture(page, info, 'console-overview-zh');
  complaints.none(/status of 400/);
});
