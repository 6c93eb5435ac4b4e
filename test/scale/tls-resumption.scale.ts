/** A storm of clients that resume their TLS sessions, over workers that have not issued them. */
import assert from 'node:assert/strict';
import { after, before, describe, it } from 'node:test';
import { unsupportedReason } from '../../src/sys/support.ts';
import { CertificateAuthority } from '../support/certificates.ts';
import { startSluice, type SluiceProcess } from '../support/processes/sluice-process.ts';
import { withAdmin } from '../support/rigs/reload-rig.ts';
import { comeAgain } from '../support/tls/visitors.ts';

const CLIENTS = 5000;
const AT_ONCE = 200;
const WORKERS = 4;

describe('TLS sessions', { timeout: 600_000, skip: unsupportedReason() ?? false }, () => {
  const authority = new CertificateAuthority();
  let sluice: SluiceProcess;

  before(async () => {
    const certificates = [authority.issue('localhost', ['DNS:localhost'])];
    const routes = [{ match: {}, respond: { body: 'here' } }];
    sluice = await startSluice({
      config: withAdmin({
        workers: { l7: WORKERS, l4: 1 },
        log: { access: false },
        listeners: [
          {
            name: 'web',
            mode: 'l7',
            engine: 'raw',
            address: '127.0.0.1:0',
            tls: { certificates },
            routes,
          },
        ],
      }),
    });
  });
  after(() => {
    sluice.kill('SIGKILL');
    authority.remove();
  });

  it(`are resumed when ${CLIENTS} clients come back to ${WORKERS} workers`, async (t) => {
    const start = performance.now();
    const resumed = await comeAgain(sluice.address('web'), CLIENTS, AT_ONCE);
    const seconds = (performance.now() - start) / 1000;
    t.diagnostic(`${resumed} of ${CLIENTS} resumed, all in ${seconds.toFixed(1)} s`);
    assert.ok(resumed >= CLIENTS * 0.95, `${resumed} of ${CLIENTS}`);
  });
});
