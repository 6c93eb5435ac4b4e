/** `sluice events`: prints recent refusals and failures of a running sluice. */
import { setTimeout as delay } from 'node:timers/promises';
import { StartError } from '../../../core/errors.ts';
import type { EventPage, EventRow } from '../../../protocol/admin/events.ts';
import { AdminClient } from '../../admin-client.ts';
import type { CommandOptions } from '../../arguments.ts';

/** Max characters per line on a terminal. */
const MAX_LINE_LENGTH = 120;
const PERIOD_MS = 1000;

/**
 * Prints one line per row, or JSON with `--json`. With `--follow`, runs until it is interrupted.
 *
 * @returns 0
 * @throws StartError if the running sluice refuses, or if the first request gets no answer
 */
export async function run(options: CommandOptions): Promise<number> {
  const client = new AdminClient(options);
  const limit = options.flags.get('limit');
  // A pipe gets whole lines: its reader may search for words near the end.
  const maxLength = process.stdout.isTTY ? MAX_LINE_LENGTH : Infinity;
  const describe = (row: EventRow): string =>
    options.flags.has('json') ? JSON.stringify(row) : describeEvent(row, maxLength);
  // The reader of the pipe closed it: --follow must not continue.
  process.stdout.on('error', () => process.exit(0));
  let path = limit === undefined ? '/events' : `/events?limit=${limit}`;
  for (let isFirst = true; ; isFirst = false) {
    const page = await pageAt(client, path, isFirst);
    if (page !== null) {
      process.stdout.write(page.events.map((row) => `${describe(row)}\n`).join(''));
      path = `/events?after=${page.last}`;
    }
    if (!options.flags.has('follow')) return 0;
    await delay(PERIOD_MS);
  }
}

/** Fetches rows. Returns null if a sluice that answered before does not answer now. */
async function pageAt(client: AdminClient, path: string, isFirst: boolean): Promise<EventPage | null> {
  try {
    return JSON.parse(await client.get(path)) as EventPage;
  } catch (error) {
    // A restarting sluice answers again later, with higher numbers. An error without a cause is a refusal,
    // such as a changed token. Retrying would not help.
    if (isFirst || !(error instanceof StartError) || error.cause === undefined) throw error;
    return null;
  }
}

/**
 * Formats a row as one line: time, event and count, then the client and the place as far as they fit.
 *
 * @param maxLength in characters
 */
export function describeEvent(row: EventRow, maxLength = MAX_LINE_LENGTH): string {
  const { at, kind, reason, count, status, code, side, listener, route, cluster, endpoint } = row;
  const { client, principal, host, path, detail, worker } = row;
  const routed = route === undefined ? listener : `${listener ?? ''}/${route}`;
  const url = `${host ?? ''}${path ?? ''}`;
  const parts = [
    `${at.slice(0, 10)} ${at.slice(11, 19)}`,
    `${kind} ${reason}`,
    count > 1 ? `x${count}` : null,
    status ?? null,
    code === undefined ? null : `${code}${side === undefined ? '' : ` by ${side}`}`,
    client ?? null,
    principal ?? null,
    routed ?? null,
    cluster ?? null,
    endpoint ?? null,
    kind === 'worker' ? (worker ?? null) : null,
    url === '' ? null : url,
    detail ?? null,
  ];
  const line = parts
    .filter((part) => part !== null)
    .join('  ')
    .replace(/\s*\n\s*/g, ' ');
  return line.length <= maxLength ? line : `${line.slice(0, maxLength - 1).toWellFormed()}…`;
}
