/** One message of 1 GiB to a client that reads slowly, through a proxy that keeps little of it. */
import assert from 'node:assert/strict';
import { createHash, randomBytes } from 'node:crypto';
import { once } from 'node:events';
import { after, before, describe, it } from 'node:test';
import { within } from '../support/deadline.ts';
import { SCALE_ENGINES, isOwnEngine } from '../support/engines.ts';
import { residentBytes } from '../support/processes/process-facts.ts';
import { WebRig } from '../support/rigs/web-rig.ts';
import { RawConnection, upgradeRequest } from '../support/sockets/raw-connection.ts';
import { RawEndpoint } from '../support/sockets/raw-endpoint.ts';

const KIB = 1024;
const MIB = 1024 * KIB;
const GIB = 1024 * MIB;
const DOWNSTREAM_BUFFER = MIB;
/** Bytes that the proxy takes from an endpoint at once. */
const READ_SIZE = 256 * KIB;
/** Growth of the process that other reasons may cause. */
const NOISE = 32 * MIB;
/** The client takes so much, and then rests. */
const STEP = MIB;
const REST_MS = 6;
const DEADLINE_MS = 240_000;

for (const engine of SCALE_ENGINES) {
  describe(`a message of 1 GiB through ${engine}`, () => {
    let raw: RawEndpoint;
    let rig: WebRig;

    before(async () => {
      raw = await RawEndpoint.listen();
      rig = await WebRig.start({
        listeners: {
          web: {
            engine,
            ...(isOwnEngine(engine) ? {} : { websocket: { downstreamBuffer: DOWNSTREAM_BUFFER } }),
          },
        },
        clusters: { raw: { endpoints: [raw.address] } },
      });
    });
    after(async () => {
      raw.close();
      await rig.stop();
    });

    it('reaches a slow client whole while the proxy holds no more than its bound', async (t) => {
      const client = await RawConnection.connect(rig.address('web'));
      client.write(upgradeRequest('app.example'));
      const endpoint = await raw.session();
      await client.head();
      const { pid } = rig.sluice;
      const before = residentBytes(pid);
      const reading = new SlowMessage(client);
      let highest = before;
      let held = 0;
      const watch = setInterval(() => {
        highest = Math.max(highest, residentBytes(pid));
        void rig.scrape().then((metrics) => {
          held = Math.max(held, metrics.sum('sluice_ws_buffered_bytes', { direction: 'downstream' }));
        });
      }, 100);
      const start = performance.now();
      const sent = await send(endpoint);
      const received = await within('the whole message', reading.done, DEADLINE_MS);
      clearInterval(watch);
      const seconds = (performance.now() - start) / 1000;
      t.diagnostic(
        `${Math.round(GIB / MIB / seconds)} MiB/s in ${reading.fragments} fragments; the process grew by at most ` +
          `${((highest - before) / MIB).toFixed(1)} MiB, and ${Math.round(held / KIB)} KiB waited for the client at most`,
      );
      assert.equal(received, sent);
      assert.equal(reading.fragments === 1, isOwnEngine(engine));
      assert.ok(
        (held > 0 || isOwnEngine(engine)) && held <= DOWNSTREAM_BUFFER + READ_SIZE + 2 * KIB,
        `${held} bytes were held`,
      );
      assert.ok(highest - before < NOISE, `grew by ${highest - before} bytes`);
      client.destroy();
    });
  });
}

/** Sends one frame of 1 GiB as fast as it is taken; returns the digest of its payload. */
async function send({ socket }: RawConnection): Promise<string> {
  const hash = createHash('sha256');
  const head = Buffer.from([0x82, 127, 0, 0, 0, 0, 0, 0, 0, 0]);
  head.writeBigUInt64BE(BigInt(GIB), 2);
  socket.write(head);
  const pool = randomBytes(2 * MIB);
  for (let sent = 0; sent < GIB; sent += MIB) {
    const from = (sent / MIB) % MIB;
    const piece = pool.subarray(from, from + MIB);
    hash.update(piece);
    if (!socket.write(piece)) await within('the endpoint to get on', once(socket, 'drain'), DEADLINE_MS);
  }
  return hash.digest('hex');
}

/** A message that is read in steps and not kept. */
class SlowMessage {
  fragments = 0;
  readonly done: Promise<string>;
  readonly #hash = createHash('sha256');
  #settle: (digest: string) => void = () => undefined;
  /** The head of a frame that has not come whole. */
  #head = Buffer.alloc(0);
  #left = 0;
  #last = false;
  #step = 0;

  /** The first read has ended when this is made: it takes the socket over. */
  constructor({ socket }: RawConnection) {
    this.done = new Promise((settle) => (this.#settle = settle));
    socket.removeAllListeners('data');
    socket.on('data', (bytes: Buffer) => {
      this.#take(bytes);
      this.#step += bytes.length;
      if (this.#step < STEP) return;
      this.#step = 0;
      socket.pause();
      setTimeout(() => socket.resume(), REST_MS);
    });
  }

  #take(bytes: Buffer): void {
    let rest = bytes;
    while (rest.length > 0) {
      if (this.#left === 0) {
        const head = Buffer.concat([this.#head, rest.subarray(0, 10 - this.#head.length)]);
        const short = head.length < 2 ? -1 : head[1]!;
        const size = short < 0 ? 2 : short < 126 ? 2 : short === 126 ? 4 : 10;
        const used = Math.min(rest.length, size - this.#head.length);
        this.#head = head.subarray(0, this.#head.length + used);
        rest = rest.subarray(used);
        if (this.#head.length < size) continue;
        this.#open(short, size);
        continue;
      }
      const part = rest.subarray(0, this.#left);
      this.#hash.update(part);
      this.#left -= part.length;
      rest = rest.subarray(part.length);
      if (this.#left === 0 && this.#last) this.#settle(this.#hash.digest('hex'));
    }
  }

  #open(short: number, size: number): void {
    const head = this.#head;
    this.#head = Buffer.alloc(0);
    assert.equal(head[0]! & 0x7f, this.fragments === 0 ? 2 : 0);
    this.fragments++;
    this.#last = (head[0]! & 0x80) !== 0;
    this.#left = size === 2 ? short : size === 4 ? head.readUInt16BE(2) : Number(head.readBigUInt64BE(2));
  }
}
