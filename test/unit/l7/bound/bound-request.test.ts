import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import type { Bound, BoundConnections } from '../../../../src/l7/bound/bound-connections.ts';
import { BoundRequest } from '../../../../src/l7/bound/bound-request.ts';
import type { Requester, ClientConnection } from '../../../../src/l7/contract/client-connections.ts';
import type { UpstreamSocket } from '../../../../src/l7/contract/upstream-socket.ts';
import type { Cluster } from '../../../../src/upstream/cluster.ts';
import type { Endpoint } from '../../../../src/upstream/endpoint.ts';

const ENDPOINT = { label: 'one' } as unknown as Endpoint;
const OTHER = { label: 'two' } as unknown as Endpoint;
const SOCKET = {} as UpstreamSocket;

/** One request, and what its worker's bound connections are told. */
class Rig {
  readonly calls: string[] = [];
  readonly request: BoundRequest;

  constructor(authorizes: boolean, waiting: Bound | null = null, proxyProtocol: 'off' | 'v2' = 'off') {
    const client = {} as ClientConnection;
    const bound = {
      clientOf: () => client,
      take: (_client: unknown, _cluster: unknown, use: string) =>
        waiting === null || waiting.use === use ? waiting : null,
      beginUse: (network: string, _: unknown, { label }: Endpoint) => this.calls.push(`+${label} ${network}`),
      endUse: (network: string, _: unknown, { label }: Endpoint) => this.calls.push(`-${label} ${network}`),
      identifyNow: () => client,
      keep: ({ network }: { network: string }, { accepted }: Bound, ms: number) =>
        this.calls.push(`keep ${accepted ? 'accepted' : 'pending'} ${network} ${ms}`),
    } as unknown as BoundConnections;
    const requester = { peer: '192.0.2.1', client: { address: '2001:db8::7' } } as Requester;
    const terms = {
      bound,
      cluster: {} as unknown as Cluster,
      keepAliveMs: 60_000,
      proxyProtocol,
    };
    this.request = new BoundRequest(terms, requester, { authorizes, routeCredentials: '' });
    this.request.recognise();
  }
}

const NETWORK = '2001:db8:0:0::/64';

describe('a request on a bound connection', () => {
  it("counts for the client's network, not the proxy's, until its connection is idle", () => {
    const { request, calls } = new Rig(true);
    request.beginUse(ENDPOINT);
    request.answered({ status: 200, headers: [] });
    assert.equal(request.keep(ENDPOINT, SOCKET), true);
    request.endUse();
    assert.deepEqual(calls, [`+one ${NETWORK}`, `-one ${NETWORK}`, `keep accepted ${NETWORK} 60000`]);
  });

  it('counts at one endpoint at a time', () => {
    const { request, calls } = new Rig(true);
    request.beginUse(ENDPOINT);
    request.beginUse(OTHER);
    request.endUse();
    request.endUse();
    assert.deepEqual(calls, [`+one ${NETWORK}`, `-one ${NETWORK}`, `+two ${NETWORK}`, `-two ${NETWORK}`]);
  });

  it('counts without credentials only if it takes an idle connection', () => {
    const waiting = { endpoint: ENDPOINT, socket: SOCKET, accepted: false, use: 'off ' };
    for (const kept of [waiting, null]) {
      const { request, calls } = new Rig(false, kept);
      assert.equal(request.take(), kept);
      request.beginUse(ENDPOINT);
      assert.deepEqual(calls, kept === null ? [] : [`+one ${NETWORK}`]);
    }
  });

  it('is bound from the start if the endpoint gets a PROXY header', () => {
    const { request, calls } = new Rig(false, null, 'v2');
    assert.deepEqual([request.isBound, request.needsOwnConnection], [true, true]);
    request.beginUse(ENDPOINT);
    request.answered({ status: 200, headers: ['keep-alive', 'timeout=3'] });
    assert.equal(request.keep(ENDPOINT, SOCKET), true);
    assert.deepEqual(calls, [`+one ${NETWORK}`, `-one ${NETWORK}`, `keep accepted ${NETWORK} 2000`]);
    const other = new Rig(false);
    assert.deepEqual([other.request.isBound, other.request.needsOwnConnection], [false, false]);
  });

  it('does not reuse a connection without the PROXY header', () => {
    const before = { endpoint: ENDPOINT, socket: SOCKET, accepted: true, use: 'off ' };
    assert.equal(new Rig(false, before, 'v2').request.take(), null);
    assert.equal(new Rig(false, before).request.take(), before);
  });
});
