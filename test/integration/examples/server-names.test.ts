import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { connect, createServer } from 'node:tls';
import { after, before, it } from 'node:test';
import { Aedes } from 'aedes';
import { connectAsync } from 'mqtt';
import { CertificateAuthority } from '../../support/certificates.ts';
import { testExample } from '../../support/examples/isolation.ts';
import { postgresPrograms, startPostgres } from '../../support/examples/postgres.ts';
import { runCommand } from '../../support/processes/run-command.ts';
import { addAddresses, nameHosts, runExample, type RunningExample } from '../../support/examples/stage.ts';

const skip = postgresPrograms() === null ? 'PostgreSQL is not installed' : false;

testExample(import.meta.filename, 'server-names', () => {
  const authority = new CertificateAuthority();
  let broker: Aedes;
  let sluice: RunningExample;
  let stopPostgres: (() => Promise<void>) | undefined;

  before(async () => {
    nameHosts('mqtt.example.com', 'db.example.com');
    addAddresses('10.0.0.21', '10.0.0.31');
    const { cert, key } = authority.issue('mqtt.example.com', ['DNS:mqtt.example.com']);
    broker = await Aedes.createBroker();
    const server = createServer({ cert: readFileSync(cert), key: readFileSync(key) }, (socket) =>
      broker.handle(socket),
    );
    await new Promise<void>((settle) => server.listen(8883, '10.0.0.21', settle));
    server.unref();
    if (skip === false) {
      const issued = authority.issue('db.example.com', ['DNS:db.example.com']);
      stopPostgres = await startPostgres('10.0.0.31', issued);
    }
    sluice = await runExample();
  });
  after(async () => {
    await sluice.stop();
    await stopPostgres?.();
    await new Promise<void>((settle) => broker.close(settle));
    authority.remove();
  });

  it('brings MQTT clients to the broker, whose certificate they see', async () => {
    const client = await connectAsync('mqtts://mqtt.example.com:443', {
      ca: authority.pem,
      reconnectPeriod: 0,
    });
    const arrival = new Promise<string>((settle) =>
      client.once('message', (_, payload) => settle(payload.toString())),
    );
    await client.subscribeAsync('rooms/1');
    await client.publishAsync('rooms/1', 'hello');
    assert.equal(await arrival, 'hello');
    await client.endAsync();
  });

  it('brings PostgreSQL clients to the database, whose certificate they check', { skip }, async () => {
    const target = `host=db.example.com port=443 user=postgres sslmode=verify-full sslrootcert=${authority.file}`;
    const answer = await runCommand('psql', [
      target,
      '-Atc',
      'select ssl, 6 * 7 from pg_stat_ssl where pid = pg_backend_pid()',
    ]);
    assert.deepEqual(answer, { status: 0, stdout: 't|42\n', stderr: '' });
  });

  it('closes clients of other names', async () => {
    const other = `host=127.0.0.1 port=443 user=postgres sslmode=require connect_timeout=20`;
    assert.notEqual((await runCommand('psql', [other, '-Atc', 'select 1'])).status, 0);
    const options = {
      host: '127.0.0.1',
      port: 443,
      servername: 'other.example.com',
      rejectUnauthorized: false,
    };
    const error = await new Promise<Error>((settle) => connect(options).once('error', settle));
    assert.match(error.message, /unrecognized name/i);
  });
});
