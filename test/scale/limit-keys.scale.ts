/** A flood of requests from a million addresses: the table of a limit stays in its bounds, and known clients are served. */
import assert from 'node:assert/strict';
import { once } from 'node:events';
import { connect, type Socket } from 'node:net';
import { after, before, describe, it } from 'node:test';
import { within } from '../support/deadline.ts';
import { scrape } from '../support/http/metrics.ts';
import { residentBytes } from '../support/processes/process-facts.ts';
import { startSluice, type SluiceProcess } from '../support/processes/sluice-process.ts';
import { withAdmin } from '../support/rigs/reload-rig.ts';

const ADDRESSES = 1_000_000;
const PIPELINED = 200;
const CONNECTIONS = 4;
const MAX_KEYS = 65_536;
/** The table, the ledgers of two workers, and what the heaps of busy workers take besides. */
const MAX_GROWTH_BYTES = 150 * 1024 * 1024;

/** Sends requests on one connection, many at a time, and counts how they are answered. */
class Sender {
  readonly statuses = new Map<string, number>();
  readonly #socket: Socket;
  #rest = '';
  #awaited = 0;
  #done: () => void = () => undefined;

  constructor(socket: Socket) {
    this.#socket = socket;
    socket.setEncoding('latin1').on('data', (text: string) => this.#read(text));
  }

  static async open(address: string): Promise<Sender> {
    const [host, port] = address.split(':') as [string, string];
    const socket = connect(Number(port), host);
    await once(socket, 'connect');
    return new Sender(socket);
  }

  /** Asks once for each client, and waits for the answers. */
  ask(clients: readonly string[]): Promise<void> {
    this.#awaited = clients.length;
    const answered = new Promise<void>((resolve) => (this.#done = resolve));
    const requests = clients.map(
      (client) => `GET / HTTP/1.1\r\nHost: a.example\r\nX-Forwarded-For: ${client}\r\n\r\n`,
    );
    this.#socket.write(requests.join(''));
    return within('the answers', answered);
  }

  close(): void {
    this.#socket.destroy();
  }

  #read(text: string): void {
    const all = this.#rest + text;
    let end = 0;
    for (const { 0: line, 1: status, index } of all.matchAll(/HTTP\/1\.1 (\d+) /g)) {
      this.statuses.set(status!, (this.statuses.get(status!) ?? 0) + 1);
      this.#awaited--;
      end = index + line.length;
    }
    this.#rest = all.slice(Math.max(end, all.length - 16));
    if (this.#awaited === 0) this.#done();
  }
}

describe('a limit by address', { timeout: 900_000 }, () => {
  let sluice: SluiceProcess;

  before(async () => {
    sluice = await startSluice({
      config: withAdmin({
        workers: { l7: 2, l4: 1 },
        log: { access: false },
        listeners: [
          {
            name: 'web',
            mode: 'l7',
            address: '127.0.0.1:0',
            trustedProxies: ['127.0.0.1'],
            limits: [
              { name: 'addresses', key: 'address', requests: { rate: '1/h', burst: 5 }, maxKeys: MAX_KEYS },
            ],
            routes: [{ match: {}, respond: { body: 'here' } }],
          },
        ],
      }),
    });
  });
  after(() => sluice.kill('SIGKILL'));

  it('bounds its memory in a flood from a million, and serves known clients', async (t) => {
    const senders = await Promise.all(
      Array.from({ length: CONNECTIONS }, () => Sender.open(sluice.address('web'))),
    );
    // Known before the flood, and counted apart from it.
    const known = await Sender.open(sluice.address('web'));
    await known.ask(['192.0.2.1', '192.0.2.1']);
    const before = residentBytes(sluice.pid);
    const each = ADDRESSES / CONNECTIONS;
    await Promise.all(
      senders.map(async (sender, index) => {
        for (let next = 0; next < each; next += PIPELINED) {
          const clients = Array.from({ length: PIPELINED }, (_, offset) => {
            const number = index * each + next + offset;
            return `10.${number >> 16}.${(number >> 8) & 255}.${number & 255}`;
          });
          await sender.ask(clients);
        }
      }),
    );
    const growth = residentBytes(sluice.pid) - before;
    await known.ask(['192.0.2.1', '192.0.2.1', '192.0.2.1', '192.0.2.1']);
    const metrics = await scrape(sluice);
    const labels = { listener: 'web', limit: 'addresses' };
    const keys = metrics.sum('sluice_limit_keys', labels);
    const overflows = metrics.sum('sluice_limit_overflows_total', labels);
    t.diagnostic(
      `${(growth / 2 ** 20).toFixed(0)} MiB more, ${keys} keys, ${overflows} requests shared a count`,
    );
    assert.ok(growth < MAX_GROWTH_BYTES, String(growth));
    assert.ok(keys <= metrics.sum('sluice_limit_key_capacity', labels));
    assert.ok(overflows > 0);
    // Five of the burst, and no more.
    assert.deepEqual(Object.fromEntries(known.statuses), { 200: 5, 429: 1 });
    for (const sender of [...senders, known]) sender.close();
  });
});
