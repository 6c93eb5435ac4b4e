/** The cost of a plain request, compared with nginx. */
import assert from 'node:assert/strict';
import { spawn, spawnSync } from 'node:child_process';
import { join } from 'node:path';
import { after, before, describe, it } from 'node:test';
import { Nginx, nginxVersion } from '../support/processes/nginx.ts';
import { cpuSeconds } from '../support/processes/process-facts.ts';
import { runCommand } from '../support/processes/run-command.ts';
import { WebRig } from '../support/rigs/web-rig.ts';

const BODY = 1024;
const CONNECTIONS = 50;
const ROUNDS = 3;
const SECONDS = 8;
/** Times nginx's. */
const MOST = 1.6;
/** The proxy has a separate core if there are two. */
const [PROXY_CORE, LOAD_CORE] = [0, 1];

describe('a GET of 1 KiB through a proxy', { skip: missing() }, () => {
  const endpoint = spawn(process.execPath, [
    join(import.meta.dirname, 'fixtures/page-endpoint.ts'),
    `${BODY}`,
  ]);
  let web: WebRig;
  let nginx: Nginx;

  before(async () => {
    endpoint.stdout.setEncoding('utf8');
    const port = await new Promise<string>((settle) => endpoint.stdout.once('data', settle));
    const app = `127.0.0.1:${port.trim()}`;
    web = await WebRig.start({
      log: { access: false },
      listeners: { web: {} },
      clusters: { app: { endpoints: [app] } },
    });
    nginx = await Nginx.start(
      (listen) => `upstream app { server ${app}; keepalive 64; keepalive_requests 1000000; }
keepalive_requests 1000000;
server { listen ${listen}; location / {
  proxy_pass http://app;
  proxy_http_version 1.1;
  proxy_set_header Connection "";
  proxy_set_header Host $http_host;
  proxy_set_header X-Forwarded-For $proxy_add_x_forwarded_for;
  proxy_set_header X-Forwarded-Proto $scheme;
  proxy_set_header X-Forwarded-Host $http_host;
  proxy_set_header X-Forwarded-Port $server_port;
  proxy_set_header X-Real-IP $remote_addr;
  proxy_set_header X-Request-Id $request_id;
} }`,
    );
    for (const pid of [web.sluice.pid, nginx.pid]) pin(pid, PROXY_CORE);
    pin(endpoint.pid!, LOAD_CORE);
  });
  after(async () => {
    endpoint.kill('SIGKILL');
    await nginx.stop();
    await web.stop();
  });

  it(`costs at most ${MOST} times nginx's CPU: ${CONNECTIONS} connections, median of ${ROUNDS} rounds`, async (t) => {
    const ours: number[] = [];
    const theirs: number[] = [];
    for (let round = 0; round <= ROUNDS; round++) {
      const first = await microsecondsPerRequest(nginx.address, nginx.pid);
      const second = await microsecondsPerRequest(web.address('web'), web.sluice.pid);
      // The first is for the compilers.
      if (round === 0) continue;
      theirs.push(first);
      ours.push(second);
    }
    const ratio = median(ours) / median(theirs);
    const shown = (values: readonly number[]): string => values.map((value) => value.toFixed(1)).join(', ');
    t.diagnostic(
      `us of CPU a request: sluice ${shown(ours)}; nginx ${shown(theirs)}; ratio ${ratio.toFixed(2)}`,
    );
    assert.ok(ratio <= MOST, `${ratio} times nginx`);
  });
});

async function microsecondsPerRequest(address: string, pid: number): Promise<number> {
  const before = cpuSeconds(pid);
  const { stdout } = await runCommand('taskset', [
    ...['-c', String(LOAD_CORE), 'wrk', '-t1', `-c${CONNECTIONS}`, `-d${SECONDS}s`],
    `http://${address}/page`,
  ]);
  const used = cpuSeconds(pid) - before;
  assert.doesNotMatch(stdout, /Socket errors|Non-2xx/);
  return (used / Number(/(\d+) requests in/.exec(stdout)?.[1])) * 1e6;
}

function pin(pid: number, core: number): void {
  spawnSync('taskset', ['-a', '-c', '-p', String(core), String(pid)]);
}

function median(values: readonly number[]): number {
  return values.toSorted((a, b) => a - b)[values.length >> 1]!;
}

/** Why it cannot be measured here; false where it can. */
function missing(): string | false {
  if (nginxVersion() === null) return 'nginx is not installed';
  for (const command of ['wrk', 'taskset'])
    if (spawnSync(command, ['--version']).error !== undefined) return `${command} is not installed`;
  return spawnSync('taskset', ['-c', String(LOAD_CORE), 'true']).status === 0
    ? false
    : 'there is one core only';
}
