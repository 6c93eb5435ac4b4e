import assert from 'node:assert/strict';
import { once } from 'node:events';
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import {
  connect,
  createServer as createPlainServer,
  type AddressInfo,
  type Server,
  type Socket,
} from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { text as readText } from 'node:stream/consumers';
import { after, afterEach, before, describe, it } from 'node:test';
import { TLSSocket, createServer as createTlsServer } from 'node:tls';
import type { ClusterTls } from '../../../../src/config/types/cluster.ts';
import type { Address } from '../../../../src/core/address.ts';
import { connectFailureOf, dial } from '../../../../src/upstream/dialling/dial.ts';
import { upstreamTls, type UpstreamTls } from '../../../../src/upstream/upstream-tls.ts';
import { CertificateAuthority } from '../../../support/certificates.ts';
import { eventually, within } from '../../../support/deadline.ts';

type DialOptions = Parameters<typeof dial>[1] & { readonly label?: string };

const PLAIN: DialOptions = { tls: null, allowHalfOpen: false };

const servers: Server[] = [];
const sockets = new Set<Socket>();

async function listen(
  server: Server,
  at: { path: string } | { port: number; host: string },
): Promise<Address> {
  servers.push(server);
  server.on('connection', (socket: Socket) => {
    sockets.add(socket);
    socket.on('error', ignore);
  });
  server.listen(at);
  await within('the server to listen', once(server, 'listening'));
  if ('path' in at) return { kind: 'unix', path: at.path };
  return { kind: 'tcp', host: at.host, port: (server.address() as AddressInfo).port };
}

const local = { host: '127.0.0.1', port: 0 };

function open(address: Address, options: DialOptions): Socket {
  const { label = 'app', ...rest } = options;
  const socket = dial({ label, server: address, addresses: [address] }, rest);
  sockets.add(socket);
  socket.on('error', ignore);
  return socket;
}

function ignore(): void {
  // Tests that need the error add their own listener.
}

/** Returns the error that ends the dial. */
async function failure(address: Address, options: DialOptions): Promise<Error> {
  const [error] = (await within('the dial to fail', once(open(address, options), 'error'))) as [Error];
  return error;
}

afterEach(() => {
  for (const socket of sockets) socket.destroy();
  sockets.clear();
  for (const server of servers.splice(0)) server.close();
});

describe('a dial', () => {
  it('reaches a TCP endpoint', async () => {
    const address = await listen(
      createPlainServer((socket) => socket.pipe(socket)),
      local,
    );
    const socket = open(address, PLAIN);
    await within('the connection', once(socket, 'connect'));
    socket.write('hello');
    const [echo] = (await within('the echo', once(socket, 'data'))) as [Buffer];
    assert.equal(String(echo), 'hello');
  });

  it('reaches a UNIX socket', async () => {
    const directory = mkdtempSync(join(tmpdir(), 'sluice-dial-'));
    try {
      const path = join(directory, 'app.sock');
      const address = await listen(
        createPlainServer((socket) => socket.end('hello')),
        { path },
      );
      const socket = open(address, PLAIN);
      const [greeting] = (await within('the greeting', once(socket, 'data'))) as [Buffer];
      assert.equal(String(greeting), 'hello');
      const missing = await failure({ kind: 'unix', path: join(directory, 'none') }, PLAIN);
      assert.equal(connectFailureOf(missing), 'refused');
    } finally {
      rmSync(directory, { recursive: true });
    }
  });

  it('is refused if nobody listens', async () => {
    const server = createPlainServer();
    const address = await listen(server, local);
    server.close();
    await within('the server to close', once(server, 'close'));
    assert.equal(connectFailureOf(await failure(address, PLAIN)), 'refused');
  });

  it("keeps writing after the endpoint's FIN only if requested", async () => {
    const heard: string[] = [];
    const address = await listen(
      createPlainServer({ allowHalfOpen: true }, (socket) => {
        socket.end('bye');
        let text = '';
        socket.on('data', (bytes) => (text += String(bytes)));
        socket.on('end', () => heard.push(text));
      }),
      local,
    );
    for (const allowHalfOpen of [true, false]) {
      const socket = open(address, { ...PLAIN, allowHalfOpen });
      socket.resume();
      await within('the FIN', once(socket, 'end'));
      assert.equal(socket.writableEnded, !allowHalfOpen);
      if (allowHalfOpen) socket.end('late');
      await within('the end', once(socket, 'close'));
    }
    await eventually(() => assert.deepEqual(heard.toSorted(), ['', 'late']));
  });

  it('sends its preface before all other bytes', async () => {
    const received: Promise<string>[] = [];
    const address = await listen(
      createPlainServer((socket) => received.push(readText(socket))),
      local,
    );
    const socket = open(address, { ...PLAIN, preface: Buffer.from('first, ') });
    await within('the connection', once(socket, 'connect'));
    socket.end('second');
    await within('the end', once(socket, 'close'));
    assert.equal(await within('the bytes', received[0]!), 'first, second');
  });

  it('reads into the buffer of the caller', async () => {
    const address = await listen(
      createPlainServer((socket) => socket.end('hello')),
      local,
    );
    const buffer = Buffer.alloc(100);
    let text = '';
    const callback = (length: number): boolean => {
      text += buffer.toString('utf8', 0, length);
      return true;
    };
    const socket = open(address, { ...PLAIN, onread: { buffer, callback } });
    await within('the end', once(socket, 'close'));
    assert.equal(text, 'hello');
  });
});

describe('a dial with TLS', () => {
  let authority: CertificateAuthority;
  const files = new Map<string, { cert: string; key: string }>();

  before(() => {
    authority = new CertificateAuthority();
    for (const [name, alternative] of [
      ['app.internal', 'DNS:app.internal'],
      ['by-address', 'IP:127.0.0.1'],
    ] as const) {
      const { cert, key } = authority.issue(name, [alternative]);
      files.set(name, { cert: readFileSync(cert, 'utf8'), key: readFileSync(key, 'utf8') });
    }
  });
  after(() => authority.remove());

  /** Starts a server that greets. Records the SNI of each client, and whether its session was resumed. */
  async function serve(
    certificate: 'app.internal' | 'by-address',
  ): Promise<{ address: Address; names: unknown[]; resumed: boolean[] }> {
    const names: unknown[] = [];
    const resumed: boolean[] = [];
    const server = createTlsServer(files.get(certificate)!, (socket) => {
      names.push(socket.servername);
      resumed.push(socket.isSessionReused());
      socket.on('error', ignore);
      socket.end('hello');
    });
    server.on('tlsClientError', ignore);
    return { address: await listen(server, local), names, resumed };
  }

  function tls(changes: Partial<ClusterTls> = {}): UpstreamTls {
    return upstreamTls({
      serverName: null,
      ca: authority.pem,
      verify: true,
      cert: null,
      key: null,
      ...changes,
    });
  }

  const withTls = (settings: UpstreamTls): DialOptions => ({ ...PLAIN, tls: settings });

  async function greet(address: Address, options: DialOptions): Promise<TLSSocket> {
    const socket = open(address, options);
    assert.ok(socket instanceof TLSSocket);
    const secured = once(socket, 'secureConnect');
    const greeted = once(socket, 'data');
    await within('the handshake', secured);
    const [greeting] = (await within('the greeting', greeted)) as [Buffer];
    assert.equal(String(greeting), 'hello');
    return socket;
  }

  it('sends the configured name as SNI and verifies it', async () => {
    const { address, names } = await serve('app.internal');
    const socket = await greet(address, withTls(tls({ serverName: 'app.internal' })));
    assert.equal(socket.authorized, true);
    assert.deepEqual(names, ['app.internal']);
  });

  it('verifies the address of an endpoint without a name, and sends no SNI', async () => {
    const { address, names } = await serve('by-address');
    await greet(address, withTls(tls()));
    assert.deepEqual(names, [false]);
  });

  it('fails if the certificate is for another name', async () => {
    const { address } = await serve('app.internal');
    for (const serverName of [null, 'other.internal', 'internal']) {
      const error = await failure(address, withTls(tls({ serverName })));
      assert.equal(connectFailureOf(error), 'tls', `${serverName}: ${error.message}`);
    }
  });

  it('fails if the authority is not trusted', async () => {
    const { address } = await serve('app.internal');
    const error = await failure(address, withTls(tls({ serverName: 'app.internal', ca: null })));
    assert.equal(connectFailureOf(error), 'tls', error.message);
  });

  it('accepts any certificate if verification is off', async () => {
    const { address } = await serve('app.internal');
    const settings = withTls(tls({ verify: false, ca: null, serverName: 'anything' }));
    const socket = await greet(address, settings);
    assert.equal(socket.authorized, false);
  });

  it('sends its preface before TLS, to whichever address accepts', async () => {
    const secure = await serve('app.internal');
    const preface = Buffer.from('PROXY UNKNOWN\r\n');
    const prefaces: string[] = [];
    const front = await listen(
      createPlainServer((socket) => {
        socket.once('readable', () => {
          prefaces.push(String(socket.read(preface.length)));
          const behind = connect((secure.address as { port: number }).port, '127.0.0.1');
          sockets.add(behind);
          behind.on('error', ignore);
          socket.pipe(behind).pipe(socket);
        });
      }),
      local,
    );
    const { port } = front as { port: number };
    const dead = { kind: 'tcp', host: '127.0.0.2', port } as const;
    for (const addresses of [[front], [dead, front]]) {
      const options = { ...withTls(tls({ serverName: 'app.internal' })), preface };
      const socket = dial({ label: 'app', server: front, addresses }, options);
      sockets.add(socket);
      const [greeting] = (await within('the greeting', once(socket, 'data'))) as [Buffer];
      assert.equal(String(greeting), 'hello');
    }
    assert.deepEqual(prefaces, ['PROXY UNKNOWN\r\n', 'PROXY UNKNOWN\r\n']);
  });

  it('verifies an address again after it moves to another name', async () => {
    const { address } = await serve('app.internal');
    assert.ok(address.kind === 'tcp');
    const settings = tls();
    const named = (host: string): Socket => {
      const server: Address = { ...address, host };
      const socket = dial({ label: 'app', server, addresses: [address] }, withTls(settings));
      sockets.add(socket);
      return socket;
    };
    const first = named('app.internal').resume();
    await within('the end', once(first, 'close'));
    assert.ok(settings.sessions.has('app'));
    const [error] = (await within('the dial to fail', once(named('other.internal'), 'error'))) as [Error];
    assert.equal(connectFailureOf(error), 'tls', error.message);
  });

  it('resumes the session of the same endpoint and no other', async () => {
    const { address, resumed } = await serve('app.internal');
    const settings = tls({ serverName: 'app.internal' });
    const first = await greet(address, withTls(settings));
    await within('the end', once(first, 'close'));
    await greet(address, withTls(settings));
    await greet(address, { ...withTls(settings), label: 'another' });
    assert.deepEqual(resumed, [false, true, false]);
  });

  it('reads into the buffer of the caller', async () => {
    const { address } = await serve('app.internal');
    const buffer = Buffer.alloc(100);
    let text = '';
    const callback = (length: number): boolean => {
      text += buffer.toString('utf8', 0, length);
      return true;
    };
    const socket = open(address, {
      ...withTls(tls({ serverName: 'app.internal' })),
      onread: { buffer, callback },
    });
    await within('the end', once(socket, 'close'));
    assert.equal(text, 'hello');
  });

  it('fails with a TLS error if the endpoint does not speak TLS', async () => {
    const address = await listen(
      createPlainServer((socket) =>
        socket.once('data', () => socket.write('HTTP/1.1 400 Bad Request\r\n\r\n')),
      ),
      local,
    );
    assert.equal(connectFailureOf(await failure(address, withTls(tls()))), 'tls');
  });

  it('fails with a reset if the endpoint closes during the handshake', async () => {
    const address = await listen(
      createPlainServer((socket) => socket.once('data', () => socket.destroy())),
      local,
    );
    assert.equal(connectFailureOf(await failure(address, withTls(tls()))), 'reset');
  });
});
