import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import type { AdmitResult, EntryFacts, EntryTerms, Refusal, Verdict } from '../../../src/transport/entry.ts';
import { FirstBytesInspector } from '../../../src/transport/first-bytes-inspector.ts';
import { NODE } from '../../support/tls/captured-hellos.ts';

const PROXY = '192.0.2.1';
const STRANGER = '203.0.113.9';
const LINE = Buffer.from('PROXY TCP4 198.51.100.7 198.51.100.8 1000 443\r\n');
const LOCAL = Buffer.from('0d0a0d0a000d0a515549540a20000000', 'hex');
const TLS_REQUEST = Buffer.from('0000000804d2162f', 'hex');
const GSS_REQUEST = Buffer.from('0000000804d21630', 'hex');
const HTTP = Buffer.from('GET / HTTP/1.1\r\n');
const NODE_HELLO = { serverName: 'node.example.com', protocols: ['http/1.1'] };

function terms(proxyProtocol: EntryTerms['proxyProtocol'], readsHello: boolean): EntryTerms {
  return {
    proxyProtocol,
    trusts: (address) => address === PROXY,
    admit: null,
    readsHello,
    admitsPostgres: readsHello,
    timeoutMs: 1000,
  };
}

interface Passage {
  /** The last verdict: the facts, or the refusal. */
  readonly verdict: unknown;
  /** Bytes that were taken off the connection. */
  readonly consumed: number;
  /** Answers to requests for encryption. */
  readonly answers: string;
  readonly inspector: FirstBytesInspector;
}

/** Shows an inspector bytes that come in pieces of some bytes. */
function pass(inspector: FirstBytesInspector, bytes: Buffer, step: number): Passage {
  let from = 0;
  let end = 0;
  let answers = '';
  for (;;) {
    const verdict: Verdict = inspector.look(bytes, from, end);
    if (verdict === 'more') {
      if (end === bytes.length) return { verdict, consumed: from, answers, inspector };
      end = Math.min(bytes.length, end + step);
    } else if ('consume' in verdict) {
      assert.ok(verdict.consume > 0 && from + verdict.consume <= end);
      from += verdict.consume;
      answers += verdict.answer?.toString() ?? '';
    } else {
      return { verdict: 'facts' in verdict ? verdict.facts : verdict, consumed: from, answers, inspector };
    }
  }
}

/** The end of it, which is the same for bytes that come one by one. */
function enter(entryTerms: EntryTerms, peer: string, ...parts: Buffer[]): Passage {
  const bytes = Buffer.concat(parts);
  const [whole, cut] = [bytes.length, 1].map((step) =>
    pass(new FirstBytesInspector(entryTerms, peer), bytes, step),
  );
  assert.deepEqual(cut!.verdict, whole!.verdict);
  assert.equal(cut!.consumed, whole!.consumed);
  return whole!;
}

describe('an inspector of first bytes that requires PROXY headers', () => {
  const required = terms('required', false);

  it("removes the header, and takes the client's address from it", () => {
    const { verdict, consumed } = enter(required, PROXY, LINE, HTTP);
    assert.equal(consumed, LINE.length);
    assert.deepEqual(verdict, {
      peer: PROXY,
      address: '198.51.100.7',
      proxy: {
        source: { address: '198.51.100.7', port: 1000 },
        destination: { address: '198.51.100.8', port: 443 },
        serverName: null,
        vpcEndpointId: null,
      },
      hello: null,
    });
  });

  it("takes the connection's addresses after a header without any", () => {
    const { verdict, consumed } = enter(required, PROXY, LOCAL);
    assert.equal(consumed, LOCAL.length);
    const { address, proxy } = verdict as { address: string; proxy: object | null };
    assert.equal(address, PROXY);
    assert.notEqual(proxy, null);
  });

  it('refuses an untrusted peer before its first byte', () => {
    const inspector = new FirstBytesInspector(required, STRANGER);
    assert.deepEqual(inspector.look(Buffer.alloc(0), 0, 0), {
      reason: 'proxy_untrusted',
      detail: 'not a trusted proxy',
    });
  });

  it('refuses other bytes, and treats a second header as data', () => {
    const { verdict } = enter(required, PROXY, HTTP);
    assert.deepEqual(verdict, { reason: 'proxy_malformed', detail: 'no PROXY header' });
    assert.equal(enter(required, PROXY, LINE, LINE).consumed, LINE.length);
  });
});

describe('an inspector of first bytes that allows PROXY headers', () => {
  const optional = terms('optional', false);

  it("detects a trusted proxy's header by its first bytes", () => {
    assert.equal(enter(optional, PROXY, LINE, HTTP).consumed, LINE.length);
    for (const first of ['GET', 'PUT', 'PROXX', '\r\n\r\n\0\r\nQUIT\r']) {
      const { verdict, consumed } = enter(optional, PROXY, Buffer.from(first));
      assert.equal(consumed, 0);
      assert.deepEqual(verdict, { peer: PROXY, address: PROXY, proxy: null, hello: null });
    }
  });

  it('waits while the bytes may become a header, and refuses a malformed one', () => {
    for (const first of ['', 'P', 'PROXY', 'PROXY TCP4 1', '\r\n'])
      assert.equal(enter(optional, PROXY, Buffer.from(first)).verdict, 'more');
    const { verdict } = enter(optional, PROXY, Buffer.from('PROXY / HTTP/1.1\r\n'));
    assert.deepEqual(verdict, { reason: 'proxy_malformed', detail: 'unknown protocol in the PROXY line' });
  });

  it('treats all bytes of other peers as data, at once', () => {
    const { verdict, consumed } = enter(optional, STRANGER, LINE);
    assert.equal(consumed, 0);
    assert.deepEqual(verdict, { peer: STRANGER, address: STRANGER, proxy: null, hello: null });
    const inspector = new FirstBytesInspector(optional, STRANGER);
    assert.ok('facts' in (inspector.look(LINE, 0, 0) as object));
  });
});

describe('an inspector of first bytes that reads the ClientHello', () => {
  const off = terms('off', true);

  it('reports its contents, and leaves it in place', () => {
    const { verdict, consumed } = enter(off, STRANGER, NODE);
    assert.equal(consumed, 0);
    assert.deepEqual(verdict, { peer: STRANGER, address: STRANGER, proxy: null, hello: NODE_HELLO });
  });

  it('looks after a PROXY header', () => {
    const { verdict, consumed } = enter(terms('required', true), PROXY, LINE, NODE);
    assert.equal(consumed, LINE.length);
    const { address, hello } = verdict as { address: string; hello: unknown };
    assert.equal(address, '198.51.100.7');
    assert.deepEqual(hello, NODE_HELLO);
  });

  it('looks at once if an allowed PROXY header is missing', () => {
    const { verdict } = enter(terms('optional', true), PROXY, NODE);
    assert.deepEqual(verdict, { peer: PROXY, address: PROXY, proxy: null, hello: NODE_HELLO });
  });

  it('admits other protocols', () => {
    const { verdict } = enter(off, STRANGER, HTTP);
    assert.deepEqual(verdict, { peer: STRANGER, address: STRANGER, proxy: null, hello: null });
  });

  it('refuses a malformed ClientHello', () => {
    const { verdict } = enter(off, STRANGER, Buffer.from('16030100010b', 'hex'));
    assert.deepEqual(verdict, { reason: 'hello_malformed', detail: 'not a ClientHello' });
  });
});

describe('an inspector of first bytes that refuses some clients', () => {
  const REFUSAL = { reason: 'access', detail: 'denied' } as const;
  const judged = (
    proxyProtocol: EntryTerms['proxyProtocol'],
    readsHello: boolean,
  ): EntryTerms & { asked: string[] } => {
    const asked: string[] = [];
    const admit = (address: string): AdmitResult => {
      asked.push(address);
      return address === '198.51.100.7' ? null : REFUSAL;
    };
    return { ...terms(proxyProtocol, readsHello), admit, asked };
  };

  it('refuses a client before its first byte', () => {
    for (const readsHello of [false, true]) {
      const inspector = new FirstBytesInspector(judged('off', readsHello), STRANGER);
      assert.deepEqual(inspector.look(NODE, 0, 0), REFUSAL);
    }
    const stranger = new FirstBytesInspector(judged('optional', true), STRANGER);
    assert.deepEqual(stranger.look(LINE, 0, 0), REFUSAL);
  });

  it('judges the client of a PROXY header, not the proxy', () => {
    const good = judged('required', false);
    assert.equal((enter(good, PROXY, LINE, HTTP).verdict as { address: string }).address, '198.51.100.7');
    assert.deepEqual([...new Set(good.asked)], ['198.51.100.7']);
    const bad = Buffer.from('PROXY TCP4 198.51.100.9 198.51.100.8 1000 443\r\n');
    const { verdict, consumed } = enter(judged('required', true), PROXY, bad, NODE);
    assert.deepEqual(verdict, { ...REFUSAL, address: '198.51.100.9' });
    assert.equal(consumed, bad.length);
  });

  it('judges the proxy itself without a client in its header, or without a header', () => {
    assert.deepEqual(enter(judged('required', false), PROXY, LOCAL).verdict, REFUSAL);
    assert.deepEqual(enter(judged('optional', false), PROXY, HTTP).verdict, REFUSAL);
  });

  it("passes on the client's places, or releases them", () => {
    let released = 0;
    const holds = { release: () => released++ };
    const holding = { ...terms('off', true), admit: () => holds };
    const { verdict } = pass(new FirstBytesInspector(holding, STRANGER), NODE, NODE.length);
    assert.equal((verdict as { holds: unknown }).holds, holds);
    assert.equal(released, 0);
    const { inspector } = pass(new FirstBytesInspector(holding, STRANGER), NODE.subarray(0, 7), 7);
    inspector.abandon();
    assert.equal(released, 1);
    new FirstBytesInspector(terms('off', true), STRANGER).abandon();
  });

  it('judges each connection once', () => {
    const good = judged('off', true);
    assert.equal(
      'hello' in (pass(new FirstBytesInspector(good, '198.51.100.7'), NODE, 1).verdict as object),
      true,
    );
    assert.equal(good.asked.length, 1);
  });
});

describe('a connection that sends too few bytes', () => {
  it('fails in its current stage', () => {
    const both = terms('required', true);
    const inProxy = pass(new FirstBytesInspector(both, PROXY), LINE.subarray(0, 10), 10).inspector;
    assert.deepEqual(inProxy.timedOut(), { reason: 'proxy_timeout', detail: 'after 10 bytes' });
    assert.deepEqual(inProxy.ended(), { reason: 'proxy_ended', detail: 'after 10 bytes' });
    const inHello = pass(
      new FirstBytesInspector(both, PROXY),
      Buffer.concat([LINE, NODE.subarray(0, 7)]),
      1000,
    ).inspector;
    assert.deepEqual(inHello.timedOut(), { reason: 'hello_timeout', detail: 'after 7 bytes' });
    assert.deepEqual(inHello.ended(), { reason: 'hello_ended', detail: 'after 7 bytes' });
    const silent = pass(new FirstBytesInspector(both, PROXY), LINE, 1000).inspector;
    assert.deepEqual(silent.ended(), { reason: 'hello_ended', detail: 'after 0 bytes' });
  });
});

describe('an inspector of first bytes that admits PostgreSQL', () => {
  const both = terms('off', true);

  it('admits TLS, and reads the ClientHello after it', () => {
    const { verdict, consumed, answers } = enter(both, STRANGER, TLS_REQUEST, NODE);
    assert.deepEqual([consumed, answers], [8, 'S']);
    const { hello, isPostgres } = verdict as EntryFacts;
    assert.deepEqual([hello?.serverName, isPostgres], ['node.example.com', true]);
  });

  it('declines GSSAPI, and admits TLS after it', () => {
    const { verdict, consumed, answers } = enter(both, STRANGER, GSS_REQUEST, TLS_REQUEST, NODE);
    assert.deepEqual([consumed, answers], [16, 'NS']);
    assert.equal((verdict as EntryFacts).isPostgres, true);
  });

  it('refuses everything but a ClientHello after a request', () => {
    for (const request of [TLS_REQUEST, GSS_REQUEST]) {
      for (const next of [request, HTTP, Buffer.from('000000080003000000', 'hex')]) {
        const { verdict } = enter(both, STRANGER, request, next);
        assert.equal((verdict as Refusal).reason, 'hello_malformed');
      }
    }
  });

  it('leaves other first bytes alone', () => {
    for (const other of [
      HTTP,
      Buffer.from('0000000804d2162e', 'hex'),
      Buffer.from('000000080003000000', 'hex'),
    ]) {
      const { verdict, consumed } = enter(both, STRANGER, other);
      assert.deepEqual([consumed, (verdict as EntryFacts).hello], [0, null]);
      assert.equal((verdict as EntryFacts).isPostgres, undefined);
    }
  });

  it('leaves requests alone on listeners without rules for server names', () => {
    const { verdict, consumed } = enter({ ...both, admitsPostgres: false }, STRANGER, TLS_REQUEST);
    assert.deepEqual([consumed, (verdict as EntryFacts).hello], [0, null]);
  });
});
