/** What the browser tests share. */

import { expect, type APIRequestContext, type Page, type TestInfo } from '@playwright/test';

/** What went wrong in a page and is no part of what is tested. */
export interface Complaints {
  /** Errors of scripts, errors in the console, requests to other hosts. */
  readonly list: string[];
  /** Fails when there are any, but for those that `expected` fits. */
  none(...expected: RegExp[]): void;
}

/** Collects what a page complains of, from now on. */
export function watch(page: Page): Complaints {
  const list: string[] = [];
  const host = new URL(process.env.LIVELOOM_URL ?? 'http://127.0.0.1:8099').host;
  page.on('pageerror', (error) => list.push(`error: ${error.message}`));
  page.on('console', (message) => {
    if (message.type() === 'error' || message.type() === 'warning') {
      list.push(`${message.type()}: ${message.text()} (${message.location().url})`);
    }
  });
  page.on('request', (request) => {
    const url = new URL(request.url());
    if (/^(https?|wss?):$/.test(url.protocol) && url.host !== host) list.push(`other host: ${request.url()}`);
  });
  const none = (...expected: RegExp[]) => {
    const unexpected = list.filter((line) => !expected.some((pattern) => pattern.test(line)));
    expect(unexpected).toEqual([]);
  };
  return { list, none };
}

/** Keeps a picture of the page under this name. */
export async function picture(page: Page, info: TestInfo, name: string): Promise<void> {
  const path = info.outputPath(`${name}.png`);
  await page.screenshot({ path });
  await info.attach(name, { path, contentType: 'image/png' });
}

/** A user of the demo room, who calls the client API. */
export interface DemoUser {
  user_id: string;
  nick: string;
  /** Calls the client API as this user and answers the envelope's data. */
  call<T = Record<string, unknown>>(method: string, path: string, body?: unknown): Promise<T>;
}

/** Logs in at the demo room. */
export async function demoUser(request: APIRequestContext, nick: string): Promise<DemoUser> {
  const answer = await request.post('/demo/login', { data: { nick } });
  expect(answer.status()).toBe(200);
  const { user_id, access_token } = (await answer.json()).data as { user_id: string; access_token: string };
  const call = async <T>(method: string, path: string, body?: unknown): Promise<T> => {
    const response = await request.fetch(path, {
      method,
      headers: { Authorization: access_token },
      ...(body === undefined ? {} : { data: body }),
    });
    const envelope = (await response.json()) as { code: number; message: string; data: T };
    expect(envelope.code, `${method} ${path}: ${envelope.message}`).toBe(0);
    return envelope.data;
  };
  return { user_id, nick, call };
}

/** The operator whom the tests log in as. */
export const operator = {
  name: process.env.LIVELOOM_ADMIN_NAME ?? 'admin',
  password: process.env.LIVELOOM_ADMIN_PASSWORD ?? '',
};

/** Logs in at the console, whose log-in form the page shows. */
export async function logIn(page: Page, password = operator.password): Promise<void> {
  await page.getByLabel('User name').fill(operator.name);
  await page.getByLabel('Password').fill(password);
  await page.getByRole('button', { name: 'Log in' }).click();
  await expect(page.getByRole('button', { name: 'Log in' })).toBeHidden();
}
