/** Bodies of 1 GiB, up and down, to a side that is slow, through a proxy that keeps little of them. */
import assert from 'node:assert/strict';
import { createHash, randomBytes, type Hash } from 'node:crypto';
import { once } from 'node:events';
import { request as httpRequest, type IncomingMessage } from 'node:http';
import type { Readable, Writable } from 'node:stream';
import { after, before, describe, it } from 'node:test';
import { setTimeout } from 'node:timers/promises';
import { within } from '../support/deadline.ts';
import { SCALE_ENGINES } from '../support/engines.ts';
import { HttpEndpoint } from '../support/http/http-endpoint.ts';
import { residentBytes } from '../support/processes/process-facts.ts';
import { WebRig } from '../support/rigs/web-rig.ts';

const MIB = 1024 * 1024;
const SIZE = 1024 * MIB;
/** Max growth of the process. */
const MAX_GROWTH_BYTES = 32 * MIB;
/** The slow side takes so much, and then rests. */
const STEP = 2 * MIB;
const REST_MS = 5;
const DEADLINE_MS = 240_000;
const PIECES = Array.from({ length: 7 }, () => randomBytes(STEP / 4 + 1));

for (const engine of SCALE_ENGINES) {
  describe(`a body of 1 GiB, with ${engine}`, () => {
    let endpoint: HttpEndpoint;
    let rig: WebRig;
    /** The upload that the endpoint received. */
    let uploaded: Promise<string> | null = null;

    before(async () => {
      endpoint = await HttpEndpoint.listen((request, response) => {
        if (request.method === 'GET') {
          if (request.url === '/known') response.setHeader('Content-Length', SIZE);
          void send(response);
          return;
        }
        uploaded = receive(request);
        void uploaded.then((digest) => response.end(digest));
      });
      rig = await WebRig.start({
        listeners: { web: { engine } },
        clusters: { app: { endpoints: [endpoint.address] } },
      });
      // For V8, whose heap grows in a new process whatever it does.
      await download('/known');
    });
    after(async () => {
      endpoint.close();
      await rig.stop();
    });

    async function download(path: string): Promise<void> {
      const request = httpRequest(`http://${rig.address('web')}${path}`, { agent: false });
      request.end();
      const [response] = (await once(request, 'response')) as [IncomingMessage];
      const digest = await within('the whole body', receive(response), DEADLINE_MS);
      assert.equal(digest, expected());
    }

    for (const [what, path, headers] of [
      ['a known length', '/known', { 'Content-Length': SIZE }],
      ['chunks', '/chunks', {}],
    ] as const) {
      it(`reaches a slow client whole, in ${what}`, async (t) => {
        const grown = watchGrowth(rig.sluice.pid);
        await download(path);
        report(t, grown());
      });

      it(`reaches a slow endpoint whole, in ${what}`, async (t) => {
        const grown = watchGrowth(rig.sluice.pid);
        const request = httpRequest(`http://${rig.address('web')}${path}`, {
          method: 'POST',
          headers,
          agent: false,
        });
        const answered = once(request, 'response') as Promise<[IncomingMessage]>;
        await within('the upload', send(request), DEADLINE_MS);
        const [response] = await within('the answer', answered, DEADLINE_MS);
        response.resume();
        assert.equal(response.statusCode, 200);
        assert.equal(await uploaded, expected());
        report(t, grown());
      });
    }
  });
}

/** Sends the body as fast as it is taken. */
async function send(stream: Writable): Promise<void> {
  for (const piece of pieces()) if (!stream.write(piece)) await once(stream, 'drain');
  stream.end();
}

function* pieces(): Generator<Buffer> {
  for (let sent = 0, index = 0; sent < SIZE; index++) {
    const piece = PIECES[index % PIECES.length]!.subarray(0, SIZE - sent);
    sent += piece.length;
    yield piece;
  }
}

let digest: string | null = null;
function expected(): string {
  if (digest === null) {
    const hash = createHash('sha256');
    for (const piece of pieces()) hash.update(piece);
    digest = hash.digest('hex');
  }
  return digest;
}

/** Takes a body slowly; returns its digest. */
async function receive(stream: Readable): Promise<string> {
  const hash: Hash = createHash('sha256');
  let taken = 0;
  for await (const bytes of stream as AsyncIterable<Buffer>) {
    hash.update(bytes);
    taken += bytes.length;
    if (taken < STEP) continue;
    taken = 0;
    await setTimeout(REST_MS);
  }
  return hash.digest('hex');
}

/**
 * Watches a process's memory from now on. Returns a function that ends the watch and returns the max growth.
 */
function watchGrowth(pid: number): () => number {
  const before = residentBytes(pid);
  let highest = before;
  const look = (): void => {
    highest = Math.max(highest, residentBytes(pid));
  };
  const watch = setInterval(look, 50);
  return () => {
    clearInterval(watch);
    return highest - before;
  };
}

function report(t: { diagnostic(text: string): void }, grown: number): void {
  t.diagnostic(`the process grew by at most ${(grown / MIB).toFixed(1)} MiB`);
  assert.ok(grown < MAX_GROWTH_BYTES, `grew by ${grown} bytes`);
}
