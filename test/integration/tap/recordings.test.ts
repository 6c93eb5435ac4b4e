/** Recorded clients, replayed against the servers that they talked to and against broken ones. */
import assert from 'node:assert/strict';
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, describe, it } from 'node:test';
import { eventually } from '../../support/deadline.ts';
import { PROGRAM } from '../../support/processes/program.ts';
import { runCommand, type CommandResult } from '../../support/processes/run-command.ts';
import type { Application } from '../../support/recording/application.ts';
import { startChat } from '../../support/recording/chat-application.ts';
import { startGraphql } from '../../support/recording/graphql-application.ts';
import { startMqtt } from '../../support/recording/mqtt-application.ts';
import { startSocketIo } from '../../support/recording/socket-io-application.ts';
import { TapCommand } from '../../support/recording/tap-command.ts';
import { WebRig } from '../../support/rigs/web-rig.ts';

const TOKEN = 'a-token-of-a-good-length-for-the-tests';
const CLIENTS = 3;

describe('recordings', { timeout: 300_000 }, () => {
  const directory = mkdtempSync(join(tmpdir(), 'sluice-recordings-'));
  const applications: Application[] = [];
  let rig: WebRig;

  before(async () => {
    for (const start of [startChat, startSocketIo, startMqtt, startGraphql]) applications.push(await start());
    const clusters = applications.map(
      ({ address }, index) => [`app-${index}`, { endpoints: [address] }] as const,
    );
    rig = await WebRig.start({
      admin: { token: TOKEN, tap: 'payload' },
      listeners: {
        web: {
          routes: applications.map(({ path }, index) => ({
            match: { pathPrefix: path },
            cluster: `app-${index}`,
          })),
        },
      },
      clusters: Object.fromEntries(clusters),
    });
  });
  after(async () => {
    for (const application of applications) await application.close();
    rmSync(directory, { recursive: true });
    await rig.stop();
  });

  const fileOf = ({ name }: Application, extension = 'jsonl'): string =>
    join(directory, `${name}.${extension}`);

  const replay = (
    application: Application,
    file: string,
    ...args: readonly string[]
  ): Promise<CommandResult> =>
    runCommand(process.execPath, [
      PROGRAM,
      'bench',
      `ws://${application.address}`,
      '--replay',
      file,
      '--speed',
      '10',
      '--timeout',
      '1s',
      '--json',
      ...args,
    ]);

  /** Records the conversations of an application with `sluice tap`. */
  async function record(application: Application, index: number): Promise<void> {
    const file = fileOf(application);
    const args = ['--cluster', `app-${index}`, '--payload', '--force', '--output', file];
    // A replay starts with an empty room, so the recording does too.
    application.forget?.();
    const tap = await TapCommand.start(rig.sluice, ...args);
    for (let client = 0; client < CLIENTS; client++) await application.converse(rig.address('web'));
    // The worker reports events once per tick.
    await eventually(() => assert.equal(count(file, 'end'), CLIENTS));
    assert.equal(await tap.stop(), 0, tap.stderr);
  }

  it('are made by one command each for a chat room, Socket.IO, MQTT and graphql-ws', async () => {
    for (const [index, application] of applications.entries()) {
      const file = fileOf(application);
      await record(application, index);
      // A busy machine may leave a tap too little CPU time while its code is cold.
      for (let again = 0; again < 4 && count(file, 'lost') > 0; again++) await record(application, index);
      assert.equal(count(file, 'tap'), 1);
      assert.equal(count(file, 'session'), CLIENTS);
      assert.equal(count(file, 'lost'), 0);
    }
  });

  it('replay without errors against the recorded servers', async () => {
    for (const application of applications) {
      const isChat = application.name === 'chat';
      // A chat room sends old messages to newcomers: start it empty, and let the clients come one after the other.
      const target = isChat ? await startChat() : application;
      try {
        const args = ['--expect', 'count', ...(isChat ? ['--connections', '1'] : [])];
        const { status, stdout, stderr } = await replay(target, fileOf(application), ...args);
        assert.equal(status, 0, `${application.name}: ${stderr}${stdout}`);
        const { errors, messages } = JSON.parse(stdout) as { errors: { total: number }; messages: number };
        assert.equal(errors.total, 0);
        assert.ok(messages >= CLIENTS);
      } finally {
        if (isChat) await target.close();
      }
    }
  });

  it('of graphql-ws replay with the same replies', async () => {
    const graphql = applications.find(({ name }) => name === 'GraphQL')!;
    const { status, stdout, stderr } = await replay(graphql, fileOf(graphql), '--expect', 'same');
    assert.equal(status, 0, `${stderr}${stdout}`);
  });

  for (const fault of ['loses', 'delays', 'closes'] as const) {
    it(`reveal a broken chat room (${fault})`, async () => {
      const broken = await startChat(fault);
      try {
        const { status, stdout } = await replay(broken, fileOf(applications[0]!), '--connections', '1');
        assert.equal(status, 1, stdout);
        const { errors, closes } = JSON.parse(stdout) as Record<'errors' | 'closes', { total: number }>;
        assert.ok(errors.total + closes.total > 0, stdout);
      } finally {
        await broken.close();
      }
    });
  }

  it('reveal a chat room that changes messages if varying fields are redacted', async () => {
    const redact = ['$..id', '$..at', '$..endpoint', '$..by', '$..engine'].flatMap((rule) => [
      '--redact',
      rule,
    ]);
    for (const [fault, expected] of [
      [null, 0],
      ['changes', 1],
    ] as const) {
      const room = await startChat(fault);
      try {
        const args = ['--connections', '1', '--expect', 'same', ...redact];
        const { status, stdout, stderr } = await replay(room, fileOf(applications[0]!), ...args);
        assert.equal(status, expected, `${stderr}${stdout}`);
      } finally {
        await room.close();
      }
    }
  });

  it('can be HAR files for the developer tools of browsers', async () => {
    const [chat] = applications;
    const file = fileOf(chat!, 'har');
    const tap = await TapCommand.start(rig.sluice, '--cluster', 'app-0', '--payload', '--output', file);
    await chat!.converse(rig.address('web'));
    // The archive is made from a recording beside it.
    await eventually(() => assert.equal(count(`${file}.part.jsonl`, 'end'), 1));
    assert.equal(await tap.stop(), 0, tap.stderr);
    const { log } = JSON.parse(readFileSync(file, 'utf8')) as {
      log: {
        version: string;
        entries: {
          _resourceType: string;
          _webSocketMessages: { type: string; data: string; opcode: number }[];
        }[];
      };
    };
    assert.equal(log.version, '1.2');
    assert.equal(log.entries.length, 1);
    const [{ _resourceType: kind, _webSocketMessages: messages }] = log.entries as [(typeof log.entries)[0]];
    assert.equal(kind, 'websocket');
    assert.deepEqual(
      messages
        .filter(({ type, data }) => type === 'send' && data.includes('"say"'))
        .map(({ opcode }) => opcode),
      [1, 1, 1],
    );
  });
});

/** Counts the records of a type in a recording, which may still grow. */
function count(file: string, type: string): number {
  const lines = readFileSync(file, 'utf8').split('\n');
  return lines.filter((line) => line.startsWith(`{"type":"${type}"`)).length;
}
