import assert from 'node:assert/strict';
import { once } from 'node:events';
import { writeFileSync } from 'node:fs';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { join } from 'node:path';
import { describe, it } from 'node:test';
import { AdminClient } from '../../../src/cli/admin-client.ts';
import { StartError } from '../../../src/core/errors.ts';
import { scratchDirectory } from '../config/load.ts';

const CONFIG = `listeners: [{ name: a, mode: l4, address: ':1', cluster: app }]
clusters: [{ name: app, endpoints: [{ address: 'a:1' }] }]
`;

/** Turns text round, begins a control sequence in some terminals, and is visible but not ASCII. */
const HOSTILE = 'a\u202e\u0085\u001b[2Jü';
const ESCAPED = 'a\\u202e\\u0085\\u001b[2J\\u00fc';

describe('what the admin address answers', { timeout: 60_000 }, () => {
  const directory = scratchDirectory();

  async function withAnswer(
    status: number,
    type: string,
    body: string,
    use: (client: AdminClient) => Promise<void>,
  ): Promise<void> {
    const server = createServer((_, response) =>
      response.writeHead(status, { 'Content-Type': type }).end(body),
    );
    server.listen(0, '127.0.0.1');
    await once(server, 'listening');
    const configFile = join(directory, 'sluice.yaml');
    writeFileSync(configFile, CONFIG);
    const { port } = server.address() as AddressInfo;
    const overrides = [`admin.address=127.0.0.1:${port}`];
    try {
      await use(new AdminClient({ configFile, overrides, env: {}, flags: new Map() }));
    } finally {
      server.close();
    }
  }

  it('is printable once it is parsed, and printable as it is', async () => {
    const body = `${JSON.stringify({ problem: HOSTILE, version: HOSTILE }, null, 2)}\n`;
    await withAnswer(409, 'application/json', body, async (client) => {
      const answer = await client.post('/reload');
      assert.equal((JSON.parse(answer.body) as { problem: string }).problem, ESCAPED);
    });
    await withAnswer(200, 'application/json; charset=utf-8', body, async (client) => {
      assert.equal((await client.status()).version, ESCAPED);
      assert.match(await client.get('/status'), /^[\x20-\x7e\n]+$/);
    });
  });

  it('is printable where it is text', async () => {
    await withAnswer(409, 'text/plain; charset=utf-8', `${HOSTILE}\n`, async (client) => {
      assert.equal((await client.post('/drain')).body, `${ESCAPED}\n`);
    });
  });

  it('is printable in the error of a refused command', async () => {
    await withAnswer(403, 'text/plain', HOSTILE, async (client) => {
      await assert.rejects(
        client.post('/reload'),
        (error) => error instanceof StartError && error.message === ESCAPED,
      );
    });
  });
});
