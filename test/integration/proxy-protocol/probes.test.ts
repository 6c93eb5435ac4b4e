/** Probes of endpoints that get PROXY headers: connections of the proxy's own. */
import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { after, describe, it } from 'node:test';
import { CertificateAuthority } from '../../support/certificates.ts';
import { eventually } from '../../support/deadline.ts';
import { WebRig } from '../../support/rigs/web-rig.ts';
import { ProxiedEndpoint } from '../../support/sockets/proxied-endpoint.ts';

const TYPES = ['tcp', 'http', 'websocket'] as const;
const OWN = { v1: 'UNKNOWN', v2: 'LOCAL' } as const;

describe('probes that start with a PROXY header', { timeout: 120_000 }, () => {
  const authority = new CertificateAuthority();
  after(() => authority.remove());

  for (const version of ['v1', 'v2'] as const) {
    for (const secure of [false, true]) {
      it(`name nobody by ${version}${secure ? ', in front of TLS' : ''}, whatever they check`, async () => {
        const { cert, key } = authority.issue('endpoint', ['DNS:endpoint.internal']);
        const server = { cert: readFileSync(cert), key: readFileSync(key) };
        const endpoints = await Promise.all(TYPES.map(() => ProxiedEndpoint.listen(secure ? server : null)));
        const tls = { serverName: 'endpoint.internal', ca: authority.file };
        const clusters = TYPES.map((type, index) => [
          type,
          {
            endpoints: [endpoints[index]!.address],
            proxyProtocol: version,
            healthCheck: { type, interval: '200ms' },
            ...(secure && { tls }),
          },
        ]);
        const rig = await WebRig.start({
          listeners: { web: {} },
          clusters: Object.fromEntries(clusters) as Parameters<typeof WebRig.start>[0]['clusters'],
        });
        try {
          await eventually(async () => {
            const metrics = await rig.scrape();
            for (const cluster of TYPES) {
              assert.ok(metrics.sum('sluice_endpoint_probes_total', { cluster }) >= 3, cluster);
              assert.equal(metrics.sum('sluice_endpoint_probe_failures_total', { cluster }), 0, cluster);
            }
          });
          for (const { told } of endpoints) assert.deepEqual(new Set(told), new Set([OWN[version]]));
        } finally {
          await rig.stop();
          for (const endpoint of endpoints) endpoint.close();
        }
      });
    }
  }
});
