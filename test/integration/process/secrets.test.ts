import assert from 'node:assert/strict';
import { randomBytes } from 'node:crypto';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, describe, it } from 'node:test';
import { CertificateAuthority } from '../../support/certificates.ts';
import { runCommand } from '../../support/processes/run-command.ts';
import { sluiceCommand } from '../../support/processes/sluice-command.ts';
import { startSluice, type SluiceProcess } from '../../support/processes/sluice-process.ts';

const TOKEN = `token-${randomBytes(20).toString('hex')}`;
const STICKY_SECRET = `sticky-${randomBytes(20).toString('hex')}`;
/** Characters of a secret that give it away. */
const PIECE = 20;

describe('the secrets of a configuration', () => {
  const authority = new CertificateAuthority();
  const directory = mkdtempSync(join(tmpdir(), 'sluice-secrets-'));
  const keyFile = join(directory, 'tickets.key');
  const ticketKeys = randomBytes(160);
  const { cert, key } = authority.issue('web', ['DNS:web.example']);
  const privateKey = readFileSync(key, 'utf8');
  let sluice: SluiceProcess;
  /** All that sluice has said to anybody. */
  let said = '';

  before(async () => {
    writeFileSync(keyFile, ticketKeys, { mode: 0o600 });
    const tls = {
      certificates: [{ cert, key }],
      tickets: { keyFile },
      clientCertificates: { ca: authority.file },
    };
    const config = {
      workers: { l7: 1, l4: 1 },
      admin: { address: '127.0.0.1:0', token: TOKEN },
      log: { level: 'debug' },
      listeners: [
        {
          name: 'web',
          mode: 'l7',
          address: '127.0.0.1:0',
          tls,
          routes: [{ match: {}, cluster: 'app' }],
        },
      ],
      clusters: [
        {
          name: 'app',
          sticky: { cookie: 'c', secret: STICKY_SECRET },
          endpoints: [{ address: '127.0.0.1:9' }],
        },
      ],
    };
    sluice = await startSluice({ config });
  });
  after(async () => {
    sluice.kill('SIGKILL');
    await sluice.waitForExit();
    authority.remove();
    rmSync(directory, { recursive: true });
  });

  async function ask(method: string, path: string): Promise<number> {
    const headers = { Authorization: `Bearer ${TOKEN}` };
    const response = await fetch(`http://${sluice.admin}${path}`, { method, headers });
    said += await response.text();
    return response.status;
  }

  it('are in no page, line or message, even if their files are broken', async () => {
    for (const path of ['/metrics', '/status', '/readyz', '/livez', '/']) await ask('GET', path);
    await runCommand('openssl', ['s_client', '-connect', sluice.address('web')]);
    assert.equal(await ask('POST', '/reload'), 200);
    for (const command of ['print-config', 'check']) {
      const { stdout, stderr } = await sluiceCommand(sluice, command);
      said += stdout + stderr;
    }
    assert.match(said, /tickets\.key/);
    // Each file is half written: the read part belongs to the secret, and an error could quote it.
    writeFileSync(key, privateKey.slice(0, privateKey.length / 2));
    writeFileSync(keyFile, ticketKeys.subarray(0, 100));
    assert.equal(await ask('POST', '/reload'), 409);
    const { stdout, stderr } = await sluiceCommand(sluice, 'check');
    said += stdout + stderr;
    writeFileSync(key, privateKey);
    writeFileSync(keyFile, ticketKeys);
    assert.equal(await ask('POST', '/reload'), 200);
    await ask('POST', '/workers/restart');

    said += sluice.logs.map((line) => JSON.stringify(line)).join('\n');
    said += sluice.otherOutput.join('\n') + sluice.stderr;
    const secrets = [
      TOKEN,
      STICKY_SECRET,
      ...privateKey.split('\n').filter((line) => !line.startsWith('-----')),
    ];
    for (const encoding of ['base64', 'hex', 'latin1'] as const) {
      secrets.push(ticketKeys.subarray(0, 80).toString(encoding), ticketKeys.subarray(80).toString(encoding));
    }
    for (const secret of secrets) {
      if (secret.length < PIECE) continue;
      for (let start = 0; start + PIECE <= secret.length; start += PIECE) {
        const piece = secret.slice(start, start + PIECE);
        assert.ok(!said.includes(piece), `somebody was told ${piece}`);
      }
    }
  });
});
