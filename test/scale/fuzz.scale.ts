/**
 * Mutated requests, chunked bodies, frames, PROXY headers and ClientHellos against our own engines. In process: no crash, and the
 * same result wherever the bytes are cut. Over sockets: each connection is answered and ends, and the process neither grows
 * nor fails. The suite runs a twentieth of each.
 */
import { describe, it } from 'node:test';
import { ENGINES, isOwnEngine } from '../support/engines.ts';
import { fuzzChunkedBodies } from '../support/fuzz/chunked-bodies.ts';
import { fuzzClientHellos } from '../support/fuzz/client-hellos.ts';
import { fuzzEntries } from '../support/fuzz/entries-over-sockets.ts';
import { fuzzFrameStreams } from '../support/fuzz/frame-streams.ts';
import { fuzzOverSockets } from '../support/fuzz/over-sockets.ts';
import { fuzzProxyHeaders } from '../support/fuzz/proxy-headers.ts';
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
  it('read 200,000 PROXY headers', () => {
    fuzzProxyHeaders(200_000, SEED);
  });
  it('read 100,000 ClientHellos', () => {
    fuzzClientHellos(100_000, SEED);
  });
});

describe('50,000 clients that send mutated input', { timeout: 900_000, concurrency: false }, () => {
  for (const engine of ENGINES.filter(isOwnEngine)) {
    it(`are answered by ${engine}`, () =>
      fuzzOverSockets(engine, { requests: 20_000, streams: 5000, seed: SEED }));
  }
});

describe('20,000 connections that start with mutated input', { timeout: 900_000, concurrency: false }, () => {
  for (const engine of ENGINES.filter(isOwnEngine)) {
    it(`end on ${engine}, with TLS and PROXY headers`, () => fuzzEntries(engine, 20_000, SEED));
  }
});
