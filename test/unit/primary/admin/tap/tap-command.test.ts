/** The parameters of `POST /tap`, and its refusals. */
import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import type { CommandResult } from '../../../../../src/primary/admin/commands/admin-command.ts';
import { CommandTable, runCommand } from '../../../../../src/primary/admin/commands/command-table.ts';
import { tapCommand } from '../../../../../src/primary/admin/tap/tap-command.ts';
import type { TapRefusal, TapRequest } from '../../../../../src/primary/tap/tap-service.ts';
import { config } from '../../fixtures/config.ts';
import { CLIENT, WISH } from '../../tap/taps.ts';

class Rig {
  readonly wishes: TapRequest[] = [];
  readonly refused: [result: string, message: string, client: string][] = [];
  refusal: TapRefusal | null = null;
  readonly command = tapCommand(
    {
      open: (wish) => {
        this.wishes.push(wish);
        return this.refusal ?? { begin: () => undefined, leave: () => undefined };
      },
      refuse: ({ result, message }, client) => void this.refused.push([result, message, client]),
    },
    () => config,
  );

  ask(query: string): Promise<CommandResult> {
    const [call] = new CommandTable([this.command]).find('/tap');
    return runCommand(call!, new URLSearchParams(query), CLIENT);
  }
}

describe('POST /tap', () => {
  it('shows headers of all sessions without parameters', async () => {
    const rig = new Rig();
    const { status, stream } = await rig.ask('');
    assert.deepEqual([status, stream?.type], [200, 'application/x-ndjson']);
    assert.deepEqual(rig.wishes, [WISH]);
  });

  it('accepts every filter, a sample, payload and rules', async () => {
    const rig = new Rig();
    const filter = {
      session: 'f00-12',
      listener: 'web',
      route: 'all',
      cluster: 'app',
      endpoint: '192.0.2.1:80',
      principal: 'jwt:alice',
      client: '2001:db8::1',
    };
    const query = new URLSearchParams({
      ...filter,
      client: '2001:DB8:0::1',
      sample: '2.5%',
      payload: 'true',
    });
    query.set('maxPayload', '64KiB');
    query.append('redact', '$..password');
    query.append('redact', '/[0-9]{16}/');
    assert.equal((await rig.ask(query.toString())).message, 'tap started');
    assert.deepEqual(rig.wishes, [
      {
        filter,
        sample: 0.025,
        payload: true,
        maxPayloadBytes: 65_536,
        redact: ['$..password', '/[0-9]{16}/'],
      },
    ]);
  });

  for (const [query, message] of [
    ['sessions=1', /^sessions: unknown parameter: use session, listener,.* payload, maxPayload, redact$/],
    ['client=1.2.3', /^client: write an IP address$/],
    ['client=::1&client=::2', /^client: write the parameter once$/],
    ['session=all', /^session: write the id of a session/],
    ['principal=', /^principal: write a name/],
    ['listener=nope', /^listener: there is no listener nope$/],
    ['cluster=nope', /^cluster: there is no cluster nope$/],
    ['route=nope', /^route: there is no route nope$/],
    ['sample=0', /^sample: write a fraction/],
    ['sample=101%25', /^sample: write a fraction/],
    ['sample=2', /^sample: write a fraction/],
    ['payload=yes', /^payload: write true or false$/],
    ['maxPayload=0', /^maxPayload: write a size/],
    ['maxPayload=65KiB', /^maxPayload: write a size, such as 4KiB, up to 64KiB$/],
    ['redact=password', /^redact: /],
    ['redact=$.a&redact=/(/', /^redact: rule 2: /],
    [Array(65).fill('redact=$.a').join('&'), /^redact: write at most 64 rules/],
  ] as const) {
    it(`answers ${query.slice(0, 40)} with a remedy`, async () => {
      const rig = new Rig();
      const answer = await rig.ask(query);
      assert.equal(answer.status, 400);
      assert.match(answer.message, message);
      assert.deepEqual(rig.refused, [['parameters', answer.message, CLIENT]]);
      assert.deepEqual(rig.wishes, []);
    });
  }

  it('answers each refusal with its status', async () => {
    for (const [result, status] of [
      ['off', 403],
      ['payload', 403],
      ['full', 429],
    ] as const) {
      const rig = new Rig();
      rig.refusal = { result, message: 'no' };
      assert.deepEqual(await rig.ask(''), { status, message: 'no' });
    }
  });

  it('reports a wrong token', () => {
    const rig = new Rig();
    rig.command.refused!(CLIENT, 'commands need the token');
    assert.deepEqual(rig.refused, [['token', 'commands need the token', CLIENT]]);
  });
});
