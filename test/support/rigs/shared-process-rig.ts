/** Real processes of sluice that share limits and revocations in Redis. */
import assert from 'node:assert/strict';
import { eventually } from '../deadline.ts';
import type { SluiceProcess } from '../processes/sluice-process.ts';

/** Requests that a tenant can make at once. It gets one more in each second. */
export const BURST = 20;
const TENANTS = {
  name: 'tenant',
  key: { header: 'x-tenant' },
  requests: '1/s',
  burst: BURST,
  shared: true,
};

/**
 * Returns a configuration with one listener, `web`, which answers 200.
 *
 * @param url of Redis; null to have none, and no shared limit
 * @param changes to the keys of the root
 */
export function sharedConfig(url: string | null, changes: object = {}): object {
  return {
    admin: { address: '127.0.0.1:0' },
    workers: { l7: 1 },
    log: { format: 'json' },
    ...(url !== null && { redis: { url } }),
    listeners: [
      {
        name: 'web',
        mode: 'l7',
        address: '127.0.0.1:0',
        limits: url === null ? [] : [TENANTS],
        routes: [{ match: { pathPrefix: '/' }, respond: { status: 200, body: 'ok' } }],
      },
    ],
    ...changes,
  };
}

/** Returns the status of a request of a tenant. */
export async function requestStatus(sluice: SluiceProcess, tenant: string): Promise<number> {
  const response = await fetch(`http://${sluice.address('web')}/`, { headers: { 'x-tenant': tenant } });
  await response.arrayBuffer();
  return response.status;
}

/** Waits until limits are counted over all processes, or are no longer. */
export async function untilCounting(sluice: SluiceProcess, isCounting: boolean): Promise<void> {
  const wanted = isCounting ? 1 : 0;
  await eventually(async () => assert.equal(await metricOf(sluice, 'sluice_shared_limits_counting'), wanted));
}

/** Returns the value of a metric without labels; NaN if the series does not exist. */
export async function metricOf(sluice: SluiceProcess, name: string): Promise<number> {
  const headers = { 'Cache-Control': 'no-cache' };
  const text = await (await fetch(`http://${sluice.admin}/metrics`, { headers })).text();
  const line = text.split('\n').find((line) => line.startsWith(`${name} `));
  return line === undefined ? Number.NaN : Number(line.slice(name.length + 1));
}
