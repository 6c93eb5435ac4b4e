/** `sluice top`: shows the state and the rates of a running sluice live. */
import { once } from 'node:events';
import { setTimeout as delay } from 'node:timers/promises';
import { formatRoundedByteSize } from '../../core/units/byte-size.ts';
import type { Status } from '../../protocol/status.ts';
import { AdminClient } from '../admin-client.ts';
import type { CommandOptions } from '../arguments.ts';
import { endpointTable, workerTable } from './status.ts';

const PERIOD_MS = 1000;
const CLEAR = '\u001b[H\u001b[2J';

/** Counts since the start of the proxy. */
interface Counts {
  /** When they were read, in milliseconds. */
  readonly at: number;
  readonly sessions: number;
  readonly tunnels: number;
  readonly messages: number;
  readonly bytes: number;
}

/**
 * Shows the state every second until SIGINT; only once if the output is not a terminal.
 *
 * @returns 0
 * @throws StartError if nobody answers
 */
export async function run(options: CommandOptions): Promise<number> {
  const client = new AdminClient(options);
  const interrupted = once(process, 'SIGINT').then(() => true);
  process.stdout.on('error', () => undefined);
  let last = await countsOf(client);
  for (;;) {
    if (await Promise.race([interrupted, delay(PERIOD_MS, false)])) return 0;
    const counts = await countsOf(client);
    const view = describe(await client.status(), last, counts);
    last = counts;
    if (!process.stdout.isTTY) {
      process.stdout.write(view);
      return 0;
    }
    process.stdout.write(CLEAR + view);
  }
}

async function countsOf(client: AdminClient): Promise<Counts> {
  const text = await client.get('/metrics');
  return { at: performance.now(), ...readCounts(text) };
}

/** Sums series over their labels, from the text format of Prometheus. */
export function readCounts(text: string): Omit<Counts, 'at'> {
  const sums = new Map<string, number>();
  for (const line of text.split('\n')) {
    const match = /^([a-z_]+)(?:\{[^}]*\})? (\S+)/.exec(line);
    if (match === null) continue;
    const [, name = '', value] = match;
    sums.set(name, (sums.get(name) ?? 0) + Number(value));
  }
  const sum = (name: string): number => sums.get(name) ?? 0;
  return {
    sessions: sum('sluice_ws_sessions_active'),
    tunnels: sum('sluice_tunnels_active'),
    messages: sum('sluice_ws_messages_total'),
    bytes: sum('sluice_ws_bytes_total') + sum('sluice_tunnel_bytes_total'),
  };
}

function describe(status: Status, last: Counts, now: Counts): string {
  const seconds = Math.max(0.001, (now.at - last.at) / 1000);
  const messages = Math.round((now.messages - last.messages) / seconds);
  const bytes = Math.round((now.bytes - last.bytes) / seconds);
  const { version, state, generation } = status;
  return [
    `sluice ${version}: ${state}, generation ${generation}\n` +
      `${now.sessions} sessions, ${now.tunnels} tunnels, ${messages} messages/s, ${formatRoundedByteSize(bytes)}/s\n`,
    workerTable(status),
    endpointTable(status),
  ].join('\n');
}
