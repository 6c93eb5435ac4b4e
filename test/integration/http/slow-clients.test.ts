import assert from 'node:assert/strict';
import { execFile } from 'node:child_process';
import { createHash } from 'node:crypto';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import type { RequestListener } from 'node:http';
import { createServer as createTlsServer, type Server } from 'node:https';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { after, before, describe, it } from 'node:test';
import { setImmediate as turn } from 'node:timers/promises';
import { promisify } from 'node:util';
import { CertificateAuthority } from '../../support/certificates.ts';
import { HttpEndpoint } from '../../support/http/http-endpoint.ts';
import { WebRig } from '../../support/rigs/web-rig.ts';

const KIB = 1024;
const READER = resolve(import.meta.dirname, '../../support/sockets/slow-reader.py');
const BODY = Buffer.from(Array.from({ length: 600_000 }, (_, index) => index & 0xff));
const DIGEST = createHash('sha256').update(BODY).digest('hex');
const BORDERS = [512, 4_096, 16 * KIB, 32 * KIB];
const AROUND = [-17, -16, -12, -8, -1, 0, 1, 8];
/** Around 16 KiB: a chunk and its header end at the end of uWS's cork buffer. */
const SIZES = [
  ...BORDERS.flatMap((border) => AROUND.map((more) => border + more)),
  ...[16_320, 16_336, 16_346, 16_356, 16_400, 16_448],
];

/** Writes the body in chunks of the size that is the path, or whole with its length. */
const answer: RequestListener = (request, response) => {
  const write = async (): Promise<void> => {
    const size = Number(request.url!.slice(1));
    if (size === 0) {
      response.setHeader('Content-Length', BODY.length);
      response.end(BODY);
      return;
    }
    for (let at = 0; at < BODY.length && !response.destroyed; at += size) {
      response.write(BODY.subarray(at, at + size));
      await turn();
    }
    response.end();
  };
  void write();
};

describe('a body for a slow client', () => {
  let authority: CertificateAuthority;
  let root: string;
  let plain: HttpEndpoint;
  let secure: Server;
  let rig: WebRig;

  before(async () => {
    authority = new CertificateAuthority();
    root = mkdtempSync(join(tmpdir(), 'sluice-files-'));
    writeFileSync(join(root, 'files'), BODY);
    const certificate = authority.issue('secure', ['DNS:app.example']);
    plain = await HttpEndpoint.listen(answer);
    secure = createTlsServer(
      { cert: readFileSync(certificate.cert), key: readFileSync(certificate.key) },
      answer,
    );
    await new Promise<void>((settle) => secure.listen(0, '127.0.0.1', settle));
    const routes = [
      { match: { pathPrefix: '/files' }, static: { root } },
      { match: { pathPrefix: '/tls' }, cluster: 'secure', rewrite: { stripPrefix: '/tls' } },
      { match: {}, cluster: 'plain' },
    ];
    rig = await WebRig.start({
      listeners: { web: { routes }, safe: { routes, tls: { certificates: [certificate] } } },
      clusters: {
        plain: { endpoints: [plain.address] },
        secure: {
          endpoints: [`127.0.0.1:${(secure.address() as AddressInfo).port}`],
          tls: { ca: authority.file, serverName: 'app.example' },
        },
      },
    });
  });
  after(async () => {
    plain.close();
    secure.close();
    secure.closeAllConnections();
    await rig.stop();
    authority.remove();
    rmSync(root, { recursive: true });
  });

  for (const [listener, scheme] of [
    ['web', 'http'],
    ['safe', 'https'],
  ] as const) {
    for (const [speed, buffer, pause] of [
      ['fast', 1024 * KIB, 0],
      ['slow', 8 * KIB, 0.001],
    ] as const) {
      it(`arrives whole over ${scheme} to a ${speed} reader, whatever the size of its chunks`, async () => {
        const paths = [
          '/files',
          ...SIZES.map((size) => `/${size}`),
          ...['/0', '/tls/0', '/tls/16384', '/tls/65536', '/tls/65536'],
        ];
        const urls = paths.map((path) => `${scheme}://${rig.address(listener)}${path}`);
        const args = [READER, String(buffer), String(pause), authority.file, ...urls];
        const { stdout } = await promisify(execFile)('python3', args, { timeout: 60_000 });
        const got = stdout.trimEnd().split('\n');
        const wrong = paths.filter((_, index) => got[index] !== `200 ${DIGEST}`);
        assert.deepEqual(
          wrong,
          [],
          got.find((line) => line !== `200 ${DIGEST}`),
        );
      });
    }
  }
});
