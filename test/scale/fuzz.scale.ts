/**
 * Mutated requests, chunked bodies and frames against our own engines. In process: no crash, and the same result wherever the bytes
 * are cut. Over sockets: each connection is answered and ends, and the process neither grows nor fails. The suite runs a
 * twentieth of each.
 */
import { describe, it } from 'node:test';
import { ENGINES, isOwnEngine } from '../support/engines.ts';
import { fuzzChunkedBodies } from '../support/fuzz/chunked-bodies.ts';
import { fuzzFrameStreams } from '../support/fuzz/frame-streams.ts';
import { fuzzOverSockets } from '../support/fuzz/over-sockets.ts';
import { fuzzRequestHeads } from '../support/fuzz/request-heads.ts';

const SEED = 9112;

describe('parsers that get mutated input', { timeout: 900_000, concurrency: false }, () => {
  it('read 200,000 heads of requests', () => {
    fuzzRequestHeads(200_000, SEED);
  });
  it('read 100,000 chunked bodies', () => {
    fuzzChunkedBodies(100_000, SEED);
  });
  it('track 200,000 streams of frames', () => {
    fuzzFrameStreams(200_000, SEED);
  });
});

describe('50,000 clients that send mutated input', { timeout: 900_000, concurrency: false }, () => {
  for (const engine of ENGINES.filter(isOwnEngine)) {
    it(`are answered by ${engine}`, () =>
      fuzzOverSockets(engine, { requests: 20_000, streams: 5000, seed: SEED }));
  }
});
