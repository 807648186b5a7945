/**
 * What an operator meets on a bad day: a room has four pictures that wait, some callbacks have failed (and would be
 * taken now), and the server has two nodes.
 */

import { expect, test, type Locator, type Page } from '@playwright/test';
import { logIn, picture, watch } from './support';


const row = (page: Page, text: string): Locator => page.getByRole('row').filter({ hasText: text });
const pictures = (page: Page): Locator => page.getByRole('list', { name: 'Pictures' }).getByRole('listitem');

async function choose(page: Page, suggestion: string): Promise<void> {
  await pictures(page).getByRole('checkbox', { name: new RegExp(`suggestion: ${suggestion}`) }).first().check();
}

test('pictures are judged, and the live is stopped', async ({ page }, info) => {
  const complaints = watch(page);
  await page.goto('/console/review');
  await logIn(page);
  await expect(page.getByRole('region', { name: 'Rooms with pictures' })).toContainText('Pictures to judge');
  await expect(pictures(page)).toHaveCount(4);
  const drawn = () => pictures(page).getByRole('img').evaluateAll((images) => (images as HTMLImageElement[]).filter((image) => image.naturalWidth > 0).length);
  await expect.poll(drawn).toBe(4);
  await picture(page, info, 'console-review');

  await choose(page, 'pass');
  await page.getByRole('button', { name: 'Pass (1)' }).click();
  await page.getByRole('dialog', { name: 'Pass' }).getByRole('button', { name: 'Pass them' }).click();
  await expect(page.getByText('Pictures passed: 1.')).toBeVisible();
  await expect(pictures(page)).toHaveCount(3);

  await choose(page, 'block');
  await page.getByRole('button', { name: 'Violation (1)' }).click();
  const violation = page.getByRole('dialog', { name: 'Violation' });
  await expect(violation.getByRole('checkbox', { name: 'Warn the anchor' })).toBeChecked();
  await violation.getByLabel('What the anchor is told').fill('Please mind the rules');
  await violation.getByRole('button', { name: 'Record the violation' }).click();
  await expect(page.getByText('Pictures judged as a violation: 1.')).toBeVisible();
  await expect(pictures(page)).toHaveCount(2);

  await page.getByRole('tab', { name: 'Judged' }).click();
  await expect(pictures(page)).toHaveCount(2);
  await expect(pictures(page).filter({ hasText: 'violation' })).toHaveCount(1);
  await page.getByRole('tab', { name: 'Waiting' }).click();
  await page.getByRole('button', { name: 'Stop', exact: true }).click();
  await page.getByRole('dialog', { name: 'Stop the live' }).getByRole('button', { name: 'Stop the live' }).click();
  await expect(page.getByText('The live is stopped.')).toBeVisible();
  await expect(page.getByText('No pictures wait for you.')).toBeVisible();
  complaints.none();
});

test('failed callbacks are seen and sent again', async ({ page }, info) => {
  const complaints = watch(page);
  await page.goto('/console/callbacks?state=failed');
  await logIn(page);
  const failed = row(page, '410');
  await expect(failed.first()).toBeVisible();
  await picture(page, info, 'console-callbacks');
  const many = await failed.count();
  await failed.first().getByRole('button', { name: 'Resend' }).click();
  await page.getByRole('dialog', { name: 'Resend' }).getByRole('button', { name: 'Resend' }).click();
  await expect(page.getByText('Events that will be sent again: 1.')).toBeVisible();
  await expect(failed).toHaveCount(many - 1);
  await page.getByRole('button', { name: 'Resend all failed' }).click();
  await page.getByRole('dialog', { name: 'Resend all failed' }).getByRole('button', { name: 'Resend all failed' }).click();
  await expect(failed).toHaveCount(0);
  await page.goto('/console/callbacks?state=delivered');
  const delivered = async () => {
    await page.getByRole('button', { name: 'Refresh' }).click();
    return row(page, 'evt_').count();
  };
  await expect.poll(delivered).toBe(many);
  complaints.none();
});

test('the overview shows both nodes and who leads', async ({ page }, info) => {
  const complaints = watch(page);
  await page.goto('/console');
  await logIn(page);
  const nodes = page.getByRole('region', { name: 'Nodes' });
  await expect(nodes.getByRole('row')).toHaveCount(3);
  await expect(nodes.getByText('leader')).toHaveCount(1);
  await expect(nodes.getByText(/^[\d.,]+%$/)).toHaveCount(2);
  await picture(page, info, 'console-overview');
  complaints.none();
});

test('a banner names weak secrets on every page, in both languages', async ({ page }, info) => {
  const complaints = watch(page);
  await page.goto('/console/configuration');
  await logIn(page);
  const banner = page.getByTestId('warnings');
  await expect(banner).toContainText('The configuration needs your attention');
  const weak = page.getByTestId('weak-secrets');
  await expect(weak).toContainText('Known or easily guessed secrets: 2');
  // One line, until somebody asks for more.
  const height = async () => (await banner.boundingBox())!.height;
  expect(await height()).toBeLessThan(48);
  await picture(page, info, 'console-weak-secrets');
  await banner.getByText(/^Show/).click();
  const listed = banner.getByRole('listitem');
  await expect(listed.filter({ hasText: 'demo.enable' })).toBeVisible();
  await expect(listed.filter({ hasText: 'account.secret_key' })).toHaveCount(1);
  await expect(banner).not.toContainText('`');
  expect((await banner.innerText()).split('account.secret_key')).toHaveLength(2);
  await picture(page, info, 'console-weak-secrets-shown');
  await banner.getByText('Hide').click();
  await expect(listed.first()).toBeHidden();
  expect(await height()).toBeLessThan(48);
  await page.getByRole('navigation', { name: 'Pages of the console' }).getByRole('link', { name: 'Users', exact: true }).click();
  await expect(page).toHaveURL(/\/console\/users/);
  await expect(weak).toBeVisible();
  await page.getByRole('combobox', { name: /Language/ }).selectOption('zh');
  await expect(banner).toContainText('配置需要处理');
  await expect(weak).toContainText('公开的或容易猜到的密钥：2 个');
  complaints.none();
});
