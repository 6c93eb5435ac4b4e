/** Forward authentication: a server decides about each request, as for Traefik and nginx. */
import assert from 'node:assert/strict';
import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { after, before, describe, it } from 'node:test';
import { eventually } from '../../support/deadline.ts';
import { SCALE_ENGINES, type EngineName } from '../../support/engines.ts';
import { HttpEndpoint, ask, type Answer } from '../../support/http/http-endpoint.ts';
import { askByCurl } from '../../support/processes/curl.ts';
import { Nginx, nginxVersion } from '../../support/processes/nginx.ts';
import { AccessRig } from '../../support/rigs/access-rig.ts';

const LOGIN = 'https://login.example.com/?back=%2F';

/** The server that is asked. It knows users by their cookies. */
class AuthServer {
  readonly questions: IncomingMessage[] = [];
  /** Questions without an answer, whose connections are open. */
  hanging = 0;
  readonly #server: Server;

  private constructor() {
    this.#server = createServer((request, response) => {
      this.questions.push(request);
      this.#answer(request, response);
    });
  }

  static async listen(): Promise<AuthServer> {
    const auth = new AuthServer();
    await new Promise<void>((settle) => auth.#server.listen(0, '127.0.0.1', settle));
    return auth;
  }

  get address(): string {
    return `127.0.0.1:${(this.#server.address() as AddressInfo).port}`;
  }

  get url(): string {
    return `http://${this.address}/check`;
  }

  connections(): Promise<number> {
    return new Promise((settle) => this.#server.getConnections((_, count) => settle(count)));
  }

  close(): void {
    this.#server.close();
    this.#server.closeAllConnections();
  }

  #answer({ headers, socket }: IncomingMessage, response: ServerResponse): void {
    const uri = String(headers['x-original-uri']);
    if (uri.startsWith('/hang')) {
      this.hanging++;
      response.on('close', () => this.hanging--);
    } else if (uri.startsWith('/close')) socket.destroy();
    else if (uri.startsWith('/huge')) {
      response.writeHead(403, { 'Content-Type': 'text/plain' });
      response.end('x'.repeat(1024 * 1024));
    } else if (uri.startsWith('/login')) {
      const cookies = ['a=1; Path=/', 'b=2; HttpOnly'];
      response.writeHead(302, { Location: LOGIN, 'Set-Cookie': cookies }).end('<a>login</a>');
    } else if (uri.startsWith('/admin')) response.writeHead(403).end('no');
    else {
      const user = /session=(\w+)/.exec(headers.cookie ?? '')?.[1];
      if (user === undefined) response.writeHead(401, { 'WWW-Authenticate': 'Bearer realm="x"' }).end();
      else response.writeHead(204, { 'X-User': user, 'X-Groups': ['a', 'b'] }).end();
    }
  }
}

function headersAt({ body }: Answer): Record<string, string | undefined> {
  return JSON.parse(body.toString()) as Record<string, string | undefined>;
}

describe('forward authentication', () => {
  let auth: AuthServer;
  let rig: AccessRig;

  before(async () => {
    auth = await AuthServer.listen();
    rig = await AccessRig.start({
      access: {
        forwardAuth: { url: auth.url, headers: ['x-user', 'x-groups'], timeout: '3s', maxConcurrent: 20 },
      },
    });
  });
  after(async () => {
    await rig.stop();
    auth.close();
  });

  for (const engine of SCALE_ENGINES) {
    it(`admits clients with the headers of the answer, and never with forged ones: ${engine}`, async () => {
      const headers = { cookie: 'session=alice', 'x-user': 'mallory' };
      const answer = await rig.ask(engine, { headers });
      assert.equal(answer.status, 200);
      const got = headersAt(answer);
      assert.deepEqual([got['x-user'], got['x-groups'], got.cookie], ['alice', 'a, b', 'session=alice']);
      const session = await rig.join(engine, { headers });
      assert.equal(session.headers['x-user'], 'alice');
      session.client.socket.close();
      await assert.rejects(rig.join(engine, { headers: { 'x-user': 'mallory' } }), /401/);
    });

    it(`gives the client any other answer: ${engine}`, async () => {
      const address = rig.rig.address(engine);
      const unauthorized = await askByCurl(address, '/', []);
      assert.equal(unauthorized.status, 401);
      assert.equal(unauthorized.headers.get('www-authenticate'), 'Bearer realm="x"');
      const login = await rig.ask(engine, { path: '/login' });
      assert.deepEqual([login.status, login.headers.location], [302, LOGIN]);
      assert.deepEqual(login.headers['set-cookie'], ['a=1; Path=/', 'b=2; HttpOnly']);
      assert.equal(login.body.toString(), '<a>login</a>');
      const huge = await rig.ask(engine, { path: '/huge' });
      assert.deepEqual([huge.status, huge.body.length], [403, 64 * 1024]);
      const head = await askByCurl(address, '/admin', ['-I']);
      assert.deepEqual([head.status, head.body], [403, '']);
    });

    it(`asks without the body, and describes the request: ${engine}`, async () => {
      auth.questions.length = 0;
      await rig.ask(engine, {
        method: 'POST',
        path: '/form?a=b',
        headers: { cookie: 'session=bob', 'content-type': 'text/plain' },
        body: 'x'.repeat(10_000),
      });
      const [question] = auth.questions;
      assert.ok(question !== undefined);
      assert.deepEqual([question.method, question.url], ['GET', '/check']);
      const { headers } = question;
      assert.equal(headers['content-length'], undefined);
      assert.equal(headers['x-forwarded-method'], 'POST');
      assert.equal(headers['x-forwarded-uri'], '/form?a=b');
      assert.equal(headers['x-forwarded-host'], rig.rig.address(engine));
      assert.equal(headers['x-forwarded-for'], '127.0.0.1');
    });

    it(`refuses clients of a server that closes or hangs: ${engine}`, async () => {
      const closed = await rig.ask(engine, { path: '/close' });
      assert.deepEqual([closed.status, closed.headers['retry-after']], [503, '1']);
      const hanging = await rig.ask(engine, { path: '/hang' });
      assert.equal(hanging.status, 503);
      await eventually(() => assert.equal(auth.hanging, 0));
    });

    it(`ends the questions of clients that go away: ${engine}`, async () => {
      const clients = await Promise.all(
        Array.from({ length: 10 }, () => rig.rig.ask({ listener: engine, path: '/hang' })),
      );
      await eventually(() => assert.equal(auth.hanging, 10));
      for (const client of clients) client.destroy();
      await eventually(() => assert.equal(auth.hanging, 0), 2500);
    });
  }

  it("decides like nginx's auth_request", { skip: nginxVersion() === null && 'no nginx' }, async (t) => {
    const endpoint = await HttpEndpoint.listen((request, response) =>
      response.end(JSON.stringify(request.headers)),
    );
    t.after(() => endpoint.close());
    const nginx = await Nginx.start(
      (listen) => `server {
  listen ${listen};
  location / {
    auth_request /auth;
    auth_request_set $user $upstream_http_x_user;
    proxy_set_header X-User $user;
    proxy_pass http://${endpoint.address};
  }
  location = /auth {
    internal;
    proxy_pass ${auth.url};
    proxy_pass_request_body off;
    proxy_set_header Content-Length "";
    proxy_set_header X-Original-URI $request_uri;
  }
}`,
    );
    t.after(() => nginx.stop());
    const [engine] = SCALE_ENGINES as readonly [EngineName, ...EngineName[]];
    const cases: readonly (readonly [path: string, headers: Record<string, string>])[] = [
      ['/', { cookie: 'session=alice' }],
      ['/', { cookie: 'session=bob', 'x-user': 'mallory' }],
      ['/', {}],
      ['/', { 'x-user': 'mallory' }],
      ['/admin', { cookie: 'session=alice' }],
    ];
    for (const [path, headers] of cases) {
      const [ours, theirs] = await Promise.all([
        rig.ask(engine, { path, headers }),
        ask(`http://${nginx.address}${path}`, { headers }),
      ]);
      assert.equal(ours.status, theirs.status, path);
      assert.equal(ours.headers['www-authenticate'], theirs.headers['www-authenticate']);
      if (ours.status === 200) assert.equal(headersAt(ours)['x-user'], headersAt(theirs)['x-user']);
    }
  });
});

describe('forward authentication of many clients at once', () => {
  it('asks over few connections', async (t) => {
    const auth = await AuthServer.listen();
    const rig = await AccessRig.start({
      // The test answers its own questions beside 200 clients, which takes a busy machine seconds.
      access: { forwardAuth: { url: auth.url, timeout: '30s', maxConcurrent: 20 } },
    });
    t.after(async () => {
      await rig.stop();
      auth.close();
    });
    for (const engine of SCALE_ENGINES) {
      const answers = await Promise.all(
        Array.from({ length: 200 }, () => rig.ask(engine, { headers: { cookie: 'session=alice' } })),
      );
      assert.deepEqual(new Set(answers.map(({ status }) => status)), new Set([200]));
    }
    // Two workers and as many listeners as engines have 20 each.
    assert.ok((await auth.connections()) <= 2 * 20 * SCALE_ENGINES.length);
  });
});

describe('forward authentication with onFailure: admit', () => {
  it('admits clients while nobody answers, and removes forged headers', async (t) => {
    const auth = await AuthServer.listen();
    const { url } = auth;
    auth.close();
    const rig = await AccessRig.start({
      access: { forwardAuth: { url, headers: ['x-user'], onFailure: 'admit' } },
    });
    t.after(() => rig.stop());
    for (const engine of SCALE_ENGINES) {
      const answer = await rig.ask(engine, { headers: { 'x-user': 'mallory' } });
      assert.equal(answer.status, 200);
      assert.equal(headersAt(answer)['x-user'], undefined);
    }
  });
});
