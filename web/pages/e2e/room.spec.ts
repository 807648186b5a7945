/** A viewer and an anchor live through a whole room, each in a browser of their own. */

import { expect, test, type Browser, type BrowserContext, type Page, type WebSocketRoute } from '@playwright/test';
import { picture, watch, type Complaints } from './support';

const SHOP = 'Celadon tea cup';

/** What a page's console may say: nobody publishes a stream here, and a cut network is noticed. */
const EXPECTED = [/\.flv|\.m3u8/, /ERR_INTERNET_DISCONNECTED/];

/** Someone with a browser, whose network can be cut. */
class Person {
  readonly #complaints: Complaints;
  readonly #sockets = new Set<WebSocketRoute>();
  /** What the server said since `hold`. */
  #held: (() => void)[] | null = null;
  #isCut = false;

  private constructor(
    readonly context: BrowserContext,
    readonly page: Page,
  ) {
    this.#complaints = watch(page);
  }

  static async arrive(browser: Browser, nick: string, viewport = { width: 1280, height: 800 }): Promise<Person> {
    const context = await browser.newContext({ viewport });
    const person = new Person(context, await context.newPage());
    await person.page.routeWebSocket(/\/realtime/, (socket) => person.#route(socket));
    await person.page.goto('/');
    await person.page.getByTestId('me').click();
    const dialog = person.page.getByRole('dialog', { name: 'Your name' });
    await dialog.getByLabel('Name', { exact: true }).fill(nick);
    await dialog.getByRole('button', { name: 'Save' }).click();
    await expect(person.page.getByTestId('me')).toContainText(nick);
    return person;
  }

  #route(socket: WebSocketRoute): void {
    if (this.#isCut) {
      void socket.close({ code: 3000 });
      return;
    }
    socket.connectToServer().onMessage((message) => {
      const tell = () => socket.send(message);
      if (this.#held) this.#held.push(tell);
      else tell();
    });
    this.#sockets.add(socket);
  }

  /** Keeps back what the server says, until `release`. */
  hold(): void {
    this.#held = [];
  }

  release(): void {
    this.#held?.forEach((tell) => tell());
    this.#held = null;
  }

  /** The browser's offline mode leaves open sockets alone. */
  async cut(): Promise<void> {
    this.#isCut = true;
    await this.context.setOffline(true);
    for (const socket of this.#sockets) await socket.close({ code: 3000 });
    this.#sockets.clear();
  }

  async mend(): Promise<void> {
    this.#isCut = false;
    await this.context.setOffline(false);
  }

  async enter(path: string): Promise<void> {
    await this.page.goto(path);
    await this.isConnected();
  }

  async isConnected(): Promise<void> {
    await expect(this.page.getByTestId('link')).toHaveAttribute('data-state', 'live');
  }

  async say(text: string): Promise<void> {
    await this.page.getByLabel('Your message').fill(text);
    await this.page.getByRole('button', { name: 'Send', exact: true }).click();
  }

  line(text: string) {
    return this.page.getByRole('log').getByText(text, { exact: true });
  }

  tab(name: 'Chat' | 'Shop' | 'People') {
    return this.page.getByRole('tab', { name });
  }

  /** Goes; nothing may have gone wrong in the page. */
  async leave(): Promise<void> {
    this.#complaints.none(...EXPECTED);
    await this.context.close();
  }
}

/** Creates a room and starts it; answers its address. */
async function goLive(anchor: Person, title: string): Promise<string> {
  await anchor.page.getByRole('button', { name: 'Create a room' }).click();
  const dialog = anchor.page.getByRole('dialog', { name: 'A new room' });
  await dialog.getByLabel('Title').fill(title);
  await dialog.getByRole('button', { name: 'Create' }).click();
  await anchor.isConnected();
  await anchor.page.getByRole('button', { name: 'Start the live' }).click();
  await expect(anchor.page.getByTestId('status')).toHaveText('Live');
  return new URL(anchor.page.url()).pathname;
}

async function talk(anchor: Person, viewer: Person): Promise<void> {
  await viewer.say('hello from the viewer');
  await expect(anchor.line('hello from the viewer')).toBeVisible();
  await expect(anchor.page.getByTestId('barrage')).toContainText('hello from the viewer');
  await anchor.say('hello from the anchor');
  await expect(viewer.line('hello from the anchor')).toBeVisible();
  await expect(viewer.line('Ann').first()).toBeVisible();
}

async function sendGift(anchor: Person, viewer: Person): Promise<void> {
  await viewer.page.getByTestId('gifts').getByRole('button', { name: /coin/ }).first().click();
  await viewer.page.getByTestId('send-gift').click();
  await expect(viewer.page.getByTestId('gift-outcome')).toContainText('paid');
  await expect(anchor.page.getByTestId('line-gift')).toContainText('Vic');
}

async function like(anchor: Person, viewer: Person): Promise<void> {
  const button = viewer.page.getByRole('button', { name: /^Like \d/ });
  for (let count = 0; count < 3; count += 1) await button.click();
  await expect(viewer.page.getByTestId('likes')).toHaveText('3');
  await expect(anchor.page.getByTestId('likes')).toHaveText('3');
}

async function addItem(anchor: Person, title: string): Promise<void> {
  await anchor.page.getByRole('button', { name: 'Add an item' }).click();
  const dialog = anchor.page.getByRole('dialog', { name: 'Add an item' });
  await dialog.getByLabel('Title').fill(title);
  await dialog.getByLabel('Price').fill('€ 18.00');
  await dialog.getByRole('button', { name: 'Add', exact: true }).click();
  await expect(dialog).toBeHidden();
}

async function sell(anchor: Person, viewer: Person): Promise<void> {
  await anchor.tab('Shop').click();
  await viewer.tab('Shop').click();
  await addItem(anchor, SHOP);
  await addItem(anchor, 'Wood-fired vase');
  const shown = viewer.page.getByTestId('item');
  await expect(shown.first()).toContainText('Wood-fired vase');
  await anchor.page.getByTestId('item').filter({ hasText: SHOP }).getByRole('button', { name: 'Explain' }).click();
  await expect(shown.first()).toContainText(SHOP);
  await expect(shown.first().getByTestId('demonstrated')).toBeVisible();
  await anchor.tab('Chat').click();
  await viewer.tab('Chat').click();
}

async function muteAndUnmute(anchor: Person, viewer: Person): Promise<void> {
  await anchor.tab('People').click();
  const row = anchor.page.getByTestId('user').filter({ hasText: 'Vic' });
  await row.getByLabel('Moderate Vic').click();
  await row.getByRole('button', { name: 'Mute', exact: true }).click();
  await expect(row).toContainText('muted');
  await expect(viewer.page.getByTestId('notice').filter({ hasText: 'Vic was muted' })).toBeVisible();
  await viewer.say('nobody hears this');
  await expect(viewer.page.getByTestId('refusal')).toHaveText('Not sent: you are muted in this room.');
  await row.getByLabel('Moderate Vic').click();
  await row.getByRole('button', { name: 'Unmute', exact: true }).click();
  await expect(viewer.page.getByTestId('notice').filter({ hasText: 'Vic may speak again' })).toBeVisible();
  await anchor.tab('Chat').click();
  await viewer.say('heard again');
  await expect(anchor.line('heard again')).toBeVisible();
  await expect(anchor.line('nobody hears this')).toHaveCount(0);
}

async function loseTheNetwork(anchor: Person, viewer: Person): Promise<void> {
  await viewer.cut();
  await expect(viewer.page.getByTestId('link')).toHaveAttribute('data-state', /recovering|offline/);
  await anchor.say('while you were away, one');
  await anchor.say('while you were away, two');
  await expect(anchor.line('while you were away, two')).toBeVisible();
  await expect(viewer.line('while you were away, one')).toHaveCount(0);
  await viewer.mend();
  await viewer.isConnected();
  await expect(viewer.line('while you were away, one')).toBeVisible();
  await expect(viewer.line('while you were away, two')).toBeVisible();
  await expect(viewer.page.getByTestId('recovery')).toContainText('2 messages were recovered');
}

async function stop(anchor: Person, viewer: Person): Promise<void> {
  await anchor.page.getByRole('button', { name: 'End the live' }).click();
  await anchor.page.getByRole('dialog', { name: 'End the live?' }).getByRole('button', { name: 'End the live' }).click();
  await expect(viewer.page.getByTestId('stage-note')).toContainText('The live is over');
  await expect(viewer.page.getByTestId('status')).toHaveText('Ended');
  await expect(anchor.page.getByTestId('status')).toHaveText('Ended');
}

test('a viewer and an anchor live through a whole room', async ({ browser }, info) => {
  // Of its own, should the server know more rooms.
  const title = `Pottery studio, day ${100 + (Date.now() % 900)}`;
  const anchor = await Person.arrive(browser, 'Ann');
  const viewer = await Person.arrive(browser, 'Vic');
  const phone = await Person.arrive(browser, 'Pia', { width: 390, height: 844 });

  const path = await goLive(anchor, title);
  await expect(anchor.page.getByTestId('push-url')).toContainText('rtmp://');

  await viewer.page.getByLabel('Search live rooms').fill(title);
  const card = viewer.page.getByTestId('room-card');
  await expect(card).toHaveCount(1);
  await picture(viewer.page, info, 'lobby');
  await card.click();
  await viewer.isConnected();
  await expect(viewer.page.getByTestId('push-url')).toHaveCount(0);
  await phone.enter(path);
  await expect(anchor.page.getByTestId('online')).toContainText('3');

  await talk(anchor, viewer);
  await sell(anchor, viewer);
  await muteAndUnmute(anchor, viewer);
  await sendGift(anchor, viewer);
  await like(anchor, viewer);
  await picture(anchor.page, info, 'room-anchor');
  await picture(viewer.page, info, 'room-viewer');
  await picture(phone.page, info, 'room-phone');
  await loseTheNetwork(anchor, viewer);
  await stop(anchor, viewer);

  for (const person of [anchor, viewer, phone]) await person.leave();
});

test('a reload brings back the same person, the room and its chat', async ({ browser }) => {
  const anchor = await Person.arrive(browser, 'Ann');
  await goLive(anchor, 'Reloaded');
  await anchor.say('said before');
  await expect(anchor.line('said before')).toBeVisible();
  await anchor.page.reload();
  await anchor.isConnected();
  await expect(anchor.line('said before')).toBeVisible();
  await expect(anchor.page.getByTestId('me')).toContainText('Ann');
  await expect(anchor.page.getByRole('button', { name: 'End the live' })).toBeVisible();
  await anchor.leave();
});

test('what is typed while a message is on its way is the next one', async ({ browser }) => {
  const anchor = await Person.arrive(browser, 'Ann');
  await goLive(anchor, 'Typed fast');
  anchor.hold();
  await anchor.say('said first');
  await anchor.page.getByLabel('Your message').fill('said next');
  anchor.release();
  await expect(anchor.line('said first')).toBeVisible();
  await anchor.page.getByRole('button', { name: 'Send', exact: true }).click();
  await expect(anchor.line('said next')).toBeVisible();
  await anchor.leave();
});

test('the page speaks Chinese to whom prefers it', async ({ browser }) => {
  const context = await browser.newContext({ locale: 'zh-CN' });
  const page = await context.newPage();
  await page.goto('/');
  await expect(page.getByRole('button', { name: '创建房间' })).toBeVisible();
  await page.getByLabel('Language / 语言').selectOption('en');
  await expect(page.getByRole('button', { name: 'Create a room' })).toBeVisible();
  await context.close();
});
