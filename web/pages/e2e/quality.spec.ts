/**
 * What every page keeps, after the audits of Lighthouse: no errors, names that a screen reader can read out,
 * controls that a keyboard reaches, a small first load, nothing from another host.
 */

import AxeBuilder from '@axe-core/playwright';
import { expect, test, type Page } from '@playwright/test';
import { demoUser, logIn, watch, type DemoUser } from './support';

/** Compressed bytes of the first load, without the player. */
const FIRST_LOAD_LIMIT = 300_000;

const CONSOLE = [
  'overview', 'rooms', 'users', 'administrators', 'gift-types', 'gifts', 'callbacks', 'review', 'banned-words',
  'operations', 'configuration',
].map((name) => `/console/${name}`);

/** A live room with something of each kind in it. */
async function liveRoom(anchor: DemoUser): Promise<string> {
  const room = await anchor.call<{ live_id: string }>('POST', '/client/live/room/instance', { title: 'A room to look at' });
  await anchor.call('PUT', `/client/live/room/${room.live_id}`);
  await anchor.call('POST', '/client/item/add', {
    live_id: room.live_id,
    items: [{ item_id: 'cup', title: 'Cup', thumbnail: '/gifts/coffee.svg', link: 'https://example.com', current_price: '9', origin_price: '12', tags: 'new' }],
  });
  return room.live_id;
}

/** Waits until the page shows what it has to show. */
async function settled(page: Page): Promise<void> {
  await page.waitForLoadState('networkidle');
  await expect(page.locator('h1, h2, [role=heading]').first()).toBeVisible();
}

async function accessible(page: Page): Promise<void> {
  const { violations } = await new AxeBuilder({ page }).withTags(['wcag2a', 'wcag2aa', 'wcag21a', 'wcag21aa', 'best-practice']).analyze();
  const told = violations
    .filter(({ impact }) => impact === 'serious' || impact === 'critical')
    .map(({ id, help, nodes }) => `${id}: ${help}: ${nodes.map((node) => node.html.slice(0, 160)).join(' | ')}`);
  expect(told, page.url()).toEqual([]);
}

/** What is visible, works, and should be reached with Tab; each is marked with its number. */
function markControls(): number {
  const selector = 'a[href], button, input:not([type=hidden]), select, textarea, [role=switch], [role=tab], [role=menuitem]';
  const controls = [...document.querySelectorAll<HTMLElement>(selector)].filter((control) => {
    const box = control.getBoundingClientRect();
    const isShown = box.width > 0 && box.height > 0 && control.checkVisibility({ opacityProperty: true, visibilityProperty: true });
    // Of a group, and of a widget made of several controls, one takes the focus.
    return isShown && control.tabIndex >= 0 && !control.matches(':disabled, [aria-disabled=true]') && !control.closest('[inert]');
  });
  controls.forEach((control, number) => control.setAttribute('data-control', String(number)));
  return controls.length;
}

async function reachable(page: Page): Promise<void> {
  const count = await page.evaluate(markControls);
  expect(count, page.url()).toBeGreaterThan(0);
  await page.evaluate(() => (document.activeElement as HTMLElement | null)?.blur());
  const reached = new Set<string>();
  // More presses than controls: some focus has no number, such as a scrolled list.
  for (let press = 0; press < count * 2 + 20 && reached.size < count; press += 1) {
    await page.keyboard.press('Tab');
    const number = await page.evaluate(() => {
      const focused = document.activeElement;
      const group = focused?.matches('[type=radio]') ? document.querySelectorAll(`[name="${(focused as HTMLInputElement).name}"]`) : [focused];
      return [...group].map((control) => control?.getAttribute('data-control') ?? '');
    });
    number.filter((text) => text !== '').forEach((text) => reached.add(text));
  }
  const missed = await page.evaluate(
    (known) =>
      [...document.querySelectorAll('[data-control]')]
        .filter((control) => control.isConnected && !known.includes(control.getAttribute('data-control') ?? ''))
        .map((control) => control.outerHTML.slice(0, 160)),
    [...reached],
  );
  expect(missed, `not reached with Tab at ${page.url()}`).toEqual([]);
}

test('the demo room keeps what pages have to keep', async ({ page, request }) => {
  const anchor = await demoUser(request, 'Quality');
  const liveId = await liveRoom(anchor);
  const complaints = watch(page);
  for (const path of ['/', `/room/${liveId}`]) {
    await page.goto(path);
    await settled(page);
    await accessible(page);
    await reachable(page);
  }
  await page.setViewportSize({ width: 390, height: 844 });
  await accessible(page);
  const overflow = await page.evaluate(() => document.documentElement.scrollWidth - document.documentElement.clientWidth);
  expect(overflow, 'a phone must not scroll sideways').toBeLessThanOrEqual(0);
  complaints.none();
});

test('the console keeps what pages have to keep', async ({ page, request }) => {
  await liveRoom(await demoUser(request, 'Quality'));
  const complaints = watch(page);
  await page.goto('/console');
  await settled(page);
  await accessible(page);
  await reachable(page);
  await logIn(page);
  for (const path of CONSOLE) {
    await page.goto(path);
    await settled(page);
    await accessible(page);
    await reachable(page);
  }
  complaints.none();
});

for (const [name, path] of [['demo room', '/'], ['console', '/console']] as const) {
  test(`the first load of the ${name} is small`, async ({ page }) => {
    await page.goto(path);
    await settled(page);
    const files = await page.evaluate(() => {
      const entries = [...performance.getEntriesByType('navigation'), ...performance.getEntriesByType('resource')];
      return (entries as PerformanceResourceTiming[]).map(({ name, encodedBodySize, decodedBodySize }) => ({ name, encodedBodySize, decodedBodySize }));
    });
    const bytes = files.reduce((sum, file) => sum + file.encodedBodySize, 0);
    expect(bytes, JSON.stringify(files)).toBeLessThan(FIRST_LOAD_LIMIT);
    const scripts = files.filter((file) => file.name.endsWith('.js') && file.decodedBodySize > 2_000);
    expect(scripts.length).toBeGreaterThan(0);
    for (const script of scripts) expect(script.encodedBodySize, script.name).toBeLessThan(script.decodedBodySize);
  });
}
