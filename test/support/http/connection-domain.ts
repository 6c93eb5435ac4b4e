/** An endpoint that authenticates connections, as NTLM and Negotiate do, and its clients. */
import assert from 'node:assert/strict';
import { createHash } from 'node:crypto';
import { createServer, type IncomingMessage, type Server } from 'node:http';
import type { AddressInfo, Socket } from 'node:net';
import { headerOf, upgradeRequest, type RawConnection } from '../sockets/raw-connection.ts';

/** The beginning of curl's first message, and an answer to it (MS-NLMP sections 2.2.1.1 and 2.2.1.2). */
const TYPE_1 = Buffer.from('NTLMSSP\0\x01\0\0\0', 'latin1').toString('base64').slice(0, 15);
const TYPE_2 = challengeMessage().toString('base64');

function challengeMessage(): Buffer {
  const message = Buffer.alloc(48);
  message.write('NTLMSSP\0\x02', 'latin1');
  // No target name, behind the message; NTLM with OEM strings.
  message.writeUInt32LE(48, 16);
  message.writeUInt32LE(0x8201, 20);
  message.write('12345678', 24);
  return message;
}

/** An endpoint that authenticates connections, in three steps as NTLM or in one as Kerberos. */
export class Domain {
  readonly #server: Server;
  readonly #names = new WeakMap<object, string>();
  readonly #numbers = new WeakMap<object, number>();
  readonly open = new Set<Socket>();
  connections = 0;

  private constructor() {
    this.#server = createServer((request, response) => {
      const { socket } = request;
      const [scheme = '', token = ''] = (request.headers.authorization ?? '').split(' ');
      const answer = (status: number, challenge?: string): void => {
        const number = this.#numbers.get(socket)!;
        if (challenge !== undefined)
          response.setHeader('WWW-Authenticate', ['Basic realm="a, b"', challenge]);
        const body = this.#names.get(socket)?.replace('pending:', '') ?? 'nobody';
        const length = String(body.length);
        response.writeHead(status, { 'X-Connection': String(number), 'Content-Length': length });
        response.end(body);
      };
      request.resume();
      request.on('end', () => {
        if (request.url === '/brief') response.setHeader('Keep-Alive', 'timeout=1');
        if (request.url!.endsWith('/open')) answer(200);
        else if (request.url!.endsWith('/forbidden')) answer(403, 'NTLM');
        else if (scheme === 'NTLM' && token === 'one') {
          this.#names.set(socket, 'pending:');
          answer(401, 'NTLM two');
        } else if (scheme === 'NTLM' && token.startsWith(TYPE_1)) {
          this.#names.set(socket, 'pending:');
          answer(401, `NTLM ${TYPE_2}`);
        } else if (scheme === 'NTLM' && this.#names.get(socket) === 'pending:') {
          this.#names.set(socket, token);
          answer(200);
        } else if (scheme === 'Negotiate') {
          this.#names.set(socket, token);
          answer(200);
        } else if (this.#names.get(socket) === undefined) answer(401, 'nTlM');
        else answer(200);
      });
    });
    this.#server.on('upgrade', (request: IncomingMessage, socket: Socket) => this.#upgrade(request, socket));
    this.#server.keepAliveTimeout = 60_000;
    this.#server.on('connection', (socket: Socket) => {
      if (this.#numbers.has(socket)) return;
      this.#numbers.set(socket, ++this.connections);
      this.open.add(socket);
      socket.once('close', () => this.open.delete(socket));
    });
  }

  /** Refuses upgrades in the steps of NTLM, and takes those of a connection that has a name. */
  #upgrade({ url, headers }: IncomingMessage, socket: Socket): void {
    const [, token = ''] = (headers.authorization ?? '').split(' ');
    const name = this.#names.get(socket);
    if (url!.endsWith('/reset')) {
      socket.destroy();
    } else if (name === undefined || token === 'one') {
      if (token === 'one') this.#names.set(socket, 'pending:');
      const challenge = `WWW-Authenticate: NTLM${token === 'one' ? ' two' : ''}\r\n`;
      const close = url!.endsWith('/close') ? 'Connection: close\r\n' : '';
      socket.write(`HTTP/1.1 401 X\r\n${challenge}${close}Content-Length: 2\r\n\r\nno`);
      // Node has given the socket up: its next request is read, too.
      this.#server.emit('connection', socket);
    } else {
      if (name === 'pending:') this.#names.set(socket, token);
      const head = [
        'HTTP/1.1 101 X',
        'Upgrade: websocket',
        'Connection: Upgrade',
        `X-Name: ${token || name}`,
      ];
      head.push(`Sec-WebSocket-Accept: ${acceptOf(headers['sec-websocket-key']!)}`, '', '');
      socket.write(head.join('\r\n'));
      // The head of a text frame, and its payload.
      socket.write(Buffer.concat([Buffer.of(0x81, 5), Buffer.from('hello')]));
      socket.on('error', () => undefined);
      // The proxy's close frame.
      socket.once('data', () => socket.destroy());
    }
  }

  static async listen(): Promise<Domain> {
    const domain = new Domain();
    await new Promise<void>((settle) => domain.#server.listen(0, '127.0.0.1', settle));
    return domain;
  }

  get address(): string {
    return `127.0.0.1:${(this.#server.address() as AddressInfo).port}`;
  }

  close(): void {
    this.#server.close();
    this.#server.closeAllConnections();
  }
}

function acceptOf(key: string): string {
  return createHash('sha1').update(`${key}258EAFA5-E914-47DA-95CA-C5AB0DC85B11`).digest('base64');
}

/** Sends an upgrade on a connection that stays open. Returns the status, and the name that the endpoint knows. */
export async function upgrade(client: RawConnection, authorization = '', path = '/other'): Promise<string> {
  const more = authorization === '' ? [] : [`Authorization: ${authorization}`];
  client.write(upgradeRequest('app.example', more, path));
  const head = await client.head();
  const status = head.startLine.split(' ')[1]!;
  if (status !== '101') await client.bytes(Number(headerOf(head, 'content-length')));
  return `${status} ${headerOf(head, 'x-name') ?? ''}`.trim();
}

interface Answer {
  readonly status: number;
  readonly body: string;
  /** Number of the connection to the endpoint. */
  readonly connection: number;
}

/** Sends a request on a connection that stays open. */
export async function ask(
  client: RawConnection,
  authorization = '',
  { path = '/', method = 'GET' } = {},
): Promise<Answer> {
  const lines = [`${method} ${path} HTTP/1.1`, 'Host: app.example'];
  if (authorization !== '') lines.push(`Authorization: ${authorization}`);
  if (method === 'POST') lines.push('Content-Length: 3');
  client.write(`${lines.join('\r\n')}\r\n\r\n`);
  if (method === 'POST') client.write('abc');
  const head = await client.head();
  const isChunked = headerOf(head, 'transfer-encoding') === 'chunked';
  assert.equal(isChunked, false);
  const body = await client.bytes(Number(headerOf(head, 'content-length')));
  return {
    status: Number(head.startLine.split(' ')[1]),
    body: body.toString(),
    connection: Number(headerOf(head, 'x-connection')),
  };
}

/** Sends credentials at once, as browsers do that know the site. */
export async function logInAtOnce(client: RawConnection, name: string): Promise<Answer> {
  assert.equal((await ask(client, 'NTLM one')).status, 401);
  return ask(client, `NTLM ${name}`);
}

/** Logs in as NTLM does, and returns the number of the connection to the endpoint. */
export async function logIn(client: RawConnection, name: string): Promise<number> {
  const first = await ask(client);
  assert.equal(first.status, 401);
  const second = await ask(client, 'NTLM one');
  assert.equal(second.status, 401);
  const third = await ask(client, `NTLM ${name}`);
  assert.deepEqual([third.status, third.body], [200, name]);
  assert.deepEqual([first.connection, second.connection], [third.connection, third.connection]);
  return third.connection;
}
