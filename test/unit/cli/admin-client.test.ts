import assert from 'node:assert/strict';
import { once } from 'node:events';
import { writeFileSync } from 'node:fs';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { join } from 'node:path';
import { describe, it } from 'node:test';
import { AdminClient, withOptions } from '../../../src/cli/admin-client.ts';
import { ConfigError, StartError } from '../../../src/core/errors.ts';
import { scratchDirectory } from '../config/load.ts';

const CONFIG = `listeners: [{ name: a, mode: l4, address: ':1', cluster: app }]
clusters: [{ name: app, endpoints: [{ address: 'a:1' }] }]
`;

/** Reverses text, starts control sequences in some terminals, and ends in a visible non-ASCII letter. */
const HOSTILE = 'a\u202e\u0085\u001b[2Jü';
const ESCAPED = 'a\\u202e\\u0085\\u001b[2J\\u00fc';

describe('an admin API response', { timeout: 60_000 }, () => {
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
      const given = { overrides, env: {} };
      await use(new AdminClient({ configFile, ...given }));
    } finally {
      server.close();
    }
  }

  it('contains only printable ASCII, both parsed and raw', async () => {
    const answer = { status: 409, message: HOSTILE, problem: HOSTILE, version: HOSTILE };
    const body = `${JSON.stringify(answer, null, 2)}\n`;
    await withAnswer(409, 'application/json', body, async (client) => {
      const escaped = { status: 409, message: ESCAPED, problem: ESCAPED, version: ESCAPED };
      assert.deepEqual(await client.post('/reload'), escaped);
    });
    await withAnswer(200, 'application/json; charset=utf-8', body, async (client) => {
      assert.equal((await client.status()).version, ESCAPED);
      assert.match(await client.get('/status'), /^[\x20-\x7e\n]+$/);
    });
  });

  it('becomes an error with its escaped message if a command is refused', async () => {
    const body = JSON.stringify({ status: 403, message: HOSTILE });
    await withAnswer(403, 'application/json', body, async (client) => {
      await assert.rejects(
        client.post('/reload'),
        (error) => error instanceof StartError && error.message === ESCAPED,
      );
      await assert.rejects(
        client.get('/status'),
        (error) => error instanceof StartError && error.message === `/status gives 403: ${ESCAPED}`,
      );
    });
  });

  for (const [status, type, body] of [
    [403, 'text/plain', HOSTILE],
    [409, 'text/plain; charset=utf-8', `${HOSTILE}\nmore`],
    [200, 'text/html', HOSTILE],
    [200, 'application/json', '"ok"'],
    [200, 'application/json', 'null'],
    [200, 'application/json', '{"message":'],
  ] as const) {
    it(`becomes an escaped error if another server answers ${status} ${type} ${JSON.stringify(body)}`, async () => {
      const line = body.startsWith(HOSTILE) ? ESCAPED : body;
      await withAnswer(status, type, body, async (client) => {
        await assert.rejects(
          client.post('/reload'),
          (error) => error instanceof StartError && error.message === line,
        );
      });
    });
  }

  for (const [type, body] of [
    ['text/html', '<h1>Welcome</h1>'],
    ['application/json', '{ "status": '],
    ['application/json', '{ "status": "up" }'],
    ['application/json', 'null'],
  ] as const) {
    it(`is no status if another server answers 200 ${type} ${JSON.stringify(body)}`, async () => {
      await withAnswer(200, type, body, async (client) => {
        await assert.rejects(
          client.status(),
          (error: Error) => error instanceof StartError && error.message.includes('there is not sluice'),
        );
      });
    });
  }

  it('becomes a one-line error if its JSON has no message', async () => {
    await withAnswer(
      200,
      'application/json',
      '{\n  "generation": 2,\n  "problem": null\n}\n',
      async (client) => {
        await assert.rejects(
          client.post('/reload'),
          (error) => error instanceof StartError && error.message === '{ "generation": 2, "problem": null }',
        );
      },
    );
  });
});

describe('a request path', () => {
  it('contains the given options that the request supports', () => {
    const flags = new Map([
      ['principal', 'jwt:a b'],
      ['json', ''],
    ]);
    assert.equal(withOptions('/sessions', flags, ['principal', 'limit']), '/sessions?principal=jwt%3Aa+b');
    assert.equal(withOptions('/sessions', new Map(), ['principal', 'limit']), '/sessions');
  });

  it('decodes escapes that were copied from a response', () => {
    const flags = new Map([['principal', 'jwt:ren\\u00e9']]);
    assert.equal(withOptions('/sessions', flags, ['principal']), '/sessions?principal=jwt%3Aren%C3%A9');
  });
});

describe('the configuration of an admin command', () => {
  const directory = scratchDirectory();
  const configFile = join(directory, 'sluice.yaml');

  function opened(text: string, overrides: readonly string[] = [], env: Record<string, string> = {}) {
    writeFileSync(configFile, text);
    const warnings: string[] = [];
    const client = new AdminClient({ configFile, overrides, env }, (line) => void warnings.push(line));
    return { client, warnings };
  }

  const WITH_TOKEN = `${CONFIG}admin: { token: '0123456789abcdef' }\n`;
  const WARNING = [`the configuration on disk has errors: sluice check -c ${configFile}`];

  it('needs only admin to be valid', () => {
    assert.deepEqual(opened(WITH_TOKEN).warnings, []);
    for (const broken of [
      `${WITH_TOKEN}x: 1\n`,
      `${WITH_TOKEN}log: { level: loud }\nlog: {}\n`,
      `${WITH_TOKEN}include: missing.yaml\n`,
      `${WITH_TOKEN}redis: { url: '\${MISSING}' }\n`,
      WITH_TOKEN.replace('mode: l4', 'mode: l7, tls: { cert: missing.pem, key: missing.pem }'),
    ]) {
      const { client, warnings } = opened(broken);
      assert.deepEqual([client.hasToken, warnings], [true, WARNING], broken);
    }
    const token = { SLUICE_ADMIN_TOKEN: '0123456789abcdef' };
    assert.equal(opened(`${CONFIG}x: 1\n`, [], token).client.hasToken, true);
    assert.equal(opened(`${CONFIG}x: 1\n`, ['admin.token=0123456789abcdef']).client.hasToken, true);
    assert.equal(
      opened(`${CONFIG}x: 1\nadmin: { token: '\${TOKEN}' }\n`, [], { TOKEN: '0123456789abcdef' }).client
        .hasToken,
      true,
    );
  });

  it('is refused if admin cannot be read, with the errors of admin alone', () => {
    assert.throws(
      () => opened(`${CONFIG}x: 1\nadmin: { address: nowhere }\n`),
      /^ConfigError: [^\n]*:4:19: address: [^\n]*$/,
    );
    assert.throws(() => opened(`${CONFIG}x: 1\nadmin: { adress: ':1' }\n`), /unknown key "adress"/);
    assert.throws(() => opened(`${CONFIG}x: 1\nadmin: { token: '\${MISSING}' }\n`), /MISSING/);
    assert.throws(() => opened(`${WITH_TOKEN}x: [\n`), ConfigError);
    assert.throws(() => opened(`${CONFIG}include: missing.yaml\n`), /missing\.yaml/);
    assert.throws(() => opened(CONFIG, ['nothing=1']), /--set nothing/);
  });
});
